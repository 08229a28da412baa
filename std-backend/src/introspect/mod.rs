//! The tasks of a living process, seen from outside.
//!
//! ```text
//!   molen-ps PID ──socket──▶ a thread of the process ──call_soon_threadsafe──▶ loop
//!                ◀── text ──          │              ◀── table of its tasks ──
//!   kill -QUIT PID ──signal──▶ the same, to its standard error
//! ```
//!
//! A loop answers between two batches, so what it says is consistent; one that
//! is in a long step is said not to answer. It makes a copy of its table of
//! tasks, and all else is done by the thread.
//!
//! Without a call of [`serve`] or [`dump_on_quit`] there is no thread, no
//! socket and no signal handler.
//!
//! CPython: `python -m asyncio ps PID` and `pstree PID`, which read the other
//! process's memory instead.

mod address;
mod client;
mod loops;
#[cfg(unix)]
mod quit;
mod server;

pub use client::{AskError, ask};
#[cfg(unix)]
pub use quit::dump_on_quit;
pub use server::serve;

use core::fmt;
use molen_core::NoRunningLoop;
use std::io;

/// What is asked about a process's tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// A line for each task. asyncio: `ps`.
    Table,
    /// Trees, by who awaits whom. asyncio: `pstree`.
    Tree,
}

impl Question {
    const ALL: [Question; 2] = [Question::Table, Question::Tree];

    /// As it goes over the socket.
    fn word(self) -> &'static str {
        match self {
            Question::Table => "ps",
            Question::Tree => "pstree",
        }
    }
}

/// Why tasks are not served.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// It is the running loop that is served, and none runs on this thread.
    NoRunningLoop(NoRunningLoop),
    /// The operating system refused the socket, its folder, the thread or the
    /// signal handler.
    Io {
        /// What was being made.
        what: &'static str,
        /// The operating system's error.
        error: io::Error,
    },
}

impl ServeError {
    fn making(what: &'static str) -> impl FnOnce(io::Error) -> ServeError {
        move |error| ServeError::Io { what, error }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::NoRunningLoop(error) => write!(f, "serve the loop's tasks: {error}"),
            ServeError::Io { what, error } => write!(f, "serve the loop's tasks: {what}: {error}"),
        }
    }
}

impl core::error::Error for ServeError {}
