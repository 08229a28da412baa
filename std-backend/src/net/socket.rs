//! What every kind of socket has, as items for its `impl`s. The kinds differ in
//! what they move, and in what their addresses are.
//!
//! | macro | where | what it is |
//! |---|---|---|
//! | `shown_and_numbered!` | by itself | `Debug`, and the system's traits for its number |
//! | `readiness!` | in `impl Source` | when it is worth trying |
//! | `bytes!` | in `impl ByteSource` | bytes through a stream socket |
//!
//! All are for types whose field `socket` is a `Registered` socket of mio.

macro_rules! shown_and_numbered {
    ($socket:ty) => {
        impl core::fmt::Debug for $socket {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.socket.io().fmt(f)
            }
        }

        #[cfg(unix)]
        impl std::os::fd::AsRawFd for $socket {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                self.socket.io().as_raw_fd()
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsRawSocket for $socket {
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                self.socket.io().as_raw_socket()
            }
        }
    };
}
pub(super) use shown_and_numbered;

macro_rules! readiness {
    () => {
        #[inline]
        fn poll_ready(
            &self,
            cx: &mut core::task::Context<'_>,
            interest: molen_core::io::Interest,
        ) -> core::task::Poll<()> {
            self.socket.place().poll_ready(cx, interest)
        }

        #[inline]
        fn known_ready(&self) -> molen_core::io::Ready {
            self.socket.place().known_ready()
        }

        fn listen(&self, listener: Option<molen_core::io::EventListener>) -> bool {
            self.socket.place().listen(listener);
            true
        }

        fn descriptor(&self) -> Option<u64> {
            crate::descriptor::number(self.socket.io())
        }
    };
}
pub(super) use readiness;

macro_rules! bytes {
    () => {
        #[inline]
        fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
            self.socket.transfer(Ready::READABLE, buffer.len(), |mut io| io.read(buffer))
        }

        #[inline]
        fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
            self.socket.transfer(Ready::WRITABLE, bytes.len(), |mut io| io.write(bytes))
        }

        fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
            crate::net::pieces::vectored(pieces, |wanted, slices| {
                self.socket.transfer(Ready::WRITABLE, wanted, |mut io| io.write_vectored(slices))
            })
        }

        #[cfg(unix)]
        fn try_sendfile(
            &self,
            file: &std::fs::File,
            offset: u64,
            count: usize,
        ) -> Result<usize, SourceError> {
            crate::net::sendfile::try_sendfile(&self.socket, file, offset, count)
        }

        fn shutdown(&self) -> Result<(), SourceError> {
            match self.socket.io().shutdown(std::net::Shutdown::Write) {
                // The other side was faster: nothing more can be written either way.
                Err(error) if error.kind() == std::io::ErrorKind::NotConnected => Ok(()),
                done => done.map_err(|error| crate::source_error::source_error(&error)),
            }
        }
    };
}
pub(super) use bytes;
