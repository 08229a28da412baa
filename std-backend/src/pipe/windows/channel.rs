//! A handle that bytes go through, how it is waited for and used.

use super::overlapped::Overlapped;
use super::reading::Reading;
use super::writing::Writing;
use crate::place::Place;
use core::task::{Context, Poll};
use molen_core::io::source::SourceError;
use molen_core::io::{EventListener, Ready};

/// A handle of the loop it was made in; dropping it closes the handle, once
/// what was written is with the system.
pub(in crate::pipe) struct Channel {
    way: Way,
}

pub(super) enum Way {
    Overlapped(Overlapped),
    Reading(Reading),
    Writing(Writing),
}

impl Channel {
    pub(super) fn new(way: Way) -> Channel {
        Channel { way }
    }

    fn place(&self) -> &Place {
        match &self.way {
            Way::Overlapped(end) => end.place(),
            Way::Reading(reading) => reading.place(),
            Way::Writing(writing) => writing.place(),
        }
    }

    pub(in crate::pipe) fn poll_ready(&self, cx: &mut Context<'_>, interest: Ready) -> Poll<()> {
        self.place().poll_ready(cx, interest)
    }

    pub(in crate::pipe) fn known_ready(&self) -> Ready {
        self.place().known_ready()
    }

    /// Has `listener` told of every event.
    pub(in crate::pipe) fn listen(&self, listener: Option<EventListener>) -> bool {
        self.place().listen(listener);
        true
    }

    /// Wakes whoever waits.
    pub(in crate::pipe) fn give_up(&self) {
        self.place().give_up();
    }

    /// Waits until nobody is left who could read what is written. A thread
    /// learns that by writing alone: there it waits for ever.
    pub(in crate::pipe) fn poll_reader_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.way {
            Way::Overlapped(end) => end.poll_reader_gone(cx),
            Way::Reading(_) | Way::Writing(_) => Poll::Pending,
        }
    }

    /// Reads nothing from what is written only, but finds its end: that the
    /// reader has gone.
    pub(in crate::pipe) fn read_none(&self) -> Result<usize, SourceError> {
        match &self.way {
            Way::Overlapped(end) => match end.read(&mut [0]) {
                Err(SourceError::WouldBlock) => Err(SourceError::WouldBlock),
                _ => Ok(0),
            },
            Way::Reading(_) | Way::Writing(_) => {
                self.place().clear(Ready::READABLE);
                Err(self.place().would_block())
            }
        }
    }

    /// The handle's number, where it is ours alone.
    pub(in crate::pipe) fn number(&self) -> Option<u64> {
        match &self.way {
            Way::Overlapped(end) => Some(end.number()),
            Way::Reading(_) | Way::Writing(_) => None,
        }
    }

    /// Tries to read.
    pub(in crate::pipe) fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        match &self.way {
            _ if buffer.is_empty() => Ok(0),
            Way::Overlapped(end) => end.read(buffer),
            Way::Reading(reading) => reading.read(buffer),
            // Nobody asks for that.
            Way::Writing(_) => Err(SourceError::Closed),
        }
    }

    /// Tries to write.
    pub(in crate::pipe) fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        match &self.way {
            _ if bytes.is_empty() => Ok(0),
            Way::Overlapped(end) => end.write(bytes),
            Way::Writing(writing) => writing.write(bytes),
            Way::Reading(_) => Err(SourceError::Closed),
        }
    }
}
