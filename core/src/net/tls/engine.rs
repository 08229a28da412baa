//! What does the cryptography: an engine without I/O, and what makes one.

use super::error::TlsError;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// One side of one TLS connection, without I/O: bytes go in and out by calls.
///
/// ```text
///  from the other side ── receive ──▶ ┌────────┐ ── read ──▶ plaintext
///                                     │ engine │
///    to the other side ◀─ transmit ── └────────┘ ◀─ write ── plaintext
/// ```
///
/// asyncio: `SSLObject` with its two `MemoryBIO`s.
pub trait TlsEngine {
    /// Takes the start of what came from the other side, and returns how many
    /// bytes. Fewer than all: what was [read](Self::read) out of them has to be
    /// taken first; then it is given the rest. May leave something to
    /// [transmit](Self::transmit), also when it fails.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: the connection cannot go on.
    fn receive(&mut self, ciphertext: &[u8]) -> Result<usize, TlsError>;

    /// Takes plaintext out, up to the buffer's length; 0 when none is there.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: the connection cannot go on.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TlsError>;

    /// Encrypts the start of `pieces`, one after the other, to be
    /// [transmitted](Self::transmit), and returns how many bytes. Only called
    /// when the handshake is done.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: the connection cannot go on.
    fn write(&mut self, pieces: &[&[u8]]) -> Result<usize, TlsError>;

    /// Calls `send` with everything that is to go to the other side.
    fn transmit(&mut self, send: &mut dyn FnMut(&[&[u8]]));

    /// Has a `close_notify` transmitted: nothing more will be written.
    fn close_notify(&mut self);

    /// Whether the other side's `close_notify` came.
    fn is_peer_closed(&self) -> bool;

    /// Whether the handshake is still going on.
    fn is_handshaking(&self) -> bool;

    /// What was agreed on; asked once, when the handshake is done.
    fn info(&self) -> TlsInfo;
}

/// Makes engines for the client's side.
///
/// asyncio: an `SSLContext` for clients.
pub trait ClientSide {
    /// An engine for a connection to the server of this name, which it sends
    /// (SNI) and which the server's certificate has to have. An address, as
    /// text, is a name too.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: there can be no server of such a name.
    fn client_engine(&self, server_hostname: &str) -> Result<Box<dyn TlsEngine>, TlsError>;
}

/// Makes engines for the server's side.
///
/// asyncio: an `SSLContext` for servers.
pub trait ServerSide {
    /// An engine for a connection that a client begins.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: the configuration cannot be used.
    fn server_engine(&self) -> Result<Box<dyn TlsEngine>, TlsError>;
}

/// What two sides agreed on.
///
/// asyncio: what can be asked of an `SSLObject`.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsInfo {
    /// The protocol's version, such as `TLSv1.3`. asyncio: `version()`.
    pub version: &'static str,
    /// The cipher suite's name in the standard, such as
    /// `TLS13_AES_256_GCM_SHA384`. asyncio: `cipher()`.
    pub cipher: &'static str,
    /// The application's protocol that was agreed on, such as `h2`.
    ///
    /// asyncio: `selected_alpn_protocol()`.
    pub alpn_protocol: Option<Vec<u8>>,
    /// The server's name: which it was asked for (client), or which the client
    /// asked for (server; SNI). asyncio: `server_hostname`.
    pub server_hostname: Option<String>,
    /// The other side's certificates, DER, its own first; none when it showed
    /// none. asyncio: `getpeercert(binary_form=True)`.
    pub peer_certificates: Vec<Vec<u8>>,
}
