//! Buffers that the system fills.
//!
//! # Invariants of the unsafe code
//!
//! Both are promises of `socket2`, in the documentation of `Socket::recv` and `recv_from`:
//!
//! - **filled**: when it returns a number, so many bytes at the beginning of the buffer were
//!   written; it is never more than the buffer's length.
//! - **only bytes**: nothing uninitialised is ever written to the buffer.

use core::mem::MaybeUninit;
use socket2::{SockAddr, Socket};
use std::io;

/// Makes room for `room` bytes.
pub(super) fn buffer(room: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    // The number may be a program's mistake, and is no reason to abort.
    buffer.try_reserve_exact(room).map_err(|_no_memory| io::ErrorKind::OutOfMemory)?;
    Ok(buffer)
}

/// Receives up to `room` bytes into a buffer that has room for them.
pub(super) fn recv(socket: &Socket, buffer: &mut Vec<u8>, room: usize) -> io::Result<()> {
    append(buffer, room, |spare| socket.recv(spare).map(|count| (count, ())))
}

/// As [`recv`], and from whom.
pub(super) fn recv_from(
    socket: &Socket,
    buffer: &mut Vec<u8>,
    room: usize,
) -> io::Result<SockAddr> {
    append(buffer, room, |spare| socket.recv_from(spare))
}

/// `receive` is one of the two above.
fn append<T>(
    buffer: &mut Vec<u8>,
    room: usize,
    receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<(usize, T)>,
) -> io::Result<T> {
    let spare = buffer.spare_capacity_mut();
    let room = room.min(spare.len());
    let (count, other) = receive(&mut spare[..room])?;
    let length = buffer.len() + count;
    // SAFETY: filled.
    unsafe { buffer.set_len(length) };
    Ok(other)
}

/// Receives into bytes that have a value already.
pub(super) fn recv_from_into(socket: &Socket, buffer: &mut [u8]) -> io::Result<(usize, SockAddr)> {
    // SAFETY: the same bytes, for as long as they are borrowed; only bytes.
    let buffer = unsafe { &mut *(core::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) };
    socket.recv_from(buffer)
}
