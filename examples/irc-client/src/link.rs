//! What to connect to, and how.

use crate::Arguments;
use molen::net::{HostError, Hosts, StreamReader, StreamWriter, open_connection};
use molen::tls::ClientContext;
use molen::{Duration, to_thread};
use std::error::Error;

/// Where servers are without encryption.
const PORT: u16 = 6667;

/// Where they are with it (RFC 7194).
const TLS_PORT: u16 = 6697;

/// A server, and who may say that it is it.
pub struct Link {
    server: Hosts,
    tls: Option<ClientContext>,
    timeout: Duration,
}

impl Link {
    pub async fn new(arguments: &Arguments) -> Result<Link, Box<dyn Error>> {
        let port = if arguments.tls { TLS_PORT } else { PORT };
        let tls = match (arguments.tls, &arguments.ca) {
            (false, _) => None,
            // The system may have hundreds of them, in files.
            (true, None) => Some(to_thread(ClientContext::new).await??),
            (true, Some(file)) => {
                let pem = std::fs::read(file).map_err(|error| {
                    format!("cannot read the certificates in {}: {error}", file.display())
                })?;
                let trusted = ClientContext::with_roots_pem(pem).map_err(|error| {
                    format!("cannot trust the certificates in {}: {error}", file.display())
                })?;
                Some(trusted)
            }
        };
        let server = Hosts::with_default_port(&arguments.server, port);
        Ok(Link { server, tls, timeout: arguments.timeout })
    }

    /// Connects.
    pub async fn connect(&self) -> Result<(StreamReader, StreamWriter), HostError> {
        let connection = open_connection(self.server.clone()).timeout(self.timeout);
        match &self.tls {
            Some(context) => connection.tls(context).await,
            None => connection.await,
        }
    }
}
