//! `sock_connect` and `sock_accept`.

use super::fixture::{
    ANY_PORT, PATIENCE, datagrams, err, join, listener, ok, run, unconnected,
};
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use molen::LoopRef;
use molen::sock::SocketOperations;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::string::ToString;
use std::sync::mpsc::channel;
use std::{format, thread};

pub(super) fn accepting_gives_a_peer_that_does_not_block_and_its_address() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (listener, address) = listener()?;
        let (go, gone) = channel();
        let client = thread::spawn(move || {
            let _ = gone.recv();
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let mut greeting = [0; 5];
            stream.read_exact(&mut greeting)?;
            Ok((stream.local_addr()?, greeting))
        });
        let inner = event_loop.clone();
        let accepting = event_loop.create_task(async move {
            event("accept");
            let accepted = inner.sock_accept(&listener).await;
            event("accepted");
            accepted
        })?;
        molen::yield_now().await;
        check_events!["accept"];
        ok(go.send(()))?;
        let (peer, peers_address) = ok(accepting.await?)?;
        check_events!["accept", "accepted"];
        match (&peer).read(&mut [0; 1]) {
            Err(error) => check_eq!(error.kind(), ErrorKind::WouldBlock),
            Ok(_read) => return Err(Failure::said("the client has sent nothing")),
        }
        ok(event_loop.sock_sendall(&peer, b"hello").await)?;
        let (clients_address, greeting) = join(client)?;
        check_eq!(peers_address.as_socket(), Some(clients_address));
        check_eq!(&greeting, b"hello");
        Ok(())
    })
}

pub(super) fn connecting_waits_for_the_system() -> Outcome {
    run(async |event_loop: LoopRef| {
        let server = ok(TcpListener::bind(ANY_PORT))?;
        let address = ok(server.local_addr())?;
        let server = thread::spawn(move || {
            let (mut stream, peer) = server.accept()?;
            stream.write_all(b"hello")?;
            Ok(peer)
        });
        let socket = unconnected()?;
        ok(event_loop.sock_connect(&socket, address).await)?;
        let own = ok(socket.local_addr())?.as_socket();
        check_eq!(Some(join(server)?), own);
        check_eq!(ok(event_loop.sock_recv(&socket, 100).await)?, b"hello");
        Ok(())
    })
}

pub(super) fn a_refused_connection_names_the_socket_and_the_address() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (listener, address) = listener()?;
        drop(listener);
        let socket = unconnected()?;
        let error = err(event_loop.sock_connect(&socket, address).await)?;
        check_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let beginning = format!("cannot connect socket {} to {address}: ", error.socket);
        check!(error.to_string().starts_with(&beginning), "it says something else");
        Ok(())
    })
}

pub(super) fn a_datagram_socket_is_connected_at_once() -> Outcome {
    run(async |event_loop: LoopRef| {
        let (near, near_address) = datagrams()?;
        let (far, far_address) = datagrams()?;
        ok(event_loop.sock_connect(&near, far_address).await)?;
        ok(event_loop.sock_sendall(&near, b"to the peer").await)?;
        let (bytes, sender) = ok(event_loop.sock_recvfrom(&far, 100).await)?;
        check_eq!(bytes, b"to the peer");
        check_eq!(sender.as_socket(), Some(near_address));
        Ok(())
    })
}

#[cfg(unix)]
pub(super) fn a_full_listener_of_unix_refuses() -> Outcome {
    use molen::sock::{Domain, SockAddr, Socket, Type};
    run(async |event_loop: LoopRef| {
        let name = format!("molen-readiness-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let address = ok(SockAddr::unix(&path))?;
        let listener = ok(Socket::new(Domain::UNIX, Type::STREAM, None))?;
        ok(listener.bind(&address))?;
        ok(listener.listen(1))?;
        let mut clients = std::vec::Vec::new();
        let outcome = loop {
            let socket = ok(Socket::new(Domain::UNIX, Type::STREAM, None))?;
            ok(socket.set_nonblocking(true))?;
            match event_loop.sock_connect(&socket, address.clone()).await {
                Ok(()) if clients.len() < 1000 => clients.push(socket),
                other => break other,
            }
        };
        ok(std::fs::remove_file(&path))?;
        let error = err(outcome)?;
        check!(!clients.is_empty(), "not even the first got through");
        // Linux says so; others, that it is refused.
        check_matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused);
        check!(error.to_string().contains(".sock: "), "the path is not named");
        Ok(())
    })
}

#[cfg(windows)]
pub(super) fn a_full_listener_of_unix_refuses() -> Outcome {
    Err(Failure::Unsupported("Windows' Unix sockets are connected at once or refused"))
}
