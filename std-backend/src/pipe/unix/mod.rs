//! Descriptors of Unix.

mod channel;

pub(super) use channel::Channel;

use super::direction::Direction;
use super::handle::{AsOpen, OwnedOpen, duplicate, number};
use super::pipe_error::{PipeError, PipeRefused};
use channel::Sharing;
use std::io;

/// A pipe for a child: our end, in whose direction it goes, and its end.
pub(crate) fn pair(direction: Direction) -> io::Result<(OwnedOpen, OwnedOpen)> {
    let (reader, writer) = io::pipe()?;
    Ok(match direction {
        Direction::In => (reader.into(), writer.into()),
        Direction::Out => (writer.into(), reader.into()),
    })
}

/// Our end of a [`pair`].
pub(super) fn open_end(end: OwnedOpen, direction: Direction) -> Result<Channel, PipeError> {
    Channel::of_pipe(end, direction)
}

/// A descriptor of the user's.
pub(super) fn open(descriptor: OwnedOpen, direction: Direction) -> Result<Channel, PipeError> {
    Channel::open(descriptor, direction, Sharing::Ours)
}

pub(super) fn stdin() -> Result<Channel, PipeError> {
    shared(&io::stdin(), Direction::In)
}

pub(super) fn stdout() -> Result<Channel, PipeError> {
    shared(&io::stdout(), Direction::Out)
}

pub(super) fn stderr() -> Result<Channel, PipeError> {
    shared(&io::stderr(), Direction::Out)
}

/// By a descriptor of our own for the same open file, so that closing it is
/// ours too.
fn shared(stream: &impl AsOpen, direction: Direction) -> Result<Channel, PipeError> {
    let copy = duplicate(stream).map_err(|error| PipeError {
        operation: direction.operation(),
        descriptor: number(stream),
        cause: PipeRefused::Os(error),
    })?;
    Channel::open(copy, direction, Sharing::Shared)
}
