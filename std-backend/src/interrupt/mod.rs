//! Ctrl-C while the main future of a runner runs.
//!
//! ```text
//!           main begins              first                  second
//!   default ───────────▶ watching ─────────▶ main is asked ────────▶ the process
//!      ▲                    │                 to end │               ends
//!      └───── main ends ────┴────────────────────────┘
//! ```
//!
//! The first Ctrl-C cancels the main task, which may clean up, or refuse. The
//! second ends the process at once, as if nobody had watched: a program that
//! hangs, be it in a computation that never gives the loop a turn, must obey
//! to it. (asyncio's raises `KeyboardInterrupt` wherever the program is; there is
//! no such thing in Rust.) After the main future has ended, and so while a runner
//! clears up, each Ctrl-C ends the process.
//!
//! `run` ends with [`RunError::Interrupted`] only if the main task was cancelled
//! because of Ctrl-C and nothing else. A main future that catches the cancel and
//! goes on to its end returns its value.
//!
//! It is left alone, as in asyncio,
//! * where SIGINT has a handler or is ignored already,
//! * on other threads than the process's first, which std names `main`,
//! * with a backend that is not molen-std's, which could not be woken.
//!
//! | file | what it is |
//! |---|---|
//! | `press` | what a signal handler and the loop share |
//! | `unix`, `windows` | being told by the system, and ending as it would |
//!
//! asyncio: `Runner._on_sigint`.

mod press;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::end_process;

use crate::selector::StdSelector;
use molen_core::{LoopRef, RunError};
use press::Listening;
use std::cell::{Cell, RefCell};
