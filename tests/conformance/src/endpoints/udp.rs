//! UDP on the loopback.

use super::log::{Log, Recorder, Then, local};
use crate::case::{Failure, Outcome};
use crate::real::ok;
use molen::io::source::SourceError;
use molen::net::{
    DatagramTransport, ExtraInfo, ExtraValue, Family, HostFailure, SendError, UdpSocket, create_datagram_endpoint,
};
use molen::{Duration, sleep, timeout};
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::string::ToString;

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

async fn recorder(log: &Log, then: Then) -> Result<DatagramTransport<SocketAddr>, Failure> {
    ok(create_datagram_endpoint(ANY_PORT, None, Recorder(log.clone(), then)).await)
}

/// Where nobody receives.
fn dead() -> Result<SocketAddr, Failure> {
    ok(ok(UdpSocket::bind(ANY_PORT.into()))?.local_addr())
}

pub(super) fn a_dead_receiver_does_not_silence_others() -> Outcome {
    run!(async {
        let (here, there) = (Log::default(), Log::default());
        let echo = recorder(&there, Then::Answer).await?;
        let sender = recorder(&here, Then::Nothing).await?;
        sender.sendto(b"anybody?", Some(&dead()?))?;
        sleep(Duration::from_millis(5)).await;
        sender.sendto(b"hello", Some(&local(&echo)?))?;
        here.wait_for(">hello").await;
        there.check(&["made", "hello"])?;
        check!(!sender.is_closing(), "it is closing");
        Ok(())
    })
}

pub(super) fn broadcasting_does_not_connect() -> Outcome {
    if cfg!(target_os = "wasi") {
        return Err(Failure::Unsupported("WASI's UDP sockets have no such option"));
    }
    run!(async {
        let log = Log::default();
        // To everybody on this machine; who answers does so from another address.
        let (asked, answering) = (ok(UdpSocket::bind(ANY_PORT.into()))?, ok(UdpSocket::bind(ANY_PORT.into()))?);
        let to = ok(asked.local_addr())?;
        let everybody = (Ipv4Addr::LOCALHOST, to.port());
        let endpoint =
            create_datagram_endpoint(ANY_PORT, Some(everybody), Recorder(log.clone(), Then::Nothing));
        let endpoint = ok(endpoint.allow_broadcast(true).await)?;
        check!(endpoint.get_extra_info(ExtraInfo::PeerName).is_none(), "it is connected");
        // It sends there alone, as a connected one.
        check_eq!(endpoint.sendto(b"x", Some(&dead()?)), Err(SendError::NotThePeer));
        endpoint.sendto(b"who?", None)?;
        let mut buffer = [0; 8];
        let (count, from) = ok(asked.recv_from(&mut buffer).await)?;
        check_eq!((&buffer[..count], from), (&b"who?"[..], local(&endpoint)?));
        ok(answering.send_to(b"me", from).await)?;
        log.wait_for("me").await;
        // A connected one hears nobody else.
        let its = Log::default();
        let connected =
            create_datagram_endpoint(ANY_PORT, Some(everybody), Recorder(its.clone(), Then::Nothing));
        let connected = ok(connected.await)?;
        check!(connected.get_extra_info(ExtraInfo::PeerName).is_some(), "it is not connected");
        ok(answering.send_to(b"me", local(&connected)?).await)?;
        ok(asked.send_to(b"you", local(&connected)?).await)?;
        its.wait_for("you").await;
        its.check(&["made", "you"])
    })
}

pub(super) fn a_refusal_is_told_to_a_connected_endpoint_which_goes_on() -> Outcome {
    if cfg!(windows) {
        return Err(Failure::Unsupported("Wine does not tell of refused datagrams"));
    }
    run!(async {
        let log = Log::default();
        let peer = dead()?;
        let endpoint = create_datagram_endpoint(
            SocketAddr::from(ANY_PORT),
            Some(peer),
            Recorder(log.clone(), Then::Nothing),
        );
        let endpoint = ok(endpoint.await)?;
        endpoint.sendto(b"anybody?", None)?;
        log.wait_for("refused").await;
        let born = ok(UdpSocket::bind(peer))?;
        endpoint.sendto(b"somebody?", None)?;
        let (count, from) = ok(born.recv_from(&mut [0; 16]).await)?;
        check_eq!(count, 9);
        ok(born.send_to(b"yes", from).await)?;
        log.wait_for("yes").await;
        endpoint.close();
        log.closed(&endpoint).await;
        log.check(&["made", "refused", "yes", "lost"])
    })
}

pub(super) fn an_address_may_be_shared_and_a_taken_one_is_an_error() -> Outcome {
    if cfg!(target_os = "wasi") {
        return Err(Failure::Unsupported("WASI's UDP sockets have no such option"));
    }
    run!(async {
        let log = Log::default();
        let first = create_datagram_endpoint(ANY_PORT, None, Recorder(log.clone(), Then::Nothing));
        let first = ok(first.reuse_port(true).await)?;
        let address = local(&first)?;
        let second = create_datagram_endpoint(address, None, Recorder(log.clone(), Then::Nothing));
        let second = ok(second.reuse_port(true).await)?;
        check_eq!(local(&second)?, address);
        let taken = recorder(&log, Then::Nothing).await?;
        let again = create_datagram_endpoint(local(&taken)?, None, Recorder(log, Then::Nothing)).await;
        let Err(error) = again else { return Err(Failure::said("it was bound twice")) };
        check_eq!(error.source_error(), Some(SourceError::AddressInUse));
        let expected = std::format!("cannot receive datagrams on {}: ", local(&taken)?);
        check!(error.to_string().starts_with(&expected), "the error does not say where");
        Ok(())
    })
}

pub(super) fn a_peer_may_be_a_name_and_the_local_address_anywhere() -> Outcome {
    run!(async {
        let (here, there) = (Log::default(), Log::default());
        let echo = recorder(&there, Then::Answer).await?;
        let port = local(&echo)?.port();
        let named = create_datagram_endpoint(
            ("", 0),
            Some(("localhost", port)),
            Recorder(here.clone(), Then::Nothing),
        );
        let named = ok(named.family(Family::Inet).await)?;
        check!(local(&named)?.is_ipv4(), "it is of another family");
        named.sendto(b"by name", None)?;
        here.wait_for(">by name").await;

        let text = std::format!("127.0.0.1:{port}");
        let text = create_datagram_endpoint(":0", Some(&*text), Recorder(here.clone(), Then::Nothing));
        ok(text.await)?.sendto(b"by text", None)?;
        here.wait_for(">by text").await;

        let nobody = create_datagram_endpoint(
            ("", 0),
            Some(("no-such-host.invalid", port)),
            Recorder(here, Then::Nothing),
        );
        let Err(error) = nobody.await else { return Err(Failure::said("it has a peer")) };
        let expected = "cannot exchange datagrams with no-such-host.invalid:";
        check!(error.to_string().starts_with(expected), "the error does not say who");
        Ok(())
    })
}

pub(super) fn a_local_address_of_another_family_than_the_peers_is_an_error() -> Outcome {
    run!(async {
        let log = Log::default();
        let mixed = create_datagram_endpoint(
            SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))),
            Recorder(log.clone(), Then::Nothing),
        );
        let Err(error) = mixed.await else { return Err(Failure::said("it was made")) };
        check_eq!(
            error.to_string(),
            "cannot exchange datagrams with 127.0.0.1:9: \
             the local address is of another family than IPv4"
        );
        let malformed = create_datagram_endpoint("127.0.0.1", None, Recorder(log, Then::Nothing));
        let Err(error) = malformed.await else { return Err(Failure::said("it was made")) };
        check_matches!(error.cause, HostFailure::NotHostAndPort);
        Ok(())
    })
}

#[cfg(target_os = "wasi")]
pub(super) fn groups_and_broadcasts_have_their_options() -> Outcome {
    Err(Failure::Unsupported("WASI's UDP sockets have no such option"))
}

#[cfg(not(target_os = "wasi"))]
pub(super) fn groups_and_broadcasts_have_their_options() -> Outcome {
    run!(async {
        let socket = ok(UdpSocket::bind(ANY_PORT.into()))?;
        check!(!ok(socket.broadcast())?, "it may send to everybody");
        // Wine's host decides by itself.
        if !cfg!(windows) {
            let everybody = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
            check!(socket.send_to(b"x", everybody).await.is_err(), "it was sent to everybody");
        }
        ok(socket.set_broadcast(true))?;
        check!(ok(socket.broadcast())?, "it may not send to everybody");
        ok(socket.set_multicast_loop_v4(true))?;
        ok(socket.set_multicast_ttl_v4(0))?;
        ok(socket.set_ttl(1))?;
        ok(socket.set_multicast_interface_v4(Ipv4Addr::LOCALHOST))?;

        let group = Ipv4Addr::new(239, 255, 20, 4);
        let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let member = ok(UdpSocket::bind_shared(anywhere))?;
        ok(member.join_multicast_v4(group, Ipv4Addr::LOCALHOST))?;
        let port = ok(member.local_addr())?.port();
        // An endpoint of a socket with options of its own.
        let log = Log::default();
        let event_loop = molen::get_running_loop()?;
        let endpoint =
            DatagramTransport::new(&event_loop, member, Recorder(log.clone(), Then::Nothing), None)?;
        let sent = socket.send_to(b"all", SocketAddr::from((group, port))).await;
        if cfg!(windows) && sent.is_err() {
            return Err(Failure::Unsupported("Wine's host has no way to groups"));
        }
        ok(sent)?;
        if timeout(Duration::from_secs(5), log.wait_for("all")).await.is_err() {
            check!(cfg!(windows), "the group's message did not come");
            return Err(Failure::Unsupported("Wine's host has no way to groups"));
        }
        endpoint.close();
        Ok(())
    })
}

pub(super) fn a_closed_endpoint_has_sent_all_and_is_gone() -> Outcome {
    run!(async {
        let log = Log::default();
        let receiver = ok(UdpSocket::bind(ANY_PORT.into()))?;
        let to = ok(receiver.local_addr())?;
        let sender = recorder(&log, Then::Nothing).await?;
        for _ in 0..20 {
            sender.sendto(&[7; 500], Some(&to))?;
        }
        sender.close();
        log.closed(&sender).await;
        for _ in 0..20 {
            let received = timeout(Duration::from_secs(5), receiver.recv(&mut [0; 512])).await?;
            check_eq!(ok(received)?, 500);
        }
        check!(sender.get_extra_info(ExtraInfo::SockName).is_none(), "it is open");
        log.check(&["made", "lost"])
    })
}

pub(super) fn an_endpoint_knows_its_socket() -> Outcome {
    if cfg!(target_os = "wasi") {
        return Err(Failure::Unsupported("WASI's sockets have no numbers"));
    }
    run!(async {
        let log = Log::default();
        let endpoint = recorder(&log, Then::Nothing).await?;
        check_matches!(endpoint.get_extra_info(ExtraInfo::Socket), Some(ExtraValue::Descriptor(_)));
        endpoint.close();
        log.closed(&endpoint).await;
        check!(endpoint.get_extra_info(ExtraInfo::Socket).is_none(), "it is open");
        Ok(())
    })
}
