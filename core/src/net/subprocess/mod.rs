//! Other programs as protocols see them: three pipes and an end.
//!
//! ```text
//!  SubprocessProtocol ◀── connection_made, pipe_data_received,   (one at a time)
//!     │                   pipe_connection_lost, process_exited,
//!     ▼                   pause_writing, connection_lost
//!  SubprocessTransport ── get_pipe_transport(stdin) ──▶ Transport ── pipe
//!     │                ── get_pipe_transport(stdout) ─▶ Transport ── pipe
//!     │                ── get_pipe_transport(stderr) ─▶ Transport ── pipe
//!     └── kill, terminate, send_signal ─▶ Child ── its end ──▶ ExitWatcher
//! ```
//!
//! A backend starts the program and brings a [`Child`], the sources of its
//! pipes, and the news of its end. The order of the calls is decided here:
//! connection_made before everything else, of each pipe its bytes before its
//! loss, and connection_lost when all pipes are lost and the program has ended,
//! in whatever order that was.
//!
//! | file | what it is |
//! |---|---|
//! | `protocol` | [`SubprocessProtocol`]: what is called |
//! | `transport` | [`SubprocessTransport`]: what one calls |
//! | `machine` | which call is due, without I/O |
//! | `pipe` | what each pipe's connection calls |
//! | `child` | [`Child`]: what a backend brings |

mod child;
mod machine;
mod pipe;
mod protocol;
mod transport;

pub use child::{Child, ExitWatcher, SendSignalError, SignalRefusal};
pub use protocol::{StandardStream, SubprocessProtocol};
pub use transport::{ChildPipes, SubprocessTransport, connect_subprocess};
