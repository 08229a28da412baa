//! What putting and getting end with when it is not what was wanted.

use core::fmt;

/// [`put_nowait`](super::QueueOf::put_nowait) was refused; the item comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PutNowaitError<T> {
    /// The queue is full. asyncio: `QueueFull`.
    Full(T),
    /// The queue was shut down. asyncio: `QueueShutDown`.
    ShutDown(T),
}

impl<T> PutNowaitError<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::ShutDown(item) => item,
        }
    }
}

/// [`put`](super::QueueOf::put) was refused because the queue was shut down;
/// the item comes back. asyncio: `QueueShutDown`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T>(pub T);

/// [`get_nowait`](super::QueueOf::get_nowait) has nothing to return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GetNowaitError {
    /// The queue is empty. asyncio: `QueueEmpty`.
    Empty,
    /// The queue was shut down and is empty. asyncio: `QueueShutDown`.
    ShutDown,
}

/// The queue was shut down and is empty. asyncio: `QueueShutDown`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GetError;

/// [`task_done`](super::QueueOf::task_done) was called more often than items
/// were put. asyncio: `ValueError`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooManyDone;

const PUT_SHUT_DOWN: &str = "cannot put into the queue: it was shut down";
const GET_SHUT_DOWN: &str = "cannot get from the queue: it was shut down and is empty";

impl<T> fmt::Debug for PutNowaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::ShutDown(_) => "ShutDown(..)",
        })
    }
}

impl<T> fmt::Display for PutNowaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "cannot put into the queue: it is full",
            Self::ShutDown(_) => PUT_SHUT_DOWN,
        })
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PutError(..)")
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PUT_SHUT_DOWN)
    }
}

impl fmt::Display for GetNowaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "cannot get from the queue: it is empty",
            Self::ShutDown => GET_SHUT_DOWN,
        })
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GET_SHUT_DOWN)
    }
}

impl fmt::Display for TooManyDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot mark an item of the queue as done: all that were put are done already")
    }
}

impl<T> core::error::Error for PutNowaitError<T> {}
impl<T> core::error::Error for PutError<T> {}
impl core::error::Error for GetNowaitError {}
impl core::error::Error for GetError {}
impl core::error::Error for TooManyDone {}
