//! sendfile(2): from a file to a socket without a way through the program.
//!
//! # Invariants
//!
//! * **Both Open**: file and socket are borrowed, so their descriptors are open.
//! * **Room For One**: the place for the count is one value that outlives the call.

use crate::descriptor::AsDescriptor;
use std::fs::File;
use std::io;

/// Sends up to `count` bytes, not 0, of `file`, from its byte `offset` on; 0 at
/// its end. The file's position stays.
///
/// # Errors
///
/// [`Unsupported`](io::ErrorKind::Unsupported) where the system has no such
/// call; else the system's, and then nothing was sent.
pub(crate) fn send(
    socket: &impl AsDescriptor,
    file: &File,
    offset: u64,
    count: usize,
) -> io::Result<usize> {
    native::send(socket, file, offset, count)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod native {
    use super::*;

    pub(super) fn send(
        socket: &impl AsDescriptor,
        file: &File,
        mut offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        Ok(rustix::fs::sendfile(socket, file, Some(&mut offset), count)?)
    }
}

#[cfg(target_vendor = "apple")]
mod native {
    use super::*;
    use std::os::fd::AsRawFd;

    pub(super) fn send(
        socket: &impl AsDescriptor,
        file: &File,
        offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        let too_far = |_error| io::ErrorKind::FileTooLarge;
        let offset = libc::off_t::try_from(offset).map_err(too_far)?;
        // How many are wanted, and then how many were sent.
        let mut count = libc::off_t::try_from(count).map_err(too_far)?;
        let (file, socket) = (file.as_raw_fd(), socket.as_fd().as_raw_fd());
        let no_headers = core::ptr::null_mut();
        // SAFETY: Both Open; Room For One.
        let failed = unsafe { libc::sendfile(file, socket, offset, &mut count, no_headers, 0) };
        super::sent(failed, count)
    }
}

#[cfg(target_os = "freebsd")]
mod native {
    use super::*;
    use std::os::fd::AsRawFd;

    pub(super) fn send(
        socket: &impl AsDescriptor,
        file: &File,
        offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        let offset = libc::off_t::try_from(offset).map_err(|_error| io::ErrorKind::FileTooLarge)?;
        let mut sent = 0;
        let (file, socket) = (file.as_raw_fd(), socket.as_fd().as_raw_fd());
        let no_headers = core::ptr::null_mut();
        // SAFETY: Both Open; Room For One.
        let failed =
            unsafe { libc::sendfile(file, socket, offset, count, no_headers, &mut sent, 0) };
        super::sent(failed, sent)
    }
}

/// These systems send a part, and say that there was no room for the rest.
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
fn sent(failed: i32, count: libc::off_t) -> io::Result<usize> {
    let error = io::Error::last_os_error();
    match usize::try_from(count) {
        Ok(count) if failed == 0 || count > 0 => Ok(count),
        _ => Err(error),
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd"
)))]
mod native {
    use super::*;

    pub(super) fn send(
        _socket: &impl AsDescriptor,
        _file: &File,
        _offset: u64,
        _count: usize,
    ) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
