//! A pipe of which one end is overlapped, for us, and the other is not, for a
//! child: anonymous pipes cannot be so, named ones can.
//!
//! The name is made up, tried until it is new, and gone with the first end: the
//! second is opened at once, and there can be no third, nor one on another
//! machine.
//!
//! # Invariants
//!
//! * **Owned Alone**: a handle that was just made belongs to nobody else.

use crate::pipe::direction::Direction;
use crate::pipe::handle::OwnedOpen;
use mio::windows::NamedPipe;
use std::fs::OpenOptions;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle};
use std::ptr::null;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_TYPE_DISK, GetFileType,
    PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

/// What the system keeps of what was written and not read.
const BUFFER: u32 = 64 << 10;

/// How many names are tried: each is random, so the first is new.
const TRIES: usize = 8;

/// A pipe for a child: our end, in whose direction it goes, and its end.
pub(crate) fn pair(direction: Direction) -> io::Result<(OwnedOpen, OwnedOpen)> {
    let (name, ours) = create()?;
    let mut options = OpenOptions::new();
    match direction {
        Direction::In => options.write(true),
        Direction::Out => options.read(true),
    };
    Ok((ours, options.open(name)?.into()))
}

fn create() -> io::Result<(String, OwnedOpen)> {
    let mut tries = 0;
    loop {
        let random = RandomState::new().build_hasher().finish();
        let name = format!(r"\\.\pipe\molen-{}-{random:016x}", std::process::id());
        match create_named(&name) {
            Err(error) if is_taken(&error) && tries < TRIES => tries += 1,
            created => return created.map(|ours| (name, ours)),
        }
    }
}

fn is_taken(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    matches!(code, Some(ERROR_ACCESS_DENIED | ERROR_PIPE_BUSY))
}

fn create_named(name: &str) -> io::Result<OwnedOpen> {
    let wide: Vec<u16> = name.encode_utf16().chain([0]).collect();
    // In both directions, though bytes go in one: a read of what is only
    // written ends when the reader has gone.
    let access = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED;
    let mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    // SAFETY: the name ends with a zero and lives through the call; no
    // security attributes are given, so children do not inherit it.
    let handle =
        unsafe { CreateNamedPipeW(wide.as_ptr(), access, mode, 1, BUFFER, BUFFER, 0, null()) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: Owned Alone.
    Ok(unsafe { OwnedOpen::from_raw_handle(handle) })
}

/// The overlapped end of a pair, as mio has them.
pub(super) fn into_mio(end: OwnedOpen) -> NamedPipe {
    // SAFETY: it is given up here, and is a named pipe opened for overlapped I/O.
    unsafe { NamedPipe::from_raw_handle(end.into_raw_handle()) }
}

/// Whether it is a file on a disk.
pub(super) fn is_on_disk(handle: &OwnedOpen) -> bool {
    // SAFETY: the handle is open.
    unsafe { GetFileType(handle.as_raw_handle()) == FILE_TYPE_DISK }
}
