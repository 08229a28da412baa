//! Who is at the other end of a Unix socket.
//!
//! # Invariants
//!
//! * **Open Now**: a number that a transport tells is that of an open
//!   descriptor until the loop's thread does something else.

use molen_core::net::{ExtraInfo, ExtraValue, Transport};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// On whose behalf the other end of a Unix socket was made. The system says
/// so, and nobody can lie about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The user, as the process had it when it connected or listened.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The process; only Linux says which. It may be gone, and its number used again.
    pub pid: Option<i32>,
}

impl PeerCredentials {
    /// Of the other end of `transport`'s connection, if it is one of Unix sockets.
    ///
    /// asyncio's programs ask the socket:
    /// `get_extra_info('socket').getsockopt(SOL_SOCKET, SO_PEERCRED, …)`.
    ///
    /// # Errors
    ///
    /// The operating system's; [`NotConnected`](io::ErrorKind::NotConnected) when
    /// the connection is over or has no socket.
    pub fn of(transport: &Transport) -> io::Result<PeerCredentials> {
        let Some(ExtraValue::Descriptor(number)) = transport.get_extra_info(ExtraInfo::Socket)
        else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let number = i32::try_from(number).map_err(|_none| io::ErrorKind::NotConnected)?;
        // SAFETY: Open Now; and it was an unsigned number, so it is not -1.
        peer_credentials(unsafe { BorrowedFd::borrow_raw(number) })
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn peer_credentials(socket: impl AsFd) -> io::Result<PeerCredentials> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    Ok(PeerCredentials {
        uid: peer.uid.as_raw(),
        gid: peer.gid.as_raw(),
        pid: Some(peer.pid.as_raw_nonzero().get()),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn peer_credentials(socket: impl AsFd) -> io::Result<PeerCredentials> {
    use std::os::fd::AsRawFd;
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the descriptor is open while it is borrowed, and both places are
    // there to be written to.
    let failed = unsafe { libc::getpeereid(socket.as_fd().as_raw_fd(), &mut uid, &mut gid) };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(PeerCredentials { uid, gid, pid: None })
}
