//! TCP sockets that belong to a loop. See [`TcpListener`] and [`TcpStream`].

mod net_error;
mod tcp_listener;
mod tcp_stream;

pub use net_error::NetError;
pub use tcp_listener::{DEFAULT_BACKLOG, TcpListener};
pub use tcp_stream::{Connect, TcpStream};
