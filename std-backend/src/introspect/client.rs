//! Asking another process.

use super::Question;
use super::address::name_of;
use core::fmt;
use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::Stream as _;
use std::io::{self, Read, Write};

/// Why another process's tasks are not known.
#[derive(Debug)]
#[non_exhaustive]
pub enum AskError {
    /// It could not be reached.
    Unreachable {
        /// Its number.
        process: u32,
        /// The operating system's error.
        error: io::Error,
    },
    /// It answered something else; it may have another version of Molen.
    NotUnderstood {
        /// Its number.
        process: u32,
    },
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Unreachable { process, error } => write!(
                f,
                "ask process {process} for its tasks: {error} (it must live, be of the same user, and have called `molen::introspect::serve()`)"
            ),
            AskError::NotUnderstood { process } => {
                write!(f, "ask process {process} for its tasks: it answered something else")
            }
        }
    }
}

impl core::error::Error for AskError {}

/// What process number `process` says of its tasks.
///
/// It waits for the answer, for about two seconds if a loop of that process
/// does not answer.
///
/// CPython: `python -m asyncio ps PID` and `pstree PID`.
///
/// # Errors
///
/// [`AskError`].
pub fn ask(process: u32, question: Question) -> Result<String, AskError> {
    let answer =
        exchange(process, question).map_err(|error| AskError::Unreachable { process, error })?;
    match answer.strip_prefix("ok\n") {
        Some(text) => Ok(text.to_owned()),
        None => Err(AskError::NotUnderstood { process }),
    }
}

fn exchange(process: u32, question: Question) -> io::Result<String> {
    let mut stream = Stream::connect(name_of(process)?)?;
    stream.write_all(format!("{}\n", question.word()).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
