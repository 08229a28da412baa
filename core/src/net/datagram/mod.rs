//! Datagrams: messages that arrive whole, or not at all.
//!
//! ```text
//!  connection_made ( datagram_received | error_received | pause_writing resume_writing )* connection_lost
//! ```
//!
//! An endpoint lives on whatever happens to a message: that nobody listens
//! where one was sent to, or that one was too long, is told to
//! `error_received`. Its life and flow control are those of stream
//! connections, decided by the same machine.
//!
//! | file | concept |
//! |---|---|
//! | `protocol` | [`DatagramProtocol`]: what is called |
//! | `transport` | [`DatagramTransport`]: what one calls |
//! | `endpoint` | does what the machine decides |

mod endpoint;
mod protocol;
mod transport;

pub use protocol::DatagramProtocol;
pub use transport::{DatagramTransport, SendError};
