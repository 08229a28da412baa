//! What is refused, and how the error says so.

use super::fixture::{datagrams, err, ok, real_loop, run, sockets};
use crate::case::{Failure, Outcome};
use molen::LoopRef;
use molen::io::source::SourceError;
use molen::sock::{SocketOperations, SocketRefused};
use std::io::ErrorKind;
use std::string::ToString;

#[cfg(unix)]
pub(super) fn a_blocking_socket_is_refused_by_every_operation() -> Outcome {
    use molen::sock::SendfileFallback;
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        ok(near.set_nonblocking(false))?;
        // There is something to receive and room to send: it is refused all the same.
        ok(far.send(b"x"))?;
        let address = ok(ok(far.local_addr())?.as_socket().ok_or("no address"))?;
        let file = ok(std::fs::File::open(ok(std::env::current_exe())?))?;
        let (mut one, mut two) = ([0; 8], [0; 8]);
        let fallback = SendfileFallback::ReadAndSend;
        let refused = [
            err(event_loop.sock_recv(&near, 8).await)?,
            err(event_loop.sock_recv_into(&near, &mut one).await)?,
            err(event_loop.sock_recvfrom(&near, 8).await)?,
            err(event_loop.sock_recvfrom_into(&near, &mut two, 0).await)?,
            err(event_loop.sock_sendall(&near, b"x").await)?,
            err(event_loop.sock_sendto(&near, b"x", address).await)?,
            err(event_loop.sock_connect(&near, address).await)?,
            err(event_loop.sock_accept(&near).await)?,
            err(event_loop.sock_sendfile(&near, &file, 0, None, fallback).await)?,
        ];
        for error in refused {
            check_matches!(error.cause, SocketRefused::Blocking);
            check_eq!(error.kind(), ErrorKind::InvalidInput);
            check!(error.to_string().ends_with(": it is in blocking mode"), "it says another thing");
        }
        Ok(())
    })
}

#[cfg(windows)]
pub(super) fn a_blocking_socket_is_refused_by_every_operation() -> Outcome {
    Err(Failure::Unsupported("Windows does not tell whether a socket blocks"))
}

pub(super) fn more_bytes_than_the_buffer_holds_are_refused() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (socket, _address) = datagrams()?;
        let error = err(event_loop.sock_recvfrom_into(&socket, &mut [0; 4], 5).await)?;
        check_matches!(error.cause, SocketRefused::BufferTooSmall { wanted: 5, room: 4 });
        check!(
            error.to_string().ends_with(": 5 bytes are wanted, and the buffer holds 4"),
            "it says something else"
        );
        Ok(())
    })
}

pub(super) fn a_connections_socket_is_refused() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, far) = sockets()?;
        ok(far.send(b"for the connection"))?;
        let connection = ok(molen::net::TcpStream::from_std(near.into()))?;
        #[cfg(unix)]
        // SAFETY: the connection has it open for as long as it is borrowed.
        let borrowed = unsafe {
            std::os::fd::BorrowedFd::borrow_raw(std::os::fd::AsRawFd::as_raw_fd(&connection))
        };
        #[cfg(windows)]
        // SAFETY: the connection has it open for as long as it is borrowed.
        let borrowed = unsafe {
            use std::os::windows::io::{AsRawSocket, BorrowedSocket};
            BorrowedSocket::borrow_raw(connection.as_raw_socket())
        };
        // There are bytes, which are the connection's.
        let error = err(event_loop.sock_recv(&borrowed, 100).await)?;
        check_matches!(error.cause, SocketRefused::OwnedBySource);
        check_eq!(connection.read(&mut [0; 100]).await.ok(), Some(18));
        Ok(())
    })
}

#[cfg(unix)]
pub(super) fn what_is_no_socket_is_refused_by_the_system() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (reader, _writer) = ok(std::io::pipe())?;
        let pipe = molen::sock::Socket::from(std::os::fd::OwnedFd::from(reader));
        ok(pipe.set_nonblocking(true))?;
        let error = err(event_loop.sock_recv(&pipe, 1).await)?;
        check_matches!(error.cause, SocketRefused::Os(_));
        let error = std::io::Error::from(error);
        check!(error.to_string().starts_with("cannot receive from socket "), "another error");
        Ok(())
    })
}

#[cfg(windows)]
pub(super) fn what_is_no_socket_is_refused_by_the_system() -> Outcome {
    Err(Failure::Unsupported("on Windows a socket's type says that it is one"))
}

pub(super) fn another_loops_operation_is_refused() -> Outcome {
    let other = real_loop()?;
    run(async |_event_loop: LoopRef| {
        let (near, _far) = sockets()?;
        let error = err(other.sock_recv(&near, 1).await)?;
        check_matches!(error.cause, SocketRefused::Loop(SourceError::ForeignLoop));
        Ok(())
    })
}

pub(super) fn too_much_memory_is_refused() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, _far) = sockets()?;
        for error in [
            err(event_loop.sock_recv(&near, usize::MAX).await)?,
            err(event_loop.sock_recvfrom(&near, usize::MAX).await)?,
        ] {
            check_eq!(error.kind(), ErrorKind::OutOfMemory);
        }
        Ok(())
    })
}

pub(super) fn a_loop_without_a_selector_of_the_system_refuses() -> Outcome {
    let event_loop = new_loop!();
    let (near, _far) = sockets()?;
    let result = event_loop.run_until_complete(event_loop.sock_recv(&near, 1))?;
    let error = err(result)?;
    check_matches!(error.cause, SocketRefused::Loop(SourceError::Unsupported(_)));
    check_eq!(error.kind(), ErrorKind::Unsupported);
    Ok::<(), Failure>(())
}
