//! rustls as the core's engine.

use super::rustls_error::tls_error;
use core::fmt;
use molen_core::net::tls::{TlsEngine, TlsError, TlsInfo};
use rustls::{ClientConnection, Connection, ProtocolVersion, ServerConnection};
use std::io::{self, ErrorKind, IoSlice, Read, Write};

/// How much plaintext waits to be read until nothing more is taken in. rustls
/// has the same limit, and does not say when it is reached.
const UNREAD: usize = 16 * 1024;

/// How many pieces go through without an allocation.
const PIECES: usize = 64;

pub(super) struct RustlsEngine {
    connection: Connection,
    /// On the client's side.
    server_hostname: Option<String>,
    /// How much plaintext waits to be read.
    unread: usize,
    is_peer_closed: bool,
}

impl RustlsEngine {
    pub(super) fn client(mut connection: ClientConnection, name: &str) -> RustlsEngine {
        // What is given to it is transmitted at once, so that nothing stays in it.
        connection.set_buffer_limit(None);
        RustlsEngine::new(connection.into(), Some(name.to_owned()))
    }

    pub(super) fn server(mut connection: ServerConnection) -> RustlsEngine {
        connection.set_buffer_limit(None);
        RustlsEngine::new(connection.into(), None)
    }

    fn new(connection: Connection, server_hostname: Option<String>) -> RustlsEngine {
        RustlsEngine { connection, server_hostname, unread: 0, is_peer_closed: false }
    }

    fn failed(&self, error: rustls::Error) -> TlsError {
        tls_error(error, self.server_hostname.as_deref())
    }

    /// rustls hands its errors through `io::Error` too.
    fn failed_io(&self, error: io::Error) -> TlsError {
        let why = error.to_string().into();
        match error.downcast::<rustls::Error>() {
            Ok(error) => self.failed(error),
            Err(_other) => TlsError::Protocol { why },
        }
    }
}

impl TlsEngine for RustlsEngine {
    fn receive(&mut self, ciphertext: &[u8]) -> Result<usize, TlsError> {
        if self.unread > UNREAD || self.is_peer_closed {
            return Ok(0);
        }
        let taken =
            self.connection.read_tls(&mut { ciphertext }).map_err(|error| self.failed_io(error))?;
        let state = self.connection.process_new_packets().map_err(|error| self.failed(error))?;
        self.unread = state.plaintext_bytes_to_read();
        self.is_peer_closed = state.peer_has_closed();
        Ok(taken)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TlsError> {
        if self.unread == 0 || buffer.is_empty() {
            return Ok(0);
        }
        match self.connection.reader().read(buffer) {
            Ok(count) => {
                self.unread = self.unread.saturating_sub(count);
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(self.failed_io(error)),
        }
    }

    fn write(&mut self, pieces: &[&[u8]]) -> Result<usize, TlsError> {
        let mut slices = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()).take(PIECES) {
            slices[count] = IoSlice::new(piece);
            count += 1;
        }
        let written = match &slices[..count] {
            [] => Ok(0),
            [one] => self.connection.writer().write(one),
            several => self.connection.writer().write_vectored(several),
        };
        written.map_err(|error| self.failed_io(error))
    }

    fn transmit(&mut self, send: &mut dyn FnMut(&[&[u8]])) {
        let mut sink = Sink(send);
        while self.connection.wants_write() {
            // The sink takes everything; an error is not its.
            if self.connection.write_tls(&mut sink).is_err() {
                return;
            }
        }
    }

    fn close_notify(&mut self) {
        self.connection.send_close_notify();
    }

    fn is_peer_closed(&self) -> bool {
        self.is_peer_closed
    }

    fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    fn info(&self) -> TlsInfo {
        let mut info = TlsInfo::default();
        info.version = match self.connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "",
        };
        let suite = self.connection.negotiated_cipher_suite();
        info.cipher = suite.and_then(|suite| suite.suite().as_str()).unwrap_or("");
        info.alpn_protocol = self.connection.alpn_protocol().map(<[u8]>::to_vec);
        info.server_hostname = match &self.connection {
            Connection::Client(_) => self.server_hostname.clone(),
            Connection::Server(server) => server.server_name().map(str::to_owned),
        };
        let certificates = self.connection.peer_certificates().unwrap_or(&[]);
        info.peer_certificates = certificates.iter().map(|der| der.to_vec()).collect();
        info
    }
}

impl fmt::Debug for RustlsEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}

/// Takes whatever rustls has to say.
struct Sink<'a>(&'a mut dyn FnMut(&[&[u8]]));

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(&[bytes]);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut pieces: [&[u8]; PIECES] = [&[]; PIECES];
        let mut count = 0;
        for (place, slice) in pieces.iter_mut().zip(slices) {
            *place = slice;
            count += 1;
        }
        let pieces = &pieces[..count];
        (self.0)(pieces);
        Ok(pieces.iter().map(|piece| piece.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
