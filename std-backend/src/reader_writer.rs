//! `add_reader` and its family: callbacks for descriptors of any kind.

use core::fmt;
use molen_core::io::source::SourceError;
use molen_core::schedule::{CallbackResult, EventLoop, Handle};
use std::io;

use crate::descriptor::{AsRawDescriptor, RawDescriptor, raw};
use crate::selector::{StdSelector, no_descriptors_here};
use crate::watches::{Half, Refused};

/// What a loop over a selector of the operating system can do besides.
///
/// asyncio: `SelectorEventLoop`, of which these are methods.
///
/// Levels, not edges: a callback is called again in the next turn for as long
/// as its descriptor is ready. It runs from the ready queue like any other
/// callback, may return a `Result` whose error goes to the exception handler,
/// and may be spurious: read without blocking.
///
/// Remove a descriptor before closing it. On Windows descriptors are sockets, of any kind; other
/// handles have no readiness there that could be waited for, and are refused by their type.
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::SelectorEventLoop;
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let event_loop = molen::new_event_loop()?;
/// let (mut near, mut far) = UnixStream::pair()?;
/// far.write_all(b"!")?;
/// let (stop, number) = (event_loop.clone(), std::os::fd::AsRawFd::as_raw_fd(&near));
/// event_loop.add_reader(&number, move || {
///     stop.stop();
///     near.read_exact(&mut [0])
/// })?;
/// event_loop.run_forever()?;
/// assert!(event_loop.remove_reader(&number)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SelectorEventLoop {
    /// Has `callback` called whenever `descriptor` can be read, is at its end,
    /// or has an error. A reader that it had before is cancelled; a writer
    /// stays.
    ///
    /// asyncio: `loop.add_reader()`.
    ///
    /// # Errors
    ///
    /// [`WatchError`], when the loop is closed or not one of this crate's,
    /// when the descriptor belongs to one of this crate's sources, and when the
    /// system cannot wait for it (a file on a disk, a number that is not open).
    fn add_reader<D, F, R>(&self, descriptor: &D, callback: F) -> Result<Handle, WatchError>
    where
        D: AsRawDescriptor + ?Sized,
        F: FnMut() -> R + 'static,
        R: CallbackResult;

    /// Has `callback` called whenever `descriptor` can be written, or has an
    /// error. A writer that it had before is cancelled; a reader stays.
    ///
    /// asyncio: `loop.add_writer()`.
    ///
    /// # Errors
    ///
    /// As [`add_reader`](Self::add_reader).
    fn add_writer<D, F, R>(&self, descriptor: &D, callback: F) -> Result<Handle, WatchError>
    where
        D: AsRawDescriptor + ?Sized,
        F: FnMut() -> R + 'static,
        R: CallbackResult;

    /// Cancels the reader; whether there was one. asyncio: `loop.remove_reader()`.
    ///
    /// # Errors
    ///
    /// When the descriptor belongs to one of this crate's sources.
    fn remove_reader<D>(&self, descriptor: &D) -> Result<bool, WatchError>
    where
        D: AsRawDescriptor + ?Sized;

    /// Cancels the writer; whether there was one. asyncio: `loop.remove_writer()`.
    ///
    /// # Errors
    ///
    /// As [`remove_reader`](Self::remove_reader).
    fn remove_writer<D>(&self, descriptor: &D) -> Result<bool, WatchError>
    where
        D: AsRawDescriptor + ?Sized;
}

/// Why a descriptor is not watched.
#[derive(Debug)]
pub struct WatchError {
    /// What was asked for, such as "add a reader for".
    pub operation: &'static str,
    /// The descriptor.
    pub descriptor: RawDescriptor,
    /// Why it was refused.
    pub cause: WatchRefused,
}

/// Why the loop does not watch a descriptor.
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchRefused {
    /// The loop is closed, has no selector of this crate, or no room.
    Loop(SourceError),
    /// One of the loop's own sources uses it.
    OwnedBySource,
    /// The operating system's reason.
    Os(io::Error),
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} descriptor {}: ", self.operation, self.descriptor)?;
        match &self.cause {
            WatchRefused::Loop(SourceError::Closed) => f.write_str("the event loop is closed"),
            WatchRefused::Loop(error) => error.fmt(f),
            WatchRefused::OwnedBySource => {
                f.write_str("one of the event loop's own sources uses it")
            }
            WatchRefused::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WatchError {}

impl SelectorEventLoop for EventLoop {
    fn add_reader<D, F, R>(&self, descriptor: &D, callback: F) -> Result<Handle, WatchError>
    where
        D: AsRawDescriptor + ?Sized,
        F: FnMut() -> R + 'static,
        R: CallbackResult,
    {
        add(self, "add a reader for", Half::Reader, raw(descriptor), callback)
    }

    fn add_writer<D, F, R>(&self, descriptor: &D, callback: F) -> Result<Handle, WatchError>
    where
        D: AsRawDescriptor + ?Sized,
        F: FnMut() -> R + 'static,
        R: CallbackResult,
    {
        add(self, "add a writer for", Half::Writer, raw(descriptor), callback)
    }

    fn remove_reader<D>(&self, descriptor: &D) -> Result<bool, WatchError>
    where
        D: AsRawDescriptor + ?Sized,
    {
        remove(self, "remove the reader of", Half::Reader, raw(descriptor))
    }

    fn remove_writer<D>(&self, descriptor: &D) -> Result<bool, WatchError>
    where
        D: AsRawDescriptor + ?Sized,
    {
        remove(self, "remove the writer of", Half::Writer, raw(descriptor))
    }
}

fn add<F, R>(
    event_loop: &EventLoop,
    operation: &'static str,
    half: Half,
    descriptor: RawDescriptor,
    callback: F,
) -> Result<Handle, WatchError>
where
    F: FnMut() -> R + 'static,
    R: CallbackResult,
{
    let refuse = |cause| WatchError { operation, descriptor, cause };
    let Some(selector) = StdSelector::of(event_loop) else {
        let error = SourceError::Unsupported(no_descriptors_here("watching a descriptor"));
        return Err(refuse(WatchRefused::Loop(error)));
    };
    let callback = event_loop
        .standing_callback(callback)
        .map_err(|_closed| refuse(WatchRefused::Loop(SourceError::Closed)))?;
    let handle = callback.handle(event_loop);
    selector.watch(descriptor, half, callback).map_err(|refused| {
        refuse(match refused {
            Refused::OwnedBySource => WatchRefused::OwnedBySource,
            Refused::Source(error) => WatchRefused::Loop(error),
            Refused::Os(error) => WatchRefused::Os(error),
        })
    })?;
    Ok(handle)
}

fn remove(
    event_loop: &EventLoop,
    operation: &'static str,
    half: Half,
    descriptor: RawDescriptor,
) -> Result<bool, WatchError> {
    let Some(selector) = StdSelector::of(event_loop) else {
        return Ok(false);
    };
    if selector.is_claimed(descriptor) {
        return Err(WatchError { operation, descriptor, cause: WatchRefused::OwnedBySource });
    }
    Ok(selector.unwatch(descriptor, half))
}
