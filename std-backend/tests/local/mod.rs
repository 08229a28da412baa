//! Loops and connections on this machine alone.

#![allow(dead_code)]

pub mod sockets;

use core::future::Future;
use molen_std::net::{TcpListener, TcpStream};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

/// Any free port of the loopback.
pub const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// Longer than any case takes on any machine; then it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs `main` on a loop of its own. A lost event ends the process instead of
/// hanging it.
pub fn run<F: Future>(main: F) -> F::Output {
    let event_loop = molen_std::new_event_loop().expect("a new event loop");
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let give_up = move || -> () {
        eprintln!("{name} hangs: an event was lost");
        std::process::exit(101);
    };
    event_loop.call_later(PATIENCE, give_up).expect("the loop is open");
    event_loop.run_until_complete(main).expect("the loop runs to the end")
}

/// Two connected ends, both of the running loop: who connected, who accepted.
pub async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(ANY_PORT).expect("listening on the loopback");
    let address = listener.local_addr().expect("the listener's address");
    let client = TcpStream::connect(address).await.expect("connecting to the listener");
    let (server, _peer) = listener.accept().await.expect("accepting the connection");
    (client, server)
}
