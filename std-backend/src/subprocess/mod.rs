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
//! the end is a descriptor that becomes readable then: a pidfd on Linux,
//! elsewhere a pipe that a waiting thread closes.
//!
//! ```
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
//! | `exit_notice` | the descriptor that tells of it |
//! | `orphans` | children whose loop was closed before they ended |

mod command;
mod communicate;
mod exit;
mod exit_notice;
mod orphans;
mod process;
mod process_error;

pub use command::{Command, OnDrop, Redirect, create_subprocess_exec, create_subprocess_shell};
pub use communicate::Output;
pub use process::{Process, returncode};
pub use process_error::{ProcessError, SpawnError, SpawnRefused};
