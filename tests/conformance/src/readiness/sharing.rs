//! Several that use one socket at the same time.

use super::fixture::{check_forgotten, join, ok, peer, real_loop, run, settle, sockets, turn};
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use molen::sock::{Socket, SocketOperations};
use molen::{LoopRef, SelectorEventLoop, Task};
use std::io::{Read, Write};
use std::rc::Rc;
use std::vec;

/// A task that receives one byte, and notes it.
fn receive_one(
    event_loop: &LoopRef,
    socket: &Rc<Socket>,
    names: &'static [(&'static [u8], &'static str)],
) -> Result<Task<Outcome>, Failure> {
    let (inner, socket) = (event_loop.clone(), socket.clone());
    let receiving = event_loop.create_task(async move {
        let byte = ok(inner.sock_recv(&*socket, 1).await)?;
        let name = names.iter().find(|(bytes, _name)| *bytes == &byte[..]);
        event(name.map_or("something else", |(_bytes, name)| name));
        Ok(())
    })?;
    Ok(receiving)
}

pub(super) fn one_receives_while_another_sends() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        let near = Rc::new(near);
        let all = super::sending::much();
        let length = all.len();
        let thread = peer(far, move |mut far| {
            let mut received = vec![0; length];
            far.read_exact(&mut received)?;
            far.write_all(b"!")?;
            Ok(received)
        })?;
        let receiving = receive_one(&event_loop, &near, &[(b"!", "answer")])?;
        molen::yield_now().await;
        ok(event_loop.sock_sendall(&*near, &all).await)?;
        event("sent");
        receiving.await??;
        check_events!["sent", "answer"];
        check!(join(thread)? == all, "something else was received");
        Ok(())
    })
}

pub(super) fn two_receive_on_one_socket() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let near = Rc::new(near);
    let one = receive_one(&event_loop, &near, &[(b"a", "first a"), (b"b", "first b")])?;
    let two = receive_one(&event_loop, &near, &[(b"a", "second a"), (b"b", "second b")])?;
    settle(&event_loop)?;
    ok(far.send(b"a"))?;
    turn(&event_loop)?;
    settle(&event_loop)?;
    // Who comes too late waits on.
    check_events!["first a"];
    ok(far.send(b"b"))?;
    event_loop.run_until_complete(one)???;
    event_loop.run_until_complete(two)???;
    check_events!["first a", "second b"];
    match Rc::try_unwrap(near) {
        Ok(near) => check_forgotten(&event_loop, near),
        Err(_shared) => Err(Failure::said("a task has the socket still")),
    }
}

pub(super) fn a_cancelled_operation_leaves_the_others() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        let near = Rc::new(near);
        let cancelled = receive_one(&event_loop, &near, &[])?;
        let other = receive_one(&event_loop, &near, &[(b"x", "received")])?;
        let (inner, socket) = (event_loop.clone(), near.clone());
        let sending = event_loop.create_task(async move {
            let all = super::sending::much();
            ok(inner.sock_sendall(&*socket, &all).await)?;
            event("sent");
            Ok::<usize, Failure>(all.len())
        })?;
        molen::yield_now().await;
        check!(cancelled.cancel(), "it was done before");
        molen::yield_now().await;
        check!(cancelled.done(), "it did not end at once");
        ok(far.send(b"x"))?;
        other.await??;
        check_events!["received"];
        let thread = peer(far, |mut far| {
            let mut all = vec::Vec::new();
            far.read_to_end(&mut all).map(|_count| all.len())
        })?;
        let length = sending.await??;
        check_events!["received", "sent"];
        drop(near);
        check_eq!(join(thread)?, length);
        Ok(())
    })
}

pub(super) fn a_reader_and_a_receiver_do_not_rob_each_other() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let near = Rc::new(near);
    let receiving = receive_one(&event_loop, &near, &[(b"x", "received")])?;
    settle(&event_loop)?;
    ok(event_loop.add_reader(&*near, || event("readable")))?;
    ok(far.send(b"xy"))?;
    turn(&event_loop)?;
    check!(ok(event_loop.remove_reader(&*near))?, "the reader is gone");
    event_loop.run_until_complete(receiving)???;
    check_events!["readable", "received"];
    // The reader stays when the receiver comes after it, and is done before it.
    ok(event_loop.add_reader(&*near, || event("readable")))?;
    let receiving = receive_one(&event_loop, &near, &[(b"y", "received at once")])?;
    event_loop.run_until_complete(receiving)???;
    check!(ok(event_loop.remove_reader(&*near))?, "the reader is gone");
    crate::fixture::test().log.clear();
    let receiving = receive_one(&event_loop, &near, &[(b"z", "received")])?;
    ok(event_loop.add_reader(&*near, || event("readable")))?;
    settle(&event_loop)?;
    check!(receiving.cancel(), "there was nothing to receive");
    settle(&event_loop)?;
    ok(far.send(b"z"))?;
    turn(&event_loop)?;
    check_events!["readable"];
    Ok(())
}

pub(super) fn removing_a_reader_leaves_a_receiver() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let near = Rc::new(near);
    ok(event_loop.add_reader(&*near, || event("readable")))?;
    let receiving = receive_one(&event_loop, &near, &[(b"x", "received")])?;
    settle(&event_loop)?;
    check!(ok(event_loop.remove_reader(&*near))?, "there was no reader");
    check!(!ok(event_loop.remove_reader(&*near))?, "the receiver is no reader");
    ok(far.send(b"x"))?;
    event_loop.run_until_complete(receiving)???;
    check_events!["received"];
    Ok(())
}
