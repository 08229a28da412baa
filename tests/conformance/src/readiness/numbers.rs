//! Descriptors that are closed, and whose numbers the system gives to others.

use super::fixture::{ok, real_loop, settle, sockets, turn};
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use core::cell::Cell;
use molen::sock::{Socket, SocketOperations};
use molen::{LoopRef, SelectorEventLoop, Task};
use std::rc::Rc;
use std::vec::Vec;

/// The system's number of a socket.
fn number(socket: &Socket) -> u64 {
    #[cfg(unix)]
    return std::os::fd::AsRawFd::as_raw_fd(socket) as u64;
    #[cfg(windows)]
    return std::os::windows::io::AsRawSocket::as_raw_socket(socket);
}

/// Two connected sockets, of which the first has the number that was just given up.
fn sockets_as(former: u64) -> Result<(Socket, Socket), Failure> {
    let mut others = Vec::new();
    for _ in 0..1000 {
        match sockets()? {
            (near, far) if number(&near) == former => return Ok((near, far)),
            (near, far) if number(&far) == former => return Ok((far, near)),
            pair => others.push(pair),
        }
    }
    Err(Failure::said("the system did not give the number out again"))
}

pub(super) fn a_descriptor_closed_at_once_leaves_no_event() -> Outcome {
    let event_loop = real_loop()?;
    event_loop.set_exception_handler(Some(Rc::new(|_event_loop, _context| {
        event("reported");
        Ok(())
    })));
    for _ in 0..10 {
        let (near, far) = sockets()?;
        ok(event_loop.add_reader(&near, || event("stale")))?;
        ok(event_loop.add_writer(&near, || event("stale")))?;
        ok(far.send(b"x"))?;
        check!(ok(event_loop.remove_reader(&near))?, "there was no reader");
        check!(ok(event_loop.remove_writer(&near))?, "there was no writer");
        drop(near);
        settle(&event_loop)?;
    }
    check_events![];
    Ok(())
}

pub(super) fn a_number_used_again_in_the_tick_brings_no_stale_event() -> Outcome {
    let event_loop = real_loop()?;
    let (one, _one_far) = sockets()?;
    let (two, _two_far) = sockets()?;
    let sockets = Rc::new([Cell::new(None), Cell::new(None)]);
    let fresh = Rc::new(Cell::new(None));
    // There is room to write in both, so both have their events in one batch. Whichever is called
    // first puts a fresh socket in the other's place.
    for (at, socket) in [one, two].into_iter().enumerate() {
        let (inner, others, made) = (event_loop.clone(), sockets.clone(), fresh.clone());
        ok(event_loop.add_writer(&socket, move || {
            event("called");
            let Some(other) = others[1 - at].take() else { return Ok(()) };
            ok(inner.remove_writer(&other))?;
            let former = number(&other);
            drop(other);
            let (near, far) = sockets_as(former)?;
            ok(inner.add_reader(&near, || event("fresh")))?;
            made.set(Some((near, far)));
            others[at].take().map_or(Ok(false), |own| ok(inner.remove_writer(&own))).map(drop)
        }))?;
        sockets[at].set(Some(socket));
    }
    turn(&event_loop)?;
    settle(&event_loop)?;
    check_events!["called"];
    let Some((_near, far)) = fresh.take() else {
        return Err(Failure::said("the number was not used again"));
    };
    ok(far.send(b"for this one"))?;
    turn(&event_loop)?;
    check_events!["called", "fresh"];
    Ok(())
}

/// Receives, and then puts a fresh socket in the place of the other task's.
async fn receive_and_replace(
    event_loop: LoopRef,
    own: Socket,
    others_number: u64,
    other: Rc<Cell<Option<Task<Outcome>>>>,
    fresh: Rc<Cell<Option<Socket>>>,
) -> Outcome {
    ok(event_loop.sock_recv(&own, 10).await)?;
    event("received");
    if let Some(other) = other.take() {
        // Drops it at once, and its socket.
        other.abort();
    }
    let (near, far) = sockets_as(others_number)?;
    fresh.set(Some(far));
    check_eq!(ok(event_loop.sock_recv(&near, 10).await)?, b"fresh");
    event("fresh");
    Ok(())
}

pub(super) fn a_receivers_number_used_again_brings_no_stale_event() -> Outcome {
    let event_loop = real_loop()?;
    let pairs = [sockets()?, sockets()?];
    let numbers = [number(&pairs[0].0), number(&pairs[1].0)];
    let tasks = [Rc::new(Cell::new(None)), Rc::new(Cell::new(None))];
    let fresh = Rc::new(Cell::new(None));
    let mut fars = Vec::new();
    for (at, (near, far)) in pairs.into_iter().enumerate() {
        let task = receive_and_replace(
            event_loop.clone(),
            near,
            numbers[1 - at],
            tasks[1 - at].clone(),
            fresh.clone(),
        );
        tasks[at].set(Some(event_loop.create_task(task)?));
        fars.push(far);
    }
    settle(&event_loop)?;
    check_events![];
    for far in &fars {
        ok(far.send(b"stale"))?;
    }
    turn(&event_loop)?;
    settle(&event_loop)?;
    check_events!["received"];
    let Some(far) = fresh.take() else {
        return Err(Failure::said("the number was not used again"));
    };
    ok(far.send(b"fresh"))?;
    turn(&event_loop)?;
    settle(&event_loop)?;
    check_events!["received", "fresh"];
    Ok(())
}
