//! TCP, UDP and Unix sockets that belong to a loop, transports and streams over them.
//!
//! What Windows lacks, Unix sockets, is there all the same and says so when it is used:
//! [`Unsupported`](molen_core::Unsupported).
//!
//! ```
//! # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
//! use molen::create_task;
//! use molen::net::{TcpListener, TcpStream};
//!
//! let event_loop = molen::new_event_loop()?;
//! event_loop.run_until_complete(async {
//!     let listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
//!     let address = listener.local_addr()?;
//!     let greeter = create_task(async move {
//!         let (client, _address) = listener.accept().await?;
//!         client.write_all(b"hello\n").await
//!     })?;
//!     let server = TcpStream::connect(address).await?;
//!     let mut line = [0; 16];
//!     assert_eq!(server.read(&mut line).await?, 6);
//!     greeter.await??;
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })??;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod connect;
mod datagram_endpoint;
#[cfg(any(feature = "futures-io", feature = "tokio"))]
mod foreign_traits;
mod liveness;
mod multicast;
mod network;
mod open_sockets;
pub(crate) mod pieces;
mod sendfile;
mod socket;
mod socket_options;
mod tcp_listener;
mod tcp_stream;
mod udp_socket;
mod unix_connect;
#[cfg(unix)]
mod unix_datagram;
mod unix_endpoint;
mod unix_error;
#[cfg(not(unix))]
mod unix_lacking;
#[cfg(unix)]
mod unix_listener;
mod unix_listening;
mod unix_name;
#[cfg(unix)]
mod unix_path;
#[cfg(unix)]
mod unix_peer;
mod unix_serve;
#[cfg(unix)]
mod unix_stream;

pub use crate::sendfile::SendfileFallback;
pub use connect::{
    CreateConnection, CreateServer, OpenConnection, StartServer, create_connection, create_server,
    open_connection, start_server,
};
pub use datagram_endpoint::{CreateDatagramEndpoint, EndpointName, Udp, create_datagram_endpoint};
#[cfg(any(feature = "futures-io", feature = "tokio"))]
pub use foreign_traits::StreamPair;
pub use liveness::{Keepalive, set_keepalive, set_user_timeout};
pub use molen_core::net::*;
pub use network::Tcp;
pub use open_sockets::{
    CreateConnectionWithSock, CreateServerWithSocks, OpenConnectionWithSock, OpenSockets,
    StartServerWithSocks, create_connection_with_sock, create_server_with_socks,
    open_connection_with_sock, start_server_with_socks,
};
pub use sendfile::{Sendfile, SendfileError, sendfile};
pub use socket_options::SocketOptions;
pub use tcp_listener::{DEFAULT_BACKLOG, TcpListener};
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;
pub use unix_connect::{UnixConnect, UnixConnecting, create_unix_connection, open_unix_connection};
#[cfg(unix)]
pub use unix_datagram::UnixDatagram;
pub use unix_endpoint::{OpeningUnixEndpoint, UnixEndpoint};
pub use unix_error::{UnixError, UnixRefused};
#[cfg(not(unix))]
pub use unix_lacking::{UnixDatagram, UnixListener, UnixStream};
#[cfg(unix)]
pub use unix_listener::UnixListener;
pub use unix_name::ToUnixAddress;
#[cfg(unix)]
pub use unix_peer::PeerCredentials;
pub use unix_serve::{UnixListen, UnixListening, create_unix_server, start_unix_server};
#[cfg(unix)]
pub use unix_stream::UnixStream;
