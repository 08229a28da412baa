//! `add_reader` and its family, on pairs of Unix sockets; on Windows of TCP sockets.

mod local;

use local::sockets::{copy, no_descriptors, number, sockets};
use local::{ANY_PORT, pair, run};
use molen_core::{LoopRef, get_running_loop, yield_now};
use molen_std::net::{TcpListener, TcpStream};
use molen_std::{SelectorEventLoop, WatchRefused};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;

/// A callback that counts its calls.
fn counting(calls: &Rc<Cell<u32>>) -> impl FnMut() + use<> {
    let calls = calls.clone();
    move || calls.set(calls.get() + 1)
}

fn new_loop() -> (LoopRef, Rc<Cell<u32>>) {
    (molen_std::new_event_loop().unwrap(), Rc::new(Cell::new(0)))
}

/// Turns until nothing is ready; how many callbacks ran.
fn settle(event_loop: &LoopRef) -> u32 {
    let mut ran = 0;
    loop {
        let turn = event_loop.turn(Some(Duration::ZERO)).unwrap();
        ran += turn.ran;
        if turn.ran == 0 && !turn.more {
            return ran;
        }
    }
}

fn turns(event_loop: &LoopRef, count: u32) {
    for _ in 0..count {
        event_loop.turn(Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn a_reader_is_called_for_as_long_as_there_is_something_to_read() {
    let (event_loop, calls) = new_loop();
    let (mut near, mut far) = sockets();
    event_loop.add_reader(&near, counting(&calls)).unwrap();
    turns(&event_loop, 2);
    assert_eq!(calls.get(), 0);
    far.write_all(b"xy").unwrap();
    turns(&event_loop, 3);
    assert_eq!(calls.get(), 3, "levels, not edges: once a turn");
    near.read_exact(&mut [0; 1]).unwrap();
    turns(&event_loop, 1);
    assert_eq!(calls.get(), 4, "one byte is left");
    near.read_exact(&mut [0; 1]).unwrap();
    assert_eq!(settle(&event_loop), 0);
    assert_eq!(calls.get(), 4);
    far.write_all(b"z").unwrap();
    turns(&event_loop, 1);
    assert_eq!(calls.get(), 5);
}

#[test]
fn a_second_reader_cancels_the_first_and_leaves_the_writer() {
    let (event_loop, first) = new_loop();
    let (second, writer) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (near, mut far) = sockets();
    let handle = event_loop.add_reader(&near, counting(&first)).unwrap();
    let writing = event_loop.add_writer(&near, counting(&writer)).unwrap();
    far.write_all(b"x").unwrap();
    turns(&event_loop, 1);
    assert_eq!((first.get(), writer.get()), (1, 1));
    let other = event_loop.add_reader(&near, counting(&second)).unwrap();
    assert!(handle.cancelled());
    assert!(!other.cancelled() && !writing.cancelled());
    turns(&event_loop, 1);
    assert_eq!((first.get(), second.get(), writer.get()), (1, 1, 2));
    // What the cancelled callback had captured is gone.
    assert_eq!(Rc::strong_count(&first), 1);
}

#[test]
fn the_halves_are_removed_one_by_one_and_only_once() {
    let (event_loop, reads) = new_loop();
    let writes = Rc::new(Cell::new(0));
    let (near, mut far) = sockets();
    assert!(!event_loop.remove_reader(&near).unwrap());
    assert!(!event_loop.remove_writer(&near).unwrap());
    event_loop.add_reader(&near, counting(&reads)).unwrap();
    event_loop.add_writer(&near, counting(&writes)).unwrap();
    far.write_all(b"x").unwrap();
    assert!(event_loop.remove_reader(&near).unwrap());
    assert!(!event_loop.remove_reader(&near).unwrap());
    turns(&event_loop, 1);
    assert_eq!((reads.get(), writes.get()), (0, 1));
    assert!(event_loop.remove_writer(&near).unwrap());
    assert!(!event_loop.remove_writer(&near).unwrap());
    assert_eq!(settle(&event_loop), 0);
    // By number, and after both were removed.
    event_loop.add_reader(&number(&near), counting(&reads)).unwrap();
    turns(&event_loop, 1);
    assert_eq!(reads.get(), 1);
}

#[test]
fn a_reader_that_is_removed_or_cancelled_after_its_event_does_not_run() {
    let (event_loop, calls) = new_loop();
    let (one, mut one_far) = sockets();
    let (two, mut two_far) = sockets();
    // Whichever is called first keeps the other from being called.
    let numbers = [number(&one), number(&two)];
    for (at, socket) in [&one, &two].into_iter().enumerate() {
        let (calls, inner) = (calls.clone(), event_loop.clone());
        let other = numbers[1 - at];
        event_loop
            .add_reader(socket, move || {
                calls.set(calls.get() + 1);
                inner.remove_reader(&other).map(|_was| ())
            })
            .unwrap();
    }
    one_far.write_all(b"x").unwrap();
    two_far.write_all(b"x").unwrap();
    turns(&event_loop, 1);
    assert_eq!(calls.get(), 1);
    event_loop.close().unwrap();

    let (event_loop, calls) = new_loop();
    let handle = event_loop.add_reader(&one, counting(&calls)).unwrap();
    handle.cancel();
    assert_eq!(settle(&event_loop), 0);
    assert_eq!(calls.get(), 0);
    assert!(!event_loop.remove_reader(&one).unwrap(), "its event has deregistered it");
}

#[test]
#[cfg(unix)]
fn a_number_that_is_used_again_brings_nothing_of_its_former_life() {
    use std::os::fd::{AsRawFd, IntoRawFd};
    let (event_loop, old) = new_loop();
    let new = Rc::new(Cell::new(0));
    let (near, mut far) = sockets();
    // A copy keeps the system's registration alive when the number is closed.
    let copy = near.try_clone().unwrap();
    event_loop.add_reader(&near, counting(&old)).unwrap();
    let number = near.into_raw_fd();
    let (fresh, mut fresh_far) = sockets();
    // SAFETY: both are open descriptors; `number` is this test's to replace.
    assert_eq!(unsafe { libc::dup2(fresh.as_raw_fd(), number) }, number);
    event_loop.add_reader(&number, counting(&new)).unwrap();
    far.write_all(b"to the old one").unwrap();
    turns(&event_loop, 3);
    assert_eq!((old.get(), new.get()), (0, 0));
    fresh_far.write_all(b"to the new one").unwrap();
    turns(&event_loop, 1);
    assert_eq!((old.get(), new.get()), (0, 1));
    assert!(event_loop.remove_reader(&number).unwrap());
    drop(copy);
    // SAFETY: this test's own, and not used again.
    unsafe { libc::close(number) };
}

/// As above; a socket cannot be put in another's place there, but the system
/// gives a closed one's number out again.
#[test]
#[cfg(windows)]
fn a_number_that_is_used_again_brings_nothing_of_its_former_life() {
    let (event_loop, old) = new_loop();
    let new = Rc::new(Cell::new(0));
    let (near, mut far) = sockets();
    let copy = copy(&near);
    event_loop.add_reader(&near, counting(&old)).unwrap();
    turns(&event_loop, 1);
    let former = number(&near);
    drop(near);
    let mut others = Vec::new();
    let (fresh, mut fresh_far) = loop {
        assert!(others.len() < 1000, "the number is not given out again");
        match sockets() {
            (near, far) if number(&near) == former => break (near, far),
            (near, far) if number(&far) == former => break (far, near),
            pair => others.push(pair),
        }
    };
    event_loop.add_reader(&fresh, counting(&new)).unwrap();
    far.write_all(b"to the old one").unwrap();
    turns(&event_loop, 3);
    assert_eq!((old.get(), new.get()), (0, 0));
    fresh_far.write_all(b"to the new one").unwrap();
    turns(&event_loop, 1);
    assert_eq!((old.get(), new.get()), (0, 1));
    assert!(event_loop.remove_reader(&fresh).unwrap());
    drop(copy);
}

#[test]
fn removing_and_closing_at_once_leaves_nothing() {
    let (event_loop, calls) = new_loop();
    for _ in 0..10 {
        let (near, mut far) = sockets();
        event_loop.add_reader(&near, counting(&calls)).unwrap();
        far.write_all(b"x").unwrap();
        assert!(event_loop.remove_reader(&near).unwrap());
        drop(near);
        turns(&event_loop, 1);
    }
    // Closed without being removed: a program's mistake, but nothing worse.
    let (near, _far) = sockets();
    let former = number(&near);
    event_loop.add_reader(&near, counting(&calls)).unwrap();
    drop(near);
    turns(&event_loop, 2);
    assert!(event_loop.remove_reader(&former).unwrap());
    assert_eq!(calls.get(), 0);
}

#[test]
fn a_closed_loop_adds_nothing_has_nothing_and_let_go_of_everything() {
    let (event_loop, calls) = new_loop();
    let (near, mut far) = sockets();
    let handle = event_loop.add_reader(&near, counting(&calls)).unwrap();
    far.write_all(b"x").unwrap();
    event_loop.close().unwrap();
    assert!(handle.cancelled());
    assert_eq!(Rc::strong_count(&calls), 1, "the callback is dropped");
    assert!(!event_loop.remove_reader(&near).unwrap());
    let error = event_loop.add_reader(&near, || ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot add a reader for descriptor {}: the event loop is closed", number(&near))
    );
}

#[test]
fn a_descriptor_of_our_own_streams_is_refused() {
    run(async {
        let (client, _server) = pair().await;
        let event_loop = get_running_loop().unwrap();
        let number = number(&client);
        let error = event_loop.add_reader(&client, || ()).unwrap_err();
        assert!(matches!(error.cause, WatchRefused::OwnedBySource), "{error}");
        assert!(event_loop.add_writer(&number, || ()).is_err());
        assert!(event_loop.remove_reader(&number).is_err());
        assert!(event_loop.remove_writer(&client).is_err());
        drop(client);
        assert!(!event_loop.remove_reader(&number).unwrap(), "nobody's any more");
    });
}

#[test]
fn what_the_system_cannot_wait_for_is_refused_with_its_reason() {
    let (event_loop, _calls) = new_loop();
    // On Windows the type says that a file is no socket.
    #[cfg(unix)]
    for _ in 0..2 {
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let error = event_loop.add_reader(&file, || ()).unwrap_err();
        assert!(matches!(error.cause, WatchRefused::Os(_)), "{error}");
        assert!(!event_loop.remove_reader(&file).unwrap());
    }
    for number in no_descriptors() {
        let error = event_loop.add_reader(&number, || ()).unwrap_err();
        assert!(matches!(error.cause, WatchRefused::Os(_)), "{error}");
        assert!(!event_loop.remove_reader(&number).unwrap());
    }
}

#[test]
fn callbacks_run_from_the_ready_queue_in_order_and_their_errors_are_reported() {
    let (event_loop, _calls) = new_loop();
    let log = Rc::new(RefCell::new(Vec::new()));
    let (near, mut far) = sockets();
    far.write_all(b"x").unwrap();
    let say = |what: &'static str| {
        let log = log.clone();
        move || log.borrow_mut().push(what)
    };
    let reported = log.clone();
    event_loop.set_exception_handler(Some(Rc::new(move |_event_loop, context| {
        assert_eq!(context.to_string(), "a callback failed: no luck");
        reported.borrow_mut().push("reported");
        Ok(())
    })));
    event_loop.call_soon(say("before")).unwrap();
    let (read, inner, after) = (say("read"), event_loop.clone(), log.clone());
    event_loop
        .add_reader(&near, move || {
            let (read, after) = (read.clone(), after.clone());
            read();
            let _scheduled = inner.call_soon(move || after.borrow_mut().push("scheduled by it"));
            Err("no luck")
        })
        .unwrap();
    event_loop.add_writer(&near, say("write")).unwrap();
    turns(&event_loop, 1);
    assert_eq!(*log.borrow(), ["before", "read", "reported", "write"]);
    event_loop.remove_reader(&near).unwrap();
    event_loop.remove_writer(&near).unwrap();
    turns(&event_loop, 1);
    assert_eq!(log.borrow().last(), Some(&"scheduled by it"));
}

#[test]
fn a_reader_that_panics_is_called_again() {
    let (event_loop, calls) = new_loop();
    let (near, mut far) = sockets();
    far.write_all(b"x").unwrap();
    event_loop.set_exception_handler(Some(Rc::new(|_event_loop, _context| Ok(()))));
    let counted = calls.clone();
    event_loop
        .add_reader(&near, move || {
            counted.set(counted.get() + 1);
            if counted.get() == 1 {
                panic!("the first time");
            }
        })
        .unwrap();
    turns(&event_loop, 2);
    assert_eq!(calls.get(), 2);
}

#[test]
fn a_reader_may_remove_itself_and_the_end_of_the_peer_is_readable() {
    let (event_loop, calls) = new_loop();
    let (near, far) = sockets();
    let (counted, inner, number) = (calls.clone(), event_loop.clone(), number(&near));
    event_loop
        .add_reader(&near, move || {
            counted.set(counted.get() + 1);
            inner.remove_reader(&number).map(|was| assert!(was))
        })
        .unwrap();
    drop(far);
    turns(&event_loop, 3);
    assert_eq!(calls.get(), 1);
    assert_eq!(Rc::strong_count(&calls), 1);
}

#[test]
fn a_tasks_stream_is_not_woken_by_the_event_of_a_connection_that_is_gone() {
    use molen_core::io::Interest;
    use molen_core::io::source::Source;
    run(async {
        let listener = TcpListener::bind(ANY_PORT).unwrap();
        let address = listener.local_addr().unwrap();
        let old_client = TcpStream::connect(address).await.unwrap();
        let (old, _peer) = listener.accept().await.unwrap();
        let new_client = TcpStream::connect(address).await.unwrap();
        // A copy keeps the system's registration of the old one alive.
        let copy = copy(&old);
        drop(old);
        // Takes the old one's slot in the table over.
        let (new, _peer) = listener.accept().await.unwrap();
        for _ in 0..10 {
            yield_now().await;
        }
        old_client.write_all(b"for the one that is gone").await.unwrap();
        for _ in 0..600 {
            yield_now().await;
        }
        let ready = core::future::poll_fn(|cx| {
            core::task::Poll::Ready(new.poll_ready(cx, Interest::READABLE).is_ready())
        });
        assert!(!ready.await);
        new_client.write_all(b"for this one").await.unwrap();
        assert_eq!(new.read(&mut [0; 64]).await, Ok(12));
        drop(copy);
    });
}
