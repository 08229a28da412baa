//! What cases with sockets work with. Nothing here sleeps and hopes: turns of the loop wait for
//! their event, and give up only after a time that no event takes.

pub(super) use crate::real::ok;

use crate::case::{Failure, Outcome};
use molen::sock::{Domain, Socket, Type};
use molen::{Duration, LoopRef, SelectorEventLoop};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// Longer than any event takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Any free port of the loopback.
pub(super) const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// The error, or the case fails.
#[track_caller]
pub(super) fn err<T, E>(result: Result<T, E>) -> Result<E, Failure> {
    match result {
        Ok(_) => Err(Failure::said("it was not refused")),
        Err(error) => Ok(error),
    }
}

/// A loop with the operating system's selector, which stops if the case hangs.
#[track_caller]
pub(super) fn real_loop() -> Result<LoopRef, Failure> {
    let event_loop = ok(molen::new_event_loop())?;
    event_loop.call_later(PATIENCE, crate::fixture::stop)?;
    Ok(event_loop)
}

/// Runs an asynchronous case.
#[track_caller]
pub(super) fn run<F: Future<Output = Outcome>>(main: impl FnOnce(LoopRef) -> F) -> Outcome {
    let event_loop = real_loop()?;
    event_loop.run_until_complete(main(event_loop.clone()))?
}

/// One turn that waits for something to do.
#[track_caller]
pub(super) fn turn(event_loop: &LoopRef) -> Outcome {
    let turn = event_loop.turn(Some(PATIENCE))?;
    if turn.ran == 0 && turn.fired == 0 {
        // A wake-up for nothing, as selectors may have; or a lost event.
        let again = event_loop.turn(Some(PATIENCE))?;
        if again.ran == 0 && again.fired == 0 {
            return Err(Failure::said("there was no event"));
        }
    }
    Ok(())
}

/// Turns that do not wait, more than anything that is ready needs.
#[track_caller]
pub(super) fn settle(event_loop: &LoopRef) -> Outcome {
    for _ in 0..5 {
        event_loop.turn(Some(Duration::ZERO))?;
    }
    Ok(())
}

/// Two connected TCP sockets that do not block.
#[track_caller]
pub(super) fn sockets() -> Result<(Socket, Socket), Failure> {
    let listener = ok(TcpListener::bind(ANY_PORT))?;
    let near = ok(TcpStream::connect(ok(listener.local_addr())?))?;
    let (far, _peer) = ok(listener.accept())?;
    for socket in [&near, &far] {
        ok(socket.set_nodelay(true))?;
        ok(socket.set_nonblocking(true))?;
    }
    Ok((near.into(), far.into()))
}

/// A listening TCP socket that does not block, and its address.
#[track_caller]
pub(super) fn listener() -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = ok(TcpListener::bind(ANY_PORT))?;
    ok(listener.set_nonblocking(true))?;
    let address = ok(listener.local_addr())?;
    Ok((listener, address))
}

/// A TCP socket that does not block and is not connected.
#[track_caller]
pub(super) fn unconnected() -> Result<Socket, Failure> {
    let socket = ok(Socket::new(Domain::IPV4, Type::STREAM, None))?;
    ok(socket.set_nonblocking(true))?;
    Ok(socket)
}

/// A datagram socket that does not block, and its address.
#[track_caller]
pub(super) fn datagrams() -> Result<(std::net::UdpSocket, SocketAddr), Failure> {
    let socket = ok(std::net::UdpSocket::bind(ANY_PORT))?;
    ok(socket.set_nonblocking(true))?;
    let address = ok(socket.local_addr())?;
    Ok((socket, address))
}

/// A thread that does `work` with a socket that blocks, though not for ever.
#[track_caller]
pub(super) fn peer<R: Send + 'static>(
    socket: impl Into<TcpStream>,
    work: impl FnOnce(TcpStream) -> std::io::Result<R> + Send + 'static,
) -> Result<JoinHandle<std::io::Result<R>>, Failure> {
    let socket = socket.into();
    ok(socket.set_nonblocking(false))?;
    ok(socket.set_read_timeout(Some(PATIENCE)))?;
    ok(socket.set_write_timeout(Some(PATIENCE)))?;
    Ok(thread::spawn(move || work(socket)))
}

/// What the thread returned.
#[track_caller]
pub(super) fn join<R>(thread: JoinHandle<std::io::Result<R>>) -> Result<R, Failure> {
    match thread.join() {
        Ok(result) => ok(result),
        Err(_panic) => Err(Failure::said("the other thread panicked")),
    }
}

/// Fails if the loop still knows of `socket`: one that it does could not be taken over, as the
/// system has one registration of a descriptor.
#[track_caller]
pub(super) fn check_forgotten(event_loop: &LoopRef, socket: Socket) -> Outcome {
    check!(!ok(event_loop.remove_reader(&socket))?, "there is still a reader");
    check!(!ok(event_loop.remove_writer(&socket))?, "there is still a writer");
    let taken = event_loop
        .run_until_complete(async { molen::net::TcpStream::from_std(socket.into()).map(drop) })?;
    match taken {
        Ok(()) => Ok(()),
        Err(_registered) => Err(Failure::said("its registration is left")),
    }
}
