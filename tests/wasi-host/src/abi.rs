//! The records of preview 1 that cross the boundary, as bytes and as Rust values. All little endian.
//!
//! | subscription (48 B, align 8) | event (32 B, align 8) | fdstat (24 B) | prestat (8 B) |
//! |---|---|---|---|
//! | 0 userdata u64 | 0 userdata u64 | 0 filetype u8 | 0 tag u8 (0 directory) |
//! | 8 tag u8 | 8 errno u16 | 2 flags u16 | 4 name length u32 |
//! | 16 clock id u32, or fd u32 | 10 type u8 | 8 rights u64 | |
//! | 24 timeout u64 (ns) | 16 nbytes u64 | 16 inheriting u64 | |
//! | 32 precision u64 | 24 flags u16 (1 hangup) | | |
//! | 40 flags u16 (1 absolute) | | | |

use crate::errno::Errno;

pub(crate) const SUBSCRIPTION_SIZE: u32 = 48;
pub(crate) const EVENT_SIZE: u32 = 32;
pub(crate) const FDSTAT_SIZE: u32 = 24;

pub(crate) const CLOCK_REALTIME: u32 = 0;
pub(crate) const CLOCK_MONOTONIC: u32 = 1;

pub(crate) const FDFLAG_APPEND: u16 = 1;
pub(crate) const FDFLAG_NONBLOCK: u16 = 4;

pub(crate) const RIFLAG_PEEK: u16 = 1;
pub(crate) const RIFLAG_WAITALL: u16 = 2;

pub(crate) const SHUTDOWN_READ: u8 = 1;
pub(crate) const SHUTDOWN_WRITE: u8 = 2;

const RIGHT_FD_READ: u64 = 1 << 1;
const RIGHT_FD_WRITE: u64 = 1 << 6;
const RIGHT_POLL: u64 = 1 << 27;
const RIGHT_SHUTDOWN: u64 = 1 << 28;

/// Everything a socket can do.
pub(crate) const SOCKET_RIGHTS: u64 = RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_POLL | RIGHT_SHUTDOWN;
/// What wasi-common says a socket can do (0x42), though it polls and shuts down all the same.
pub(crate) const SOCKET_RIGHTS_UNDERSTATED: u64 = RIGHT_FD_READ | RIGHT_FD_WRITE;

/// The kind of a descriptor, as `fd_fdstat_get` reports it.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Filetype {
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketStream = 6,
}

/// When a clock subscription asks to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// This many nanoseconds after the call.
    Relative(u64),
    /// When the clock shows this many nanoseconds.
    Absolute(u64),
}

/// What a subscription waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// A clock.
    Clock {
        /// 0 realtime, 1 monotonic, 2 process CPU time, 3 thread CPU time.
        id: u32,
        /// When.
        timeout: Timeout,
        /// The permitted lateness in nanoseconds, which this host ignores.
        precision: u64,
    },
    /// Bytes, a connection or the end of input at a descriptor.
    Read {
        /// The descriptor.
        fd: u32,
    },
    /// Room for output at a descriptor.
    Write {
        /// The descriptor.
        fd: u32,
    },
}

impl Interest {
    /// The descriptor, or `None` for a clock.
    #[must_use]
    pub fn fd(self) -> Option<u32> {
        match self {
            Interest::Clock { .. } => None,
            Interest::Read { fd } | Interest::Write { fd } => Some(fd),
        }
    }

    pub(crate) fn kind(self) -> EventKind {
        match self {
            Interest::Clock { .. } => EventKind::Clock,
            Interest::Read { .. } => EventKind::Read,
            Interest::Write { .. } => EventKind::Write,
        }
    }
}

/// One entry of the list that the guest hands to `poll_oneoff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// The guest's mark, given back in the event.
    pub userdata: u64,
    /// What it waits for.
    pub interest: Interest,
}

fn u32_at(record: &[u8], offset: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[offset..offset + 4]);
    u32::from_le_bytes(bytes)
}

fn u64_at(record: &[u8], offset: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&record[offset..offset + 8]);
    u64::from_le_bytes(bytes)
}

impl Subscription {
    /// Reads a record of [`SUBSCRIPTION_SIZE`] bytes; an unknown tag or flag is `EINVAL`.
    pub(crate) fn decode(record: &[u8]) -> Result<Subscription, Errno> {
        let interest = match record[8] {
            0 => {
                let value = u64_at(record, 24);
                let timeout = match u16::from_le_bytes([record[40], record[41]]) {
                    0 => Timeout::Relative(value),
                    1 => Timeout::Absolute(value),
                    _ => return Err(Errno::Inval),
                };
                Interest::Clock { id: u32_at(record, 16), timeout, precision: u64_at(record, 32) }
            }
            1 => Interest::Read { fd: u32_at(record, 16) },
            2 => Interest::Write { fd: u32_at(record, 16) },
            _ => return Err(Errno::Inval),
        };
        Ok(Subscription { userdata: u64_at(record, 0), interest })
    }
}

/// The `type` of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A clock reached its time, says the host.
    Clock = 0,
    /// A descriptor is readable, says the host.
    Read = 1,
    /// A descriptor is writable, says the host.
    Write = 2,
}

/// Whether the host says that the other end hung up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Hangup {
    /// The flag is clear.
    No = 0,
    /// The flag is set.
    Yes = 1,
}

/// One entry of the list that `poll_oneoff` gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The mark of the subscription.
    pub userdata: u64,
    /// The error of this one subscription.
    pub errno: Errno,
    /// What the subscription waited for.
    pub kind: EventKind,
    /// How many bytes can be read or written, says the host.
    pub nbytes: u64,
    /// Whether the other end hung up, says the host.
    pub hangup: Hangup,
}

impl Event {
    pub(crate) fn encode(&self) -> [u8; EVENT_SIZE as usize] {
        let mut record = [0; EVENT_SIZE as usize];
        record[0..8].copy_from_slice(&self.userdata.to_le_bytes());
        record[8..10].copy_from_slice(&self.errno.code().to_le_bytes());
        record[10] = self.kind as u8;
        record[16..24].copy_from_slice(&self.nbytes.to_le_bytes());
        record[24..26].copy_from_slice(&(self.hangup as u16).to_le_bytes());
        record
    }
}

pub(crate) fn encode_fdstat(
    filetype: Filetype,
    flags: u16,
    rights: u64,
) -> [u8; FDSTAT_SIZE as usize] {
    let mut record = [0; FDSTAT_SIZE as usize];
    record[0] = filetype as u8;
    record[2..4].copy_from_slice(&flags.to_le_bytes());
    record[8..16].copy_from_slice(&rights.to_le_bytes());
    record[16..24].copy_from_slice(&rights.to_le_bytes());
    record
}
