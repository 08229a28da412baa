//! What sending files over sockets and over transports has in common.
//!
//! ```text
//!  by the system ──all sent──▶ done
//!      │ refused, and nothing was sent yet
//!      ▼
//!  read in the executor ─▶ send ─▶ read … ─▶ done
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `progress` | how much was sent, and the file's position |
//! | `system` | the system's own call, where it has one |
//! | `reading` | a piece after the other, read in the executor |

mod progress;
mod reading;
mod system;

pub(crate) use progress::Progress;
pub(crate) use reading::Reading;
pub(crate) use system::send;

use std::io::{self, ErrorKind};

/// What to do about a file that the system does not send by itself.
///
/// asyncio: the argument `fallback` of `loop.sendfile()` and
/// `loop.sock_sendfile()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SendfileFallback {
    /// Read it in the loop's default executor, and send what was read.
    #[default]
    ReadAndSend,
    /// Fail, saying that it is not available.
    Refuse,
}

/// How much one system call may send: the loop's other work has a turn in between.
pub(crate) const PORTION: usize = 1 << 20;

/// Whether it is about the connection, and not about the file.
pub(crate) fn is_the_sockets(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
            | ErrorKind::TimedOut
    )
}
