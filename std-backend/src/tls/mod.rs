//! TLS by rustls: contexts, and the engine for [`molen_core::net::tls`].
//!
//! ```no_run
//! # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
//! use molen::net::{open_connection, start_server};
//! use molen::tls::{ClientContext, ServerContext};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let context = ClientContext::new()?; // verifies the server and its name
//! let (mut reader, writer) = open_connection(("example.org", 443)).tls(&context).await?;
//! writer.write(b"GET / HTTP/1.0\r\n\r\n")?;
//! let page = reader.read_to_end().await?;
//!
//! let context = ServerContext::from_pem_files("chain.pem", "key.pem")?.alpn(&["http/1.1"]);
//! let server = start_server(("", 443), async |_reader, writer| {
//!     writer.write(b"HTTP/1.0 204 No Content\r\n\r\n").map(drop)
//! });
//! server.tls(&context).await?.serve_forever().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A client verifies that the server's certificate is trusted and has the
//! server's name, unless the program brings a configuration of its own.
//!
//! The functions of cryptography are those that the program has installed as
//! the process's default (`rustls::crypto::CryptoProvider::install_default`),
//! else ring's, where the feature `tls-ring` is on.
//!
//! | file | what it is |
//! |---|---|
//! | `client_context`, `server_context` | what can be configured |
//! | `pem` | certificates and keys from text |
//! | `provider` | where the cryptography comes from |
//! | `engine` | rustls as the core's engine |
//! | `rustls_error` | rustls's errors as the core's |

mod client_context;
mod engine;
mod pem;
mod provider;
mod rustls_error;
mod server_context;

pub use client_context::ClientContext;
pub use molen_core::net::tls::*;
pub use rustls;
pub use server_context::ServerContext;
