//! Streams: reading and writing a connection from a task.
//!
//! ```text
//!  task ◀── read, readline, readuntil ── StreamReader ◀── data_received ── connection
//!  task ─── write, drain ─────────────── StreamWriter ─── write ─────────▶ transport
//! ```
//!
//! The reader's limit is a measure for both ends: a line may be so long, and
//! when twice as much has come unread, the connection is read no more until
//! what is left is within the limit again. `read` and `readexactly` know no
//! limit, so they have the connection read whatever they still need.
//!
//! A `read` that waits has the bytes put to its own buffer in its next step,
//! without their being kept in between (`unread`'s `Past`).
//!
//! | file | concept |
//! |---|---|
//! | `incoming` | finding separators in what has come, the rules of the limit |
//! | `unread` | what has come and was not read, and what is known of the end |
//! | `reader`, `writer` | the two halves, on a transport |
//! | `stream_protocol` | what is between them and the connection |
//! | `waiters` | who waits to go on writing, or for the end |
//! | `open`, `reporting` | connections and servers whose protocol is a pair of streams |
//! | `upgrade` | streams whose connection becomes another, through TLS |
//! | `pull` | a reader with a given buffer, straight from a source: no heap |

mod incoming;
#[cfg(feature = "alloc")]
mod open;
mod pull;
#[cfg(feature = "alloc")]
mod reader;
#[cfg(feature = "alloc")]
mod reporting;
#[cfg(feature = "alloc")]
mod stream_protocol;
#[cfg(feature = "alloc")]
mod unread;
#[cfg(feature = "tls")]
mod upgrade;
#[cfg(feature = "alloc")]
mod waiters;
#[cfg(feature = "alloc")]
mod writer;

pub use incoming::{DEFAULT_LIMIT, ReadError};
#[cfg(feature = "alloc")]
pub(in crate::net) use open::client_streams;
#[cfg(feature = "alloc")]
pub use open::{ClientProtocol, ClientStreams, WithHandler, open_streams, start_stream_server};
pub use pull::PullReader;
#[cfg(feature = "alloc")]
pub use reader::StreamReader;
#[cfg(feature = "tls")]
pub(crate) use upgrade::Upgrade;
#[cfg(feature = "alloc")]
pub use writer::StreamWriter;
