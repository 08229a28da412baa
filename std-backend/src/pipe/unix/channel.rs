//! A descriptor that bytes go through, how it is waited for and used.

use crate::net::pieces::vectored;
use crate::pipe::direction::Direction;
use crate::pipe::pipe_error::{PipeError, PipeRefused};
use crate::registered::Registered;
use crate::selector::StdSelector;
use core::task::{Context, Poll};
use mio::unix::SourceFd;
use mio::{Registry, Token};
use molen_core::io::source::SourceError;
use molen_core::io::{EventListener, Ready};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Who else uses the open file that the descriptor stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sharing {
    /// Nobody: it may be made non-blocking.
    Ours,
    /// Other processes, which must not find it changed.
    Shared,
}

/// What a call that moved less than was asked for tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ShortCall {
    /// That there is nothing more, or no more room, now.
    Exhausted,
    /// Nothing: a terminal gives a line at a time, a message socket a message.
    Nothing,
}

struct End {
    file: File,
    short_call: ShortCall,
    sharing: Sharing,
}

impl AsRawFd for End {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl mio::event::Source for End {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).register(registry, token, interest)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).reregister(registry, token, interest)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).deregister(registry)
    }
}

impl End {
    /// How many of `wanted` bytes may be moved without blocking.
    fn room(&self, direction: Direction, wanted: usize) -> io::Result<usize> {
        if self.sharing == Sharing::Ours {
            return Ok(wanted);
        }
        let flags = match direction {
            Direction::In => PollFlags::IN,
            Direction::Out => PollFlags::OUT,
        };
        let mut asked = [PollFd::new(&self.file, flags)];
        if poll(&mut asked, Some(&Timespec::default()))? == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        // That it can be written means that so much can be.
        Ok(if direction == Direction::Out { wanted.min(libc::PIPE_BUF) } else { wanted })
    }
}

/// A descriptor of the loop it was made in; dropping it closes the descriptor.
pub(in crate::pipe) struct Channel {
    way: Way,
    direction: Direction,
}

enum Way {
    /// The selector tells when it is ready.
    Waited(Registered<End>),
    /// It is ready all the time: a file, `/dev/null`.
    Always(File),
}

impl Channel {
    pub(super) fn open(
        descriptor: OwnedFd,
        direction: Direction,
        sharing: Sharing,
    ) -> Result<Channel, PipeError> {
        let number = descriptor.as_raw_fd();
        Channel::register(descriptor, direction, sharing).map_err(|cause| PipeError {
            operation: direction.operation(),
            descriptor: number,
            cause,
        })
    }

    /// Our end of a pipe that was just made: nobody else has it, and nothing
    /// is set, so the system need not be asked what it is.
    pub(super) fn of_pipe(end: OwnedFd, direction: Direction) -> Result<Channel, PipeError> {
        let number = end.as_raw_fd();
        let register = || {
            let selector = StdSelector::running("using a pipe").map_err(PipeRefused::Loop)?;
            fcntl_setfl(&end, OFlags::NONBLOCK).map_err(|error| PipeRefused::Os(error.into()))?;
            let end =
                End { file: end.into(), short_call: ShortCall::Exhausted, sharing: Sharing::Ours };
            Registered::for_interest(selector, end, interest(direction), ready(direction))
                .map_err(PipeRefused::Loop)
        };
        match register() {
            Ok(end) => Ok(Channel { way: Way::Waited(end), direction }),
            Err(cause) => {
                Err(PipeError { operation: direction.operation(), descriptor: number, cause })
            }
        }
    }

    fn register(
        descriptor: OwnedFd,
        direction: Direction,
        sharing: Sharing,
    ) -> Result<Channel, PipeRefused> {
        let os = |error: rustix::io::Errno| PipeRefused::Os(error.into());
        let selector = StdSelector::running("using a pipe").map_err(PipeRefused::Loop)?;
        let kind = FileType::from_raw_mode(fstat(&descriptor).map_err(os)?.st_mode);
        let waits = matches!(kind, FileType::Fifo | FileType::Socket | FileType::CharacterDevice);
        if !waits && sharing == Sharing::Ours {
            return Err(PipeRefused::NotAPipe);
        }
        if !waits {
            return Ok(Channel { way: Way::Always(descriptor.into()), direction });
        }
        let flags = fcntl_getfl(&descriptor).map_err(os)?;
        if sharing == Sharing::Ours {
            fcntl_setfl(&descriptor, flags | OFlags::NONBLOCK).map_err(os)?;
        }
        let again = if sharing == Sharing::Shared { descriptor.try_clone().ok() } else { None };
        let short_call = match sharing {
            Sharing::Ours => short_call(kind, flags, &descriptor),
            // Less is asked for than there may be room for.
            Sharing::Shared => ShortCall::Nothing,
        };
        let end = End { file: descriptor.into(), short_call, sharing };
        let registered =
            Registered::for_interest(selector, end, interest(direction), ready(direction));
        match (registered, again) {
            (Ok(end), _) => Ok(Channel { way: Way::Waited(end), direction }),
            // Devices without a queue cannot be waited for, and need not be.
            (Err(SourceError::Os(libc::EPERM)), Some(device)) => {
                Ok(Channel { way: Way::Always(device.into()), direction })
            }
            (Err(error), _) => Err(PipeRefused::Loop(error)),
        }
    }

    pub(in crate::pipe) fn poll_ready(&self, cx: &mut Context<'_>, interest: Ready) -> Poll<()> {
        match &self.way {
            Way::Waited(end) => end.place().poll_ready(cx, interest),
            Way::Always(_) => Poll::Ready(()),
        }
    }

    pub(in crate::pipe) fn known_ready(&self) -> Ready {
        match &self.way {
            Way::Waited(end) => end.place().known_ready(),
            Way::Always(_) => ready(self.direction),
        }
    }

    /// Has `listener` told of every event; false if there are none.
    pub(in crate::pipe) fn listen(&self, listener: Option<EventListener>) -> bool {
        match &self.way {
            Way::Waited(end) => {
                end.place().listen(listener);
                true
            }
            Way::Always(_) => false,
        }
    }

    /// Waits until nobody is left who could read what is written.
    pub(in crate::pipe) fn poll_reader_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.way {
            Way::Waited(end) => end.poll_reader_gone(cx),
            Way::Always(_) => Poll::Pending,
        }
    }

    /// Whether nobody is left who could read what is written.
    pub(in crate::pipe) fn is_reader_gone(&self) -> bool {
        match &self.way {
            Way::Waited(end) => end.is_reader_gone(),
            Way::Always(_) => false,
        }
    }

    /// Reads nothing from what is written only: it would block until the
    /// reader has gone.
    pub(in crate::pipe) fn read_none(&self) -> Result<usize, SourceError> {
        if self.is_reader_gone() {
            return Ok(0);
        }
        if let Way::Waited(end) = &self.way {
            end.place().clear(Ready::READABLE);
        }
        Err(SourceError::WouldBlock)
    }

    /// The descriptor.
    pub(in crate::pipe) fn number(&self) -> Option<u64> {
        u64::try_from(self.as_fd().as_raw_fd()).ok()
    }

    /// Wakes whoever waits.
    pub(in crate::pipe) fn give_up(&self) {
        if let Way::Waited(end) = &self.way {
            end.place().give_up();
        }
    }

    /// Tries to read.
    pub(in crate::pipe) fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.transfer(buffer.len(), |mut file, room| file.read(&mut buffer[..room]))
    }

    /// Tries to write.
    pub(in crate::pipe) fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.transfer(bytes.len(), |mut file, room| file.write(&bytes[..room]))
    }

    /// Tries to write several pieces with one call.
    pub(in crate::pipe) fn write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        vectored(pieces, |wanted, slices| {
            self.transfer(wanted, |mut file, room| match slices.first() {
                Some(first) if room < wanted => file.write(&first[..room.min(first.len())]),
                _ => file.write_vectored(slices),
            })
        })
    }

    /// Tries to move `wanted` bytes, or fewer if `operation` is told so.
    fn transfer(
        &self,
        wanted: usize,
        mut operation: impl FnMut(&File, usize) -> io::Result<usize>,
    ) -> Result<usize, SourceError> {
        if wanted == 0 {
            return Ok(0);
        }
        let ready = ready(self.direction);
        match &self.way {
            Way::Waited(end) => {
                let exhausts = end.io().short_call == ShortCall::Exhausted;
                let mut move_some =
                    |end: &End| operation(&end.file, end.room(self.direction, wanted)?);
                if exhausts {
                    end.transfer(ready, wanted, move_some)
                } else {
                    end.attempt(ready, &mut move_some)
                }
            }
            Way::Always(file) => loop {
                match operation(file, wanted) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    done => return done.map_err(|error| crate::source_error::source_error(&error)),
                }
            },
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // The descriptor may be one of several for the same open file, and the
        // others live on.
        if let Way::Waited(end) = &mut self.way {
            end.deregister();
        }
    }
}

fn ready(direction: Direction) -> Ready {
    match direction {
        Direction::In => Ready::READABLE,
        Direction::Out => Ready::WRITABLE,
    }
}

fn interest(direction: Direction) -> mio::Interest {
    match direction {
        Direction::In => mio::Interest::READABLE,
        Direction::Out => mio::Interest::WRITABLE,
    }
}

fn short_call(kind: FileType, flags: OFlags, descriptor: &OwnedFd) -> ShortCall {
    // On a pipe it means packets.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let packets = flags.contains(OFlags::DIRECT);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let packets = {
        let _ = flags;
        false
    };
    let is_stream = || {
        let socket = socket2::SockRef::from(descriptor);
        matches!(socket.r#type(), Ok(socket2::Type::STREAM))
    };
    match kind {
        FileType::Fifo if !packets => ShortCall::Exhausted,
        FileType::Socket if is_stream() => ShortCall::Exhausted,
        _ => ShortCall::Nothing,
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match &self.way {
            Way::Waited(end) => end.io().file.as_fd(),
            Way::Always(file) => file.as_fd(),
        }
    }
}
