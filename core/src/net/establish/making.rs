//! What is made of a connection.

use crate::net::protocol::Protocol;
use crate::net::streams::{ClientProtocol, ClientStreams};
use crate::net::streams::{DEFAULT_LIMIT, StreamReader, StreamWriter, client_streams};
use crate::net::transport::Transport;

/// What is made of a connection that stands: always a transport with a
/// protocol, and of that what the caller gets.
pub trait Making: 'static {
    /// Is told what happens.
    type Protocol: Protocol + 'static;
    /// What is kept until the transport is there.
    type Kept: 'static;
    /// What the caller gets.
    type Made: 'static;

    /// The protocol.
    fn begin(self) -> (Self::Protocol, Self::Kept);

    /// What the caller gets. `connection_made` was called.
    fn finish(kept: Self::Kept, transport: Transport) -> Self::Made;
}

/// Makes a transport with this protocol.
#[derive(Debug)]
pub struct WithProtocol<P>(P);

impl<P> WithProtocol<P> {
    /// With this one.
    pub fn new(protocol: P) -> WithProtocol<P> {
        WithProtocol(protocol)
    }
}

impl<P: Protocol + 'static> Making for WithProtocol<P> {
    type Protocol = P;
    type Kept = ();
    type Made = Transport;

    fn begin(self) -> (P, ()) {
        (self.0, ())
    }

    fn finish(_kept: (), transport: Transport) -> Transport {
        transport
    }
}

/// Makes a pair of streams.
#[derive(Debug)]
pub struct WithStreams {
    limit: usize,
}

impl WithStreams {
    /// How long a line may be, in bytes.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }
}

impl Default for WithStreams {
    fn default() -> WithStreams {
        WithStreams { limit: DEFAULT_LIMIT }
    }
}

impl Making for WithStreams {
    type Protocol = ClientProtocol;
    type Kept = ClientStreams;
    type Made = (StreamReader, StreamWriter);

    fn begin(self) -> (ClientProtocol, ClientStreams) {
        client_streams(self.limit)
    }

    fn finish(kept: ClientStreams, transport: Transport) -> (StreamReader, StreamWriter) {
        kept.of(&transport)
    }
}
