//! Options of listening sockets, as the system has them.

mod local;

use local::{ANY_PORT, run};
use molen_std::net::{ListenOptions, TcpListener, TcpStream};
use socket2::SockRef;

#[test]
fn connections_are_kept_alive_if_their_server_says_so() {
    run(async {
        for keep_alive in [false, true] {
            let options = ListenOptions { keep_alive, ..Default::default() };
            let listener = TcpListener::bind_with(ANY_PORT, &options).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (accepted, _peer) = listener.accept().await.unwrap();
            assert_eq!(keep_alive_of(&accepted), keep_alive);
            assert!(!keep_alive_of(&client));
        }
    });
}

#[cfg(unix)]
fn keep_alive_of(stream: &TcpStream) -> bool {
    use std::os::fd::{AsRawFd, BorrowedFd};
    // SAFETY: the stream has its descriptor for as long as it is borrowed here.
    let descriptor = unsafe { BorrowedFd::borrow_raw(stream.as_raw_fd()) };
    SockRef::from(&descriptor).keepalive().unwrap()
}

#[cfg(windows)]
fn keep_alive_of(stream: &TcpStream) -> bool {
    use std::os::windows::io::{AsRawSocket, BorrowedSocket};
    // SAFETY: the stream has its socket for as long as it is borrowed here.
    let socket = unsafe { BorrowedSocket::borrow_raw(stream.as_raw_socket()) };
    SockRef::from(&socket).keepalive().unwrap()
}
