//! `add_reader` and its family.

use super::fixture::{check_forgotten, err, listener, ok, real_loop, run, settle, sockets, turn};
use crate::case::Outcome;
use crate::fixture::event;
use core::cell::Cell;
use molen::{LoopRef, SelectorEventLoop};
use std::io::Read;
use std::rc::Rc;
use std::string::ToString;
use std::{format, vec};

pub(super) fn a_reader_is_called_until_its_descriptor_is_drained() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    ok(event_loop.add_reader(&near, || event("read")))?;
    settle(&event_loop)?;
    check_events![];
    ok(far.send(b"xy"))?;
    for _ in 0..3 {
        turn(&event_loop)?;
    }
    check_events!["read", "read", "read"];
    check_eq!(ok((&near).read(&mut [0; 16]))?, 2);
    // What was on its way when the socket was drained may be a call for nothing.
    settle(&event_loop)?;
    crate::fixture::test().log.clear();
    settle(&event_loop)?;
    check_events![];
    ok(far.send(b"z"))?;
    turn(&event_loop)?;
    check_events!["read"];
    Ok(())
}

pub(super) fn a_second_reader_cancels_the_first_and_leaves_the_writer() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let first = ok(event_loop.add_reader(&near, || event("first")))?;
    let writer = ok(event_loop.add_writer(&near, || event("writer")))?;
    let second = ok(event_loop.add_reader(&near, || event("second")))?;
    check!(first.cancelled(), "the first reader is not cancelled");
    check!(!second.cancelled() && !writer.cancelled(), "too much is cancelled");
    ok(event_loop.remove_writer(&near))?;
    ok(far.send(b"x"))?;
    turn(&event_loop)?;
    check_events!["second"];
    Ok(())
}

pub(super) fn the_halves_of_a_registration_end_one_by_one() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    ok(event_loop.add_reader(&near, || event("read")))?;
    ok(event_loop.add_writer(&near, || event("write")))?;
    ok(far.send(b"x"))?;
    check!(ok(event_loop.remove_reader(&near))?, "there was no reader");
    turn(&event_loop)?;
    turn(&event_loop)?;
    check_events!["write", "write"];
    check!(ok(event_loop.remove_writer(&near))?, "there was no writer");
    settle(&event_loop)?;
    check_events!["write", "write"];
    check_forgotten(&event_loop, near)
}

pub(super) fn what_is_not_there_is_not_removed() -> Outcome {
    let event_loop = real_loop()?;
    let (near, _far) = sockets()?;
    check!(!ok(event_loop.remove_reader(&near))?, "a reader that nobody added");
    check!(!ok(event_loop.remove_writer(&near))?, "a writer that nobody added");
    ok(event_loop.add_writer(&near, || event("write")))?;
    check!(!ok(event_loop.remove_reader(&near))?, "a reader beside the writer");
    check!(ok(event_loop.remove_writer(&near))?, "no writer");
    check!(!ok(event_loop.remove_writer(&near))?, "a writer that was removed");
    check_forgotten(&event_loop, near)
}

pub(super) fn a_cancelled_handle_is_deregistered_by_its_event() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let (other, other_far) = sockets()?;
    let handle = ok(event_loop.add_reader(&near, || event("cancelled")))?;
    ok(event_loop.add_reader(&other, || event("other")))?;
    handle.cancel();
    ok(far.send(b"x"))?;
    ok(other_far.send(b"x"))?;
    turn(&event_loop)?;
    check!(ok(event_loop.remove_reader(&other))?, "there was no other reader");
    settle(&event_loop)?;
    check_events!["other"];
    check_forgotten(&event_loop, near)
}

pub(super) fn a_descriptor_cancelled_in_the_batch_of_its_event_is_not_called() -> Outcome {
    let event_loop = real_loop()?;
    let (one, _one_far) = sockets()?;
    let (two, _two_far) = sockets()?;
    let (one, two) = (Rc::new(one), Rc::new(two));
    // There is room to write in both, so both have their events in one batch.
    for (mine, other) in [(&one, &two), (&two, &one)] {
        let (inner, other) = (event_loop.clone(), other.clone());
        ok(event_loop.add_writer(&**mine, move || {
            event("called");
            inner.remove_writer(&*other).map(drop)
        }))?;
    }
    turn(&event_loop)?;
    check_events!["called"];
    Ok(())
}

pub(super) fn a_closed_loop_watches_nothing() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let kept = Rc::new(());
    let captured = kept.clone();
    let handle = ok(event_loop.add_reader(&near, move || {
        let _captured = &captured;
        event("read");
    }))?;
    ok(far.send(b"x"))?;
    event_loop.close()?;
    check!(handle.cancelled(), "the reader outlived the loop");
    check_eq!(Rc::strong_count(&kept), 1);
    check!(!ok(event_loop.remove_reader(&near))?, "a closed loop has a reader");
    check!(!ok(event_loop.remove_writer(&near))?, "a closed loop has a writer");
    let reader = err(event_loop.add_reader(&near, || ()))?;
    let writer = err(event_loop.add_writer(&near, || ()))?;
    check_eq!(
        reader.to_string(),
        format!(
            "cannot add a reader for descriptor {}: the event loop is closed",
            reader.descriptor
        )
    );
    check!(writer.to_string().starts_with("cannot add a writer for"), "another error");
    check_events![];
    Ok(())
}

pub(super) fn a_connections_descriptor_is_not_watched() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, _far) = sockets()?;
        let connection = ok(molen::net::TcpStream::from_std(near.into()))?;
        let (listening, _address) = listener()?;
        let listening = ok(molen::net::TcpListener::from_std(listening))?;
        let refused = [
            err(event_loop.add_reader(&listening, || ()))?,
            err(event_loop.remove_writer(&listening))?,
            err(event_loop.add_reader(&connection, || ()))?,
            err(event_loop.add_writer(&connection, || ()))?,
            err(event_loop.remove_reader(&connection))?,
            err(event_loop.remove_writer(&connection))?,
        ];
        for error in refused {
            check_matches!(error.cause, molen::backend::WatchRefused::OwnedBySource);
        }
        #[cfg(unix)]
        {
            let number = std::os::fd::AsRawFd::as_raw_fd(&connection);
            let error = err(event_loop.add_reader(&number, || ()))?;
            check_eq!(
                error.to_string(),
                format!(
                    "cannot add a reader for descriptor {number}: one of the event loop's own sources uses it"
                )
            );
            check!(event_loop.remove_writer(&number).is_err(), "its number is not refused");
            drop(connection);
            check!(!ok(event_loop.remove_reader(&number))?, "nobody's descriptor has a reader");
        }
        Ok(())
    })
}

pub(super) fn a_writer_is_called_while_there_is_room() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let sent = Rc::new(Cell::new(0));
    let total = sent.clone();
    let socket = ok(near.try_clone())?;
    ok(event_loop.add_writer(&near, move || {
        match socket.send(&[7; 64 * 1024]) {
            Ok(count) => total.set(total.get() + count),
            Err(_no_room) => event("called for nothing"),
        }
    }))?;
    // Until the system has no more room: then there is no event any more.
    let mut before = usize::MAX;
    while sent.get() != before {
        before = sent.get();
        settle(&event_loop)?;
    }
    crate::fixture::test().log.clear();
    let mut buffer = vec![0; 64 * 1024];
    while sent.get() == before {
        match (&far).read(&mut buffer) {
            Ok(_count) => settle(&event_loop)?,
            Err(_drained) => turn(&event_loop)?,
        }
    }
    Ok(())
}
