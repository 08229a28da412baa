//! TLS over any connection: what is written to the connection above comes out
//! of the one below encrypted.
//!
//! ```text
//!   the program's Protocol, or a pair of streams
//!          │
//!   a connection, as every other          flow control, end, connection_lost
//!          │  its source: plaintext
//!       Channel ── TlsEngine              handshake, records, close_notify
//!          │  its protocol: ciphertext
//!   a connection, as every other          TCP, a pipe, or TLS again
//! ```
//!
//! So TLS adds no second set of rules: the connection above is an ordinary
//! one, whose source happens to be an engine, and the engine's bytes go
//! through an ordinary connection below. Over TLS it makes TLS in TLS, and a
//! connection that is open already is upgraded by giving it another protocol
//! ([`start_tls`]).
//!
//! An engine does the cryptography, and no I/O ([`TlsEngine`]). On desktops
//! that is rustls; WASI components and boards bring their own.
//!
//! What is promised:
//!
//! * **Nothing in plain text.** Nothing is written to the connection below
//!   but by the engine, from [`start_tls`] on.
//! * **Nothing injected.** What came before the handshake and was not read is
//!   taken for the beginning of the handshake, never for the program's: plain
//!   bytes that somebody slipped in behind a `STARTTLS` make the handshake fail.
//! * **An end is an end.** Without the other side's `close_notify` it is an
//!   error, [`TlsError::Truncated`] (asyncio takes it for an ordinary end).
//! * **Goodbye.** `close` writes everything, sends a `close_notify`, waits for
//!   the other side's, and only then is the connection lost. Who does not
//!   answer in time is cut off: [`TlsError::ShutdownTimeout`]. `abort` waits
//!   for nothing.
//! * There is no half-close: `can_write_eof` says no, as in asyncio. But who
//!   has received the other side's end may go on writing, if its protocol
//!   keeps the connection open (asyncio closes it).
//!
//! | file | concept |
//! |---|---|
//! | `engine` | what does the cryptography; what was agreed on |
//! | `channel` | what is between the two connections, with the state machine |
//! | `cipher` | the engine, and what it cannot take yet |
//! | `protocol`, `source` | its two faces, down and up |
//! | `start` | clients' connections, and upgrades of both sides |
//! | `server` | servers |
//! | `security` | `.tls(…)` of `create_connection`, `open_connection` and the servers |
//! | `streams` | the same for streams |
//! | `timeouts`, `error` | how long, and why not |

mod channel;
mod cipher;
mod engine;
mod error;
mod protocol;
pub(super) mod security;
mod server;
mod source;
mod start;
mod streams;
mod timeouts;

pub use engine::{ClientSide, ServerSide, TlsEngine, TlsInfo};
pub use error::{CertificateProblem, TlsError};
pub use security::{CheckedSecurity, ClientSecurity, ServerSecurity};
pub use server::{create_tls_server, start_tls_stream_server};
pub use start::{
    ConnectTls, StartTls, connect_accepted_tls, connect_tls, start_tls, start_tls_server_side,
};
pub use streams::open_tls_streams;
pub use timeouts::{HANDSHAKE_TIMEOUT, SHUTDOWN_TIMEOUT, Timeouts};
