//! UDP over the loopback.

mod local;

use local::{ANY_PORT, run};
use molen_core::io::source::SourceError;
use molen_core::{Duration, create_task, sleep, timeout};
use molen_std::net::UdpSocket;
use std::net::{Ipv4Addr, SocketAddr};

#[test]
fn messages_are_whole_and_none_at_all_is_one_too() {
    run(async {
        let server = UdpSocket::bind(ANY_PORT).unwrap();
        let client = UdpSocket::connect(server.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 8];
        let nothing = server.try_recv_from(&mut buffer);
        assert_eq!(nothing, Err(SourceError::WouldBlock));
        for message in [&b"one"[..], b"", b"three"] {
            client.send(message).await.unwrap();
        }
        for message in [&b"one"[..], b"", b"three"] {
            let (length, sender) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], message);
            assert_eq!(sender, client.local_addr().unwrap());
        }
    });
}

#[test]
fn a_waiting_receiver_is_woken_and_a_cancelled_one_loses_nothing() {
    run(async {
        let server = UdpSocket::bind(ANY_PORT).unwrap();
        let client = UdpSocket::connect(server.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 8];
        let waited = timeout(Duration::from_millis(1), server.recv_from(&mut buffer)).await;
        assert!(waited.is_err());
        let sender = create_task(async move {
            sleep(Duration::from_millis(5)).await;
            client.send(b"late").await.unwrap();
        })
        .unwrap();
        assert_eq!(server.recv(&mut buffer).await, Ok(4));
        sender.await.unwrap();
    });
}

#[test]
fn a_thousand_messages_of_two_clients_come_all_in_order() {
    run(async {
        let server = UdpSocket::bind(ANY_PORT).unwrap();
        let address = server.local_addr().unwrap();
        let clients: Vec<_> = (0..2u32)
            .map(|number| {
                create_task(async move {
                    let client = UdpSocket::connect(address).unwrap();
                    for message in 0..500u32 {
                        let text = [number.to_le_bytes(), message.to_le_bytes()].concat();
                        client.send(&text).await.unwrap();
                        assert_eq!(client.recv(&mut [0; 8]).await, Ok(8));
                    }
                })
                .unwrap()
            })
            .collect();
        let mut next = [0u32; 2];
        while next != [500, 500] {
            let mut buffer = [0; 16];
            let (length, sender) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(length, 8);
            let (client, message) = (usize::from(buffer[0]), [buffer[4], buffer[5]]);
            assert_eq!(u32::from(u16::from_le_bytes(message)), next[client]);
            next[client] += 1;
            server.send_to(&buffer[..length], sender).await.unwrap();
        }
        for client in clients {
            client.await.unwrap();
        }
    });
}

#[test]
fn a_message_to_nobody_is_an_error_and_the_socket_goes_on() {
    run(async {
        let gone = UdpSocket::bind(ANY_PORT).unwrap().local_addr().unwrap();
        let server = UdpSocket::bind(ANY_PORT).unwrap();
        let mut buffer = [0; 16];
        let refused = [SourceError::ConnectionRefused, SourceError::ConnectionReset];
        // Wine tells nobody.
        if cfg!(unix) {
            let client = UdpSocket::connect_from(ANY_PORT, gone).unwrap();
            client.send(b"anybody there?").await.unwrap();
            assert!(refused.contains(&client.recv(&mut buffer).await.unwrap_err()));
        }
        // Not connected, it is told nothing, or the same, and goes on too.
        let open = UdpSocket::bind(ANY_PORT).unwrap();
        open.send_to(b"anybody there?", gone).await.unwrap();
        open.send_to(b"hello", server.local_addr().unwrap()).await.unwrap();
        assert_eq!(server.recv(&mut buffer).await, Ok(5));
        server.send_to(b"hi", open.local_addr().unwrap()).await.unwrap();
        loop {
            match open.recv(&mut buffer).await {
                Ok(length) => break assert_eq!(length, 2),
                Err(error) => assert!(refused.contains(&error)),
            }
        }
    });
}

#[test]
fn a_connected_socket_has_one_peer() {
    run(async {
        let (first, second) =
            (UdpSocket::bind(ANY_PORT).unwrap(), UdpSocket::bind(ANY_PORT).unwrap());
        let (first_address, second_address) =
            (first.local_addr().unwrap(), second.local_addr().unwrap());
        let client = UdpSocket::connect(first_address).unwrap();
        assert_eq!(client.peer_addr(), Some(first_address));
        assert!(matches!(client.send_to(b"x", second_address).await, Err(SourceError::Os(_))));
        client.send_to(b"yes", first_address).await.unwrap();
        assert_eq!(first.recv(&mut [0; 8]).await, Ok(3));
        // Nor does it receive from others.
        second.send_to(b"no", client.local_addr().unwrap()).await.unwrap();
        first.send_to(b"yes", client.local_addr().unwrap()).await.unwrap();
        assert_eq!(client.recv(&mut [0; 8]).await, Ok(3));
        assert!(first.send(b"to whom?").await.is_err());
    });
}

#[test]
fn what_cannot_be_bound_says_what_and_why() {
    run(async {
        let taken = UdpSocket::bind(ANY_PORT).unwrap().local_addr().unwrap();
        let _holder = UdpSocket::bind(taken).unwrap();
        let error = UdpSocket::bind(taken).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("cannot bind to {taken}: ")), "{error}");
    });
    assert_eq!(UdpSocket::bind(ANY_PORT).unwrap_err().cause, SourceError::NoRunningLoop);
}

/// Groups reach this machine's other sockets by the loopback. Not under Wine,
/// whose groups are the host's.
#[test]
#[cfg(unix)]
fn a_groups_message_reaches_all_who_joined() {
    run(async {
        let group = Ipv4Addr::new(239, 255, 77, 77);
        let first = UdpSocket::bind_shared((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
        let port = first.local_addr().unwrap().port();
        let second = UdpSocket::bind_shared((Ipv4Addr::UNSPECIFIED, port).into()).unwrap();
        for member in [&first, &second] {
            member.join_multicast_v4(group, Ipv4Addr::LOCALHOST).unwrap();
        }
        let sender = UdpSocket::bind(ANY_PORT).unwrap();
        sender.set_multicast_interface_v4(Ipv4Addr::LOCALHOST).unwrap();
        sender.set_multicast_ttl_v4(0).unwrap();
        let receiver = SocketAddr::from((group, port));
        sender.send_to(b"all", receiver).await.unwrap();
        for member in [&first, &second] {
            assert_eq!(member.recv(&mut [0; 8]).await, Ok(3));
        }
        second.leave_multicast_v4(group, Ipv4Addr::LOCALHOST).unwrap();
        assert!(second.leave_multicast_v4(group, Ipv4Addr::LOCALHOST).is_err());
        sender.send_to(b"one", receiver).await.unwrap();
        assert_eq!(first.recv(&mut [0; 8]).await, Ok(3));
    });
}

#[test]
fn broadcast_must_be_asked_for() {
    run(async {
        let socket = UdpSocket::bind(ANY_PORT).unwrap();
        assert!(!socket.broadcast().unwrap());
        let everybody = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
        assert!(socket.send_to(b"x", everybody).await.is_err());
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
    });
}
