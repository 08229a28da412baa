//! Sockets of the standard library, whose numbers a program passes to `add_reader`.

#![allow(dead_code)]

use std::os::raw::c_int;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// Two connected sockets that do not block.
pub fn sockets() -> (Socket, Socket) {
    let (near, far) = connected();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// No descriptor: one that no system gives out, and one that none has given out.
pub fn no_descriptors() -> [Number; 2] {
    [NO_NUMBER, unused_number(c_int::MAX)]
}

#[cfg(unix)]
mod unix {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

    pub use std::os::unix::net::UnixStream as Socket;
    pub type Number = RawFd;
    pub const NO_NUMBER: Number = -1;

    pub fn unused_number(number: i32) -> Number {
        number
    }

    pub fn connected() -> (Socket, Socket) {
        Socket::pair().unwrap()
    }

    pub fn number(of: &impl AsRawFd) -> Number {
        of.as_raw_fd()
    }

    /// Another descriptor of the same thing.
    pub fn copy(of: &impl AsRawFd) -> OwnedFd {
        // SAFETY: it is open for as long as `of` is borrowed.
        unsafe { BorrowedFd::borrow_raw(of.as_raw_fd()) }.as_fd().try_clone_to_owned().unwrap()
    }
}

#[cfg(windows)]
mod windows {
    use std::net::{TcpListener, TcpStream};
    use std::os::windows::io::{AsRawSocket, BorrowedSocket, OwnedSocket, RawSocket};

    pub type Socket = TcpStream;

    /// A raw socket does not name itself there, as a raw descriptor does on Unix.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Number(RawSocket);

    impl AsRawSocket for Number {
        fn as_raw_socket(&self) -> RawSocket {
            self.0
        }
    }

    impl std::fmt::Display for Number {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }

    pub const NO_NUMBER: Number = Number(RawSocket::MAX);

    pub fn unused_number(number: i32) -> Number {
        Number(number as RawSocket)
    }

    pub fn connected() -> (Socket, Socket) {
        let listener = TcpListener::bind(super::super::ANY_PORT).unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _peer) = listener.accept().unwrap();
        far.set_nodelay(true).unwrap();
        (near, far)
    }

    pub fn number(of: &impl AsRawSocket) -> Number {
        Number(of.as_raw_socket())
    }

    /// Another descriptor of the same thing.
    pub fn copy(of: &impl AsRawSocket) -> OwnedSocket {
        // SAFETY: it is open for as long as `of` is borrowed.
        unsafe { BorrowedSocket::borrow_raw(of.as_raw_socket()) }.try_clone_to_owned().unwrap()
    }
}
