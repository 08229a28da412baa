//! Other programs: started, fed, read, waited for, ended.
//!
//! ```text
//!  Command ── create_subprocess_exec ──▶ Process ── stdin ───▶ WritePipe
//!                                          │ │  └── stdout ──▶ ReadPipe
//!                                          │ └───── stderr ──▶ ReadPipe
//!                                          ▼
//!               running ──── its end is noticed by the loop ────▶ reaped: returncode
//! ```
//!
//! The loop reaps a child when it ends, whether or not somebody waits, and
//! whether or not the [`Process`] is still there. It waits for the end alone:
//! not for the pipes, which a grandchild may hold open for long. How it learns of
//! the end: a pidfd on Linux, a kqueue on macOS and FreeBSD, elsewhere a thread that
//! waits for it; on Windows the system's own pool of waiting threads.
//!
//! [`create_subprocess_exec`] gives a [`Process`], for tasks: its pipes are read
//! and written by whoever awaits them, and keep nothing themselves.
//! [`subprocess_exec`] gives it to a [`SubprocessProtocol`], by transports that
//! read at once and keep what cannot be written yet. Both share how a child is
//! started and how its end is noticed; what a protocol is told, and in which
//! order, the core decides.
//!
#![cfg_attr(unix, doc = "```")]
#![cfg_attr(not(unix), doc = "```ignore")]
//! use molen_std::subprocess::{Command, Redirect, create_subprocess_exec};
//!
//! let event_loop = molen_std::new_event_loop()?;
//! let output = event_loop.run_until_complete(async {
//!     let mut cat = Command::new("cat");
//!     cat.stdin(Redirect::Pipe).stdout(Redirect::Pipe);
//!     let mut process = create_subprocess_exec(&mut cat).await?;
//!     Ok::<_, Box<dyn std::error::Error>>(process.communicate(Some(b"meow")).await?)
//! })??;
//! assert_eq!(output.stdout.as_deref(), Some(&b"meow"[..]));
//! assert!(output.status.success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `command` | what is started, and where its standard streams go |
//! | `process` | a child as its parent sees it |
//! | `communicate` | feeding it and reading it at the same time |
//! | `exit` | a child's end: noticed, reaped, told |
//! | `group` | a child and those whom it starts |
//! | `protocol` | a child as a protocol sees it |
//! | `unix`, `windows` | how the system tells of an end; signals |
//! | `orphans` | children whose loop was closed before they ended |

mod command;
mod communicate;
mod exit;
mod group;
mod orphans;
mod process;
mod process_error;
mod protocol;
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub use command::{Command, OnDrop, Redirect, create_subprocess_exec, create_subprocess_shell};
pub use communicate::Output;
pub use molen_core::net::{
    SendSignalError, SignalRefusal, StandardStream, SubprocessProtocol, SubprocessTransport,
};
pub use process::Process;
pub use process_error::{ProcessError, SpawnError, SpawnRefused};
pub use protocol::{subprocess_exec, subprocess_shell};
pub use system::returncode;
