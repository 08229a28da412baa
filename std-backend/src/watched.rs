//! A descriptor of the user's in mio's selector: registered, but not owned.
//!
//! mio has `SourceFd` for this on Unix. On Windows it registers its own socket types only, so the
//! user's socket is lent to one of them, which asks the system about readiness and does nothing
//! else with it.
//!
//! # Invariants of the unsafe code
//!
//! - **lent**: the socket's number is never closed here: the mio socket made of it is only ever
//!   taken apart by `into_raw_socket`, which gives the number up.
//! - **no I/O**: nothing is read, written or set through it, so which kind of socket it really is,
//!   and whether it is still open, does not matter: the system answers a query about a number
//!   that is no socket, or none any more, with an error.

use crate::descriptor::RawDescriptor;
use mio::{Interest, Registry, Token};
use std::io;

pub(crate) use kind::Watched;

#[cfg(unix)]
mod kind {
    use super::{Interest, RawDescriptor, Registry, Token, io};
    use mio::event::Source;
    use mio::unix::SourceFd;

    /// A registration, or one that is to be.
    pub(crate) struct Watched {
        fd: RawDescriptor,
    }

    impl Watched {
        /// The system says so when a number that was registered is another descriptor's now.
        pub(crate) const REUSE_IS_NOTICED: bool = true;

        pub(crate) fn new(fd: RawDescriptor) -> io::Result<Watched> {
            Ok(Watched { fd })
        }

        pub(crate) fn register(
            &self,
            registry: &Registry,
            token: Token,
            interest: Interest,
        ) -> io::Result<()> {
            SourceFd(&self.fd).register(registry, token, interest)
        }

        pub(crate) fn reregister(
            &self,
            registry: &Registry,
            token: Token,
            interest: Interest,
        ) -> io::Result<()> {
            SourceFd(&self.fd).reregister(registry, token, interest)
        }

        pub(crate) fn deregister(&self, registry: &Registry) -> io::Result<()> {
            SourceFd(&self.fd).deregister(registry)
        }

        /// Whether `error` says that the system knows of no registration.
        pub(crate) fn is_unknown(error: &io::Error) -> bool {
            error.raw_os_error() == Some(libc::ENOENT)
        }
    }
}

#[cfg(windows)]
mod kind {
    use super::{Interest, RawDescriptor, Registry, Token, io};
    use core::cell::RefCell;
    use mio::event::Source;
    use mio::net::UdpSocket;
    use std::os::windows::io::{FromRawSocket, IntoRawSocket};

    /// What stands for "no socket" in Windows' interfaces, and must not be made one.
    const INVALID_SOCKET: RawDescriptor = RawDescriptor::MAX;

    /// A registration, or one that is to be.
    pub(crate) struct Watched {
        /// `None` only while it is dropped.
        socket: RefCell<Option<UdpSocket>>,
    }

    impl Watched {
        /// A closed socket just stays silent, so one that took its number over must be registered
        /// anew.
        pub(crate) const REUSE_IS_NOTICED: bool = false;

        pub(crate) fn new(number: RawDescriptor) -> io::Result<Watched> {
            if number == INVALID_SOCKET {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            // SAFETY: not the invalid socket; lent, no I/O.
            let socket = unsafe { UdpSocket::from_raw_socket(number) };
            let watched = Watched { socket: RefCell::new(Some(socket)) };
            // Not all versions of Wine say when mio registers it that a number is no socket.
            watched.with(|socket| socket2::SockRef::from(&*socket).r#type().map(|_type| ()))?;
            Ok(watched)
        }

        fn with(&self, f: impl FnOnce(&mut UdpSocket) -> io::Result<()>) -> io::Result<()> {
            self.socket.borrow_mut().as_mut().map_or(Ok(()), f)
        }

        pub(crate) fn register(
            &self,
            registry: &Registry,
            token: Token,
            interest: Interest,
        ) -> io::Result<()> {
            self.with(|socket| socket.register(registry, token, interest))
        }

        pub(crate) fn reregister(
            &self,
            registry: &Registry,
            token: Token,
            interest: Interest,
        ) -> io::Result<()> {
            self.with(|socket| socket.reregister(registry, token, interest))
        }

        pub(crate) fn deregister(&self, registry: &Registry) -> io::Result<()> {
            self.with(|socket| socket.deregister(registry))
        }

        /// Whether `error` says that the system knows of no registration.
        pub(crate) fn is_unknown(error: &io::Error) -> bool {
            error.kind() == io::ErrorKind::NotFound
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            if let Some(socket) = self.socket.take() {
                // Lent: whoever owns the number closes it.
                let _number = socket.into_raw_socket();
            }
        }
    }
}
