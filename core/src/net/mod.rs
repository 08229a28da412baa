//! Transports, protocols and streams, written once over the non-blocking
//! sources of [`io::source`](crate::io::source).
//!
//! ```text
//!   Protocol ◀── connection_made, data_received, eof_received, pause_writing,
//!      │          resume_writing, connection_lost            (one at a time)
//!      ▼                                                           │
//!  Transport ──write, close, pause_reading──▶ Connection ──────────┘
//!                                              │      ▲
//!                              try_read, try_write   events: a Listener
//!                                              ▼      │ (or a task that waits)
//!                                    a mio socket, a WASI stream, a UART's rings
//! ```
//!
//! A [`Protocol`] is the user's: it is told what happens. A [`Transport`] is
//! the handle by which one acts. Between them is a *connection*: the source,
//! what could not be written yet, the protocol, and a state machine without
//! I/O (`machine`, with its diagram), in which every rule stands once:
//!
//! * **One at a time.** A protocol is never called from inside a call of its
//!   transport, nor while another of its calls runs. What `write`, `close` or
//!   a lowered limit has to tell it, it is told when the running callback has
//!   returned, or in the next batch.
//! * **Made first, lost last, once each.** `connection_lost` always comes from
//!   the ready queue, in the batch after the one in which the end was decided.
//!   The source is open during the call and closed after it, whatever happens.
//! * **One write-after-close rule.** A closing or lost connection drops what is
//!   written and says so in the return value; after `write_eof` it is an error.
//! * **The end is latched.** `eof_received` comes at most once.
//! * **Flow control** is in one place (`flow_control`): paused above the high
//!   mark, resumed at the low one, strictly in turns.
//!
//! A connection costs no task where its source can tell a
//! [`Listener`](crate::io::Listener) of events: an event puts the connection
//! itself in the ready queue. Sources that can only be waited for (a UART, a
//! host's pollable) are driven by a task, which runs the same code.
//!
//! | file | concept |
//! |---|---|
//! | `protocol`, `receiver` | [`Protocol`], [`BufferedProtocol`]: what is called |
//! | `transport` | [`Transport`]: what one calls |
//! | `machine`, `flow_control` | every decision, without I/O |
//! | `storage` | where unsent bytes and received ones are kept: heap, or given sizes |
//! | `owned_bytes` | what is kept and not copied: bytes with whatever owns them |
//! | `connection` | does what the machine decides |
//! | `driven` | a connection in the ready queue; driving it by a task |
//! | `hosts`, `family` | where to: names, addresses, ports |
//! | `establish` | [`Connect`] and [`Listen`]: names, happy eyeballs, several sockets |
//! | `network`, `listen_options` | [`Network`]: a platform's part of that |
//! | `connect` | from a source that stands to a transport whose protocol knows it |
//! | `pipes` | connections of one direction |
//! | `subprocess` | a program with its pipes: protocol, transport |
//! | `datagram` | endpoints of messages: protocol, transport |
//! | `server` | accepting, and knowing which connections are left |
//! | [`streams`] | reading and writing a connection from a task |
//! | `tls` | connections through TLS, if asked for |
//! | `embedded_io` | all of it under the traits of `embedded-io-async`, if asked for |
//! | `hold` | writing alone for a while, to send a file; where there are files |
//! | `unix_address` | names of Unix sockets, where there are files |
//! | `error` | why a connection was lost, or a write refused |
//! | `net_error`, `host_error` | why there is no socket; no connection with a host |

#[cfg(feature = "alloc")]
mod connect;
mod connection;
#[cfg(feature = "alloc")]
mod datagram;
mod driven;
#[cfg(feature = "embedded-io-async")]
mod embedded_io;
mod error;
#[cfg(feature = "alloc")]
mod establish;
mod family;
mod flow_control;
#[cfg(feature = "std")]
mod hold;
#[cfg(feature = "alloc")]
mod host_error;
#[cfg(feature = "alloc")]
mod hosts;
mod listen_options;
mod machine;
mod net_error;
#[cfg(feature = "alloc")]
mod network;
#[cfg(feature = "alloc")]
mod owned_bytes;
#[cfg(feature = "alloc")]
mod pipes;
mod protocol;
mod receiver;
#[cfg(feature = "alloc")]
mod server;
mod storage;
pub mod streams;
#[cfg(feature = "alloc")]
mod subprocess;
#[cfg(feature = "tls")]
pub mod tls;
mod transport;
#[cfg(feature = "std")]
mod unix_address;

#[cfg(feature = "alloc")]
pub use connect::connect_accepted_socket;
#[cfg(not(feature = "alloc"))]
pub use connection::Connection;
#[cfg(feature = "alloc")]
pub use datagram::{DatagramProtocol, DatagramTransport, SendError};
#[cfg(feature = "embedded-io-async")]
pub use embedded_io::EmbeddedIo;
#[cfg(feature = "alloc")]
pub use error::RefusedWrite;
pub use error::{ConnectionError, ProtocolError, WriteError};
#[cfg(feature = "alloc")]
pub use establish::{
    Connect, Connecting, DatagramEndpoint, DatagramNetwork, DatagramOptions, HAPPY_EYEBALLS_DELAY,
    Listen, Listening, Making, OpeningEndpoint, WithProtocol, WithStreams, anywhere_beside,
    connect_datagram_socket,
};
pub use family::Family;
pub use flow_control::{DEFAULT_HIGH_WATER, LimitsReversed, WriteBufferLimits};
#[cfg(feature = "std")]
pub use hold::{HoldRefused, WriteHold};
#[cfg(feature = "alloc")]
pub use host_error::{HostError, HostFailure, NameError};
#[cfg(feature = "alloc")]
pub use hosts::Hosts;
pub use listen_options::ListenOptions;
pub use net_error::NetError;
#[cfg(feature = "alloc")]
pub use network::{Addresses, Network};
#[cfg(feature = "alloc")]
pub use pipes::{connect_read_pipe, connect_write_pipe};
pub use protocol::{AfterEof, Answer, BufferedProtocol, Protocol, feed_data};
#[cfg(not(feature = "alloc"))]
pub use receiver::{Buffered, Receiver, Streamed};
#[cfg(feature = "alloc")]
pub use server::{ServeError, Server, Serving, Start, WithFactory};
#[cfg(feature = "alloc")]
pub use storage::READ_SIZE;
#[cfg(not(feature = "alloc"))]
pub use storage::{Fixed, Storage, Unsent};
pub use streams::{DEFAULT_LIMIT, PullReader, ReadError};
#[cfg(feature = "alloc")]
pub use streams::{StreamReader, StreamWriter, WithHandler, open_streams, start_stream_server};
#[cfg(feature = "alloc")]
pub use subprocess::{
    Child, ChildPipes, ExitWatcher, SendSignalError, SignalRefusal, StandardStream,
    SubprocessProtocol, SubprocessTransport, connect_subprocess,
};
#[cfg(feature = "alloc")]
pub use transport::WeakTransport;
pub use transport::{ExtraInfo, ExtraValue, Flow, Transport};
#[cfg(feature = "std")]
pub use unix_address::{UnixAddress, UnixAddressError};
