//! Operations that end before they are done.

use super::fixture::{
    PATIENCE, check_forgotten, err, join, listener, ok, peer, real_loop, run, settle, sockets,
    unconnected,
};
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use molen::io::source::SourceError;
use molen::sock::{Socket, SocketOperations, SocketRefused};
use molen::{Duration, LoopRef, TaskError, catch_cancel};
use std::io::Read;
use std::net::TcpStream;
use std::rc::Rc;
use std::string::ToString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

/// What was shared with a task that is gone.
fn back(socket: Rc<Socket>) -> Result<Socket, Failure> {
    Rc::try_unwrap(socket).map_err(|_shared| Failure::said("the task has the socket still"))
}

pub(super) fn a_cancelled_operation_ends_at_once_and_leaves_nothing() -> Outcome {
    let event_loop = real_loop()?;
    let (near, far) = sockets()?;
    let near = Rc::new(near);
    let (inner, socket) = (event_loop.clone(), near.clone());
    let receiving = event_loop.create_task(async move {
        let _guard = crate::fixture::OnDrop("dropped");
        drop(inner.sock_recv(&*socket, 10).await);
        event("went on");
    })?;
    settle(&event_loop)?;
    check!(receiving.cancel(), "it was done before");
    event_loop.turn(Some(Duration::ZERO))?;
    check!(receiving.done(), "it did not end in the next turn");
    check_events!["dropped"];
    check_matches!(event_loop.run_until_complete(receiving)?, Err(TaskError::Cancelled(_)));
    ok(far.send(b"for the next one"))?;
    settle(&event_loop)?;
    check_events!["dropped"];
    check_forgotten(&event_loop, back(near)?)?;

    // The same with one that notices, and with a listener.
    let (listener, address) = listener()?;
    let listener: Rc<Socket> = Rc::new(listener.into());
    let (inner, socket) = (event_loop.clone(), listener.clone());
    let accepting = event_loop.create_task(async move {
        let accepted = catch_cancel(inner.sock_accept(&*socket)).await;
        event(if accepted.is_err() { "cancelled" } else { "accepted" });
    })?;
    settle(&event_loop)?;
    check!(accepting.cancel(), "it was done before");
    event_loop.turn(Some(Duration::ZERO))?;
    check_events!["dropped", "cancelled"];
    event_loop.run_until_complete(accepting)??;
    let client = ok(TcpStream::connect(address))?;
    settle(&event_loop)?;
    check_events!["dropped", "cancelled"];
    let listener = back(listener)?;
    check_eq!(
        ok(ok(listener.accept())?.0.local_addr())?.as_socket(),
        Some(ok(client.peer_addr())?)
    );
    check_forgotten(&event_loop, listener)
}

pub(super) fn a_cancelled_accept_loses_no_connection() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (listener, address) = listener()?;
        let listener = Rc::new(listener);
        let (inner, socket) = (event_loop.clone(), listener.clone());
        let accepting =
            event_loop.create_task(async move { inner.sock_accept(&*socket).await.is_ok() })?;
        molen::yield_now().await;
        // The connection and the cancel come together: the cancel wins, and takes nothing.
        let client = ok(TcpStream::connect(address))?;
        check!(accepting.cancel(), "it was done before");
        check_matches!(accepting.await, Err(TaskError::Cancelled(_)));
        let (_peer, peers_address) = ok(event_loop.sock_accept(&*listener).await)?;
        check_eq!(peers_address.as_socket(), Some(ok(client.local_addr())?));
        Ok(())
    })
}

pub(super) fn a_cancelled_connect_ends_at_once() -> Outcome {
    let event_loop = real_loop()?;
    let (listener, address) = listener()?;
    let socket = Rc::new(unconnected()?);
    let (inner, shared) = (event_loop.clone(), socket.clone());
    let connecting =
        event_loop.create_task(async move { inner.sock_connect(&*shared, address).await.is_ok() })?;
    event_loop.turn(Some(Duration::ZERO))?;
    if connecting.done() {
        return Err(Failure::Unsupported("this system connects on the loopback at once"));
    }
    check!(connecting.cancel(), "it was done before");
    event_loop.turn(Some(Duration::ZERO))?;
    check_matches!(event_loop.run_until_complete(connecting)?, Err(TaskError::Cancelled(_)));
    // The system went on.
    ok(listener.set_nonblocking(false))?;
    let (_peer, peers_address) = ok(listener.accept())?;
    let socket = back(socket)?;
    check_eq!(ok(socket.local_addr())?.as_socket(), Some(peers_address));
    check_forgotten(&event_loop, socket)
}

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn operations_end_when_their_loop_is_closed() -> Outcome {
    let event_loop = real_loop()?;
    let (near, _far) = sockets()?;
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    // Another executor has it.
    let mut receiving = pin!(event_loop.sock_recv(&near, 10));
    check!(receiving.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "it is done");
    event_loop.close()?;
    check_eq!(count.0.load(Ordering::Relaxed), 1);
    let Poll::Ready(result) = receiving.as_mut().poll(&mut Context::from_waker(&waker)) else {
        return Err(Failure::said("it waits on"));
    };
    let error = err(result)?;
    check_matches!(error.cause, SocketRefused::Loop(SourceError::Closed));
    check!(error.to_string().ends_with(": the event loop is closed"), "it says something else");
    // And one that begins after it.
    let mut late = pin!(event_loop.sock_recv(&near, 10));
    let Poll::Ready(late) = late.as_mut().poll(&mut Context::from_waker(&waker)) else {
        return Err(Failure::said("it waits for a closed loop"));
    };
    check_matches!(err(late)?.cause, SocketRefused::Loop(SourceError::Closed));
    Ok(())
}

/// Polls a future so many times, and drops it; false when it was done before.
async fn poll_and_drop<F: Future>(future: F, polls: u32) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await {
            return false;
        }
        molen::yield_now().await;
    }
    true
}

pub(super) fn an_operation_may_be_dropped_at_every_poll() -> Outcome {
    let event_loop = real_loop()?;
    for polls in 0..4 {
        let (near, far) = sockets()?;
        let (listener, address) = listener()?;
        let (near, listener) = (Rc::new(near), Rc::new(Socket::from(listener)));
        let (inner, socket, listening) = (event_loop.clone(), near.clone(), listener.clone());
        let all = super::sending::much();
        event_loop.run_until_complete(async move {
            let dropped = poll_and_drop(inner.sock_recv(&*socket, 10), polls).await
                & poll_and_drop(inner.sock_recvfrom_into(&*socket, &mut [0; 8], 0), polls).await
                & poll_and_drop(inner.sock_accept(&*listening), polls).await
                & poll_and_drop(inner.sock_sendall(&*socket, &all), polls).await;
            check!(dropped, "it was done before");
            let other = unconnected()?;
            poll_and_drop(inner.sock_connect(&other, address), polls).await;
            Ok::<(), Failure>(())
        })??;
        let near = back(near)?;
        ok(far.send(b"hello"))?;
        ok(near.set_nonblocking(false))?;
        ok(near.set_read_timeout(Some(PATIENCE)))?;
        let mut greeting = [0; 5];
        ok((&near).read_exact(&mut greeting))?;
        check_eq!(&greeting, b"hello");
        check_forgotten(&event_loop, back(listener)?)?;
        check_forgotten(&event_loop, near)?;
        // The peer sees what was sent, and the end.
        let sent = join(peer(far, |mut far| {
            let mut all = std::vec::Vec::new();
            far.read_to_end(&mut all).map(|_count| all)
        })?)?;
        check_eq!(sent.is_empty(), polls == 0);
    }
    Ok(())
}
