//! Handles of Windows.
//!
//! ```text
//!              what it is                                how it is read and written
//!  handle ─┬─ our end of a child's pipe               ─▶ overlapped: completions come to the loop
//!          ├─ another pipe, a console, a device       ─▶ by a thread that may block
//!          ├─ the process's stdin, stdout, stderr     ─▶ by a thread, through the standard library
//!          └─ file on a disk                          ─▶ refused but as stdin, stdout, stderr
//! ```
//!
//! Windows tells of the end of an operation, not of readiness, and only for a
//! handle that was opened for that. Nobody opens anonymous pipes and consoles
//! so: there is no way but to block, in a thread.
//!
//! | file | what it is |
//! |---|---|
//! | `named_pipe` | a pipe whose one end is overlapped |
//! | `overlapped` | that end, in the selector |
//! | `thread` | a thread that may block, and the loops' sides of it |
//! | `reading`, `writing` | what such threads do |
//! | `channel` | any of them, behind one face |

mod channel;
mod named_pipe;
mod overlapped;
mod reading;
mod thread;
mod writing;

pub(super) use channel::Channel;
pub(crate) use named_pipe::pair;
pub(crate) use writing::finish_standard_streams;

use super::direction::Direction;
use super::handle::{OwnedOpen, number};
use super::pipe_error::{PipeError, PipeRefused};
use channel::Way;
use molen_core::io::source::SourceError;
use overlapped::Overlapped;
use std::fs::File;

/// Our end of a [`pair`].
pub(super) fn open_end(end: OwnedOpen, direction: Direction) -> Result<Channel, PipeError> {
    let descriptor = number(&end);
    let opened = Overlapped::open(end).map(Way::Overlapped).map(Channel::new);
    opened.map_err(|error| refused(direction, descriptor, PipeRefused::Loop(error)))
}

/// A handle of the user's.
pub(super) fn open(handle: OwnedOpen, direction: Direction) -> Result<Channel, PipeError> {
    let descriptor = number(&handle);
    let way = match named_pipe::is_on_disk(&handle) {
        true => Err(PipeRefused::NotAPipe),
        false => match direction {
            Direction::In => reading::open(File::from(handle)).map(Way::Reading),
            Direction::Out => writing::open(File::from(handle)).map(Way::Writing),
        }
        .map_err(PipeRefused::Loop),
    };
    way.map(Channel::new).map_err(|cause| refused(direction, descriptor, cause))
}

pub(super) fn stdin() -> Result<Channel, PipeError> {
    standard(Direction::In, reading::stdin().map(Way::Reading), &std::io::stdin())
}

pub(super) fn stdout() -> Result<Channel, PipeError> {
    standard(Direction::Out, writing::stdout().map(Way::Writing), &std::io::stdout())
}

pub(super) fn stderr() -> Result<Channel, PipeError> {
    standard(Direction::Out, writing::stderr().map(Way::Writing), &std::io::stderr())
}

fn standard(
    direction: Direction,
    way: Result<Way, SourceError>,
    stream: &impl super::handle::AsOpen,
) -> Result<Channel, PipeError> {
    way.map(Channel::new)
        .map_err(|error| refused(direction, number(stream), PipeRefused::Loop(error)))
}

fn refused(direction: Direction, descriptor: isize, cause: PipeRefused) -> PipeError {
    PipeError { operation: direction.operation(), descriptor, cause }
}
