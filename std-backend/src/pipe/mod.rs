//! Pipes, terminals and the like as sources of bytes in one direction.
//!
//! ```text
//!              what it is                          how it is read and written
//!  fd ─┬─ pipe, stream socket                    ─▶ non-blocking; a short read has emptied it
//!      ├─ terminal, other character device       ─▶ non-blocking; line by line
//!      ├─ the process's own stdin, stdout, …     ─▶ as it is; `poll` is asked before each call
//!      └─ file on a disk                         ─▶ always ready; refused but as stdin, stdout, …
//! ```
//!
//! The standard streams are shared with other processes, the shell that started
//! this one among them. Making them non-blocking would make them so for all of
//! them, and leave them so. So that is not done: the system is asked first, and
//! then no more is moved than it said there is room for.
//!
//! ```
//! use molen_core::create_task;
//! use molen_std::pipe::{ReadPipe, WritePipe};
//!
//! let event_loop = molen_std::new_event_loop()?;
//! event_loop.run_until_complete(async {
//!     let (reader, writer) = std::io::pipe()?;
//!     let (reader, writer) = (ReadPipe::new(reader)?, WritePipe::new(writer)?);
//!     let writing = create_task(async move { writer.write_all(b"through a pipe").await })?;
//!     let mut bytes = Vec::new();
//!     reader.read_to_end(&mut bytes).await?;
//!     assert_eq!(bytes, b"through a pipe");
//!     writing.await??;
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })??;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `unix`, `windows` | a descriptor or handle, how it is waited for and used |
//! | `read_pipe`, `write_pipe` | its two faces |
//! | `handle`, `direction` | what the system calls it, and which way it goes |
//! | `standard` | the process's standard streams |
//!
//! [`connect_read_pipe`] and [`connect_write_pipe`] are the core's, for sources
//! of any backend.

pub(crate) mod direction;
pub(crate) mod handle;
mod pipe_error;
mod read_pipe;
mod standard;
#[cfg(unix)]
#[path = "unix/mod.rs"]
pub(crate) mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
pub(crate) mod system;
mod write_pipe;

pub use molen_core::net::{connect_read_pipe, connect_write_pipe};
pub use pipe_error::{PipeError, PipeRefused};
pub use read_pipe::ReadPipe;
pub use standard::{stderr, stdin, stdout};
pub use write_pipe::WritePipe;
