//! Options of real sockets.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use molen::io::source::SourceError;
use molen::net::{
    Answer, DatagramProtocol, DatagramTransport, ExtraInfo, Keepalive, SocketOptions, StreamReader,
    StreamWriter, TcpListener, TcpStream, UdpSocket, create_datagram_endpoint, open_connection,
    start_server,
};
use molen::{create_task, yield_now};
use std::io::ErrorKind;
use std::time::Duration;

/// No size that is anybody's default.
const BYTES: usize = 40_000;

fn at(ip: impl Into<IpAddr>) -> SocketAddr {
    SocketAddr::new(ip.into(), 0)
}

/// A connection to a server that reads until the end.
async fn connect() -> Result<(StreamReader, StreamWriter), Failure> {
    let read = |mut reader: StreamReader, _writer: StreamWriter| async move {
        let _ = reader.read_to_end().await;
    };
    let server = ok(start_server(("127.0.0.1", 0), read).await)?;
    let Some(&address) = server.addresses().first() else {
        return Err(Failure::said("it has no address"));
    };
    let connected = ok(open_connection(address).await)?;
    server.close();
    Ok(connected)
}

/// Whether the buffers of `socket` become as large as they were told. Linux doubles.
fn check_buffers(socket: &impl SocketOptions) -> Outcome {
    ok(socket.set_recv_buffer_size(BYTES))?;
    ok(socket.set_send_buffer_size(BYTES))?;
    let large = [ok(socket.recv_buffer_size())?, ok(socket.send_buffer_size())?];
    check!(large.iter().all(|&bytes| (BYTES..4 * BYTES).contains(&bytes)), "not what was set");
    Ok(())
}

/// Whether what concerns packets is as it was told.
fn check_packets(socket: &impl SocketOptions) -> Outcome {
    ok(socket.set_ttl(7))?;
    check_eq!(ok(socket.ttl())?, 7);
    Ok(())
}

pub(super) fn a_connections_options_are_its_sockets() -> Outcome {
    run(async {
        let (_reader, writer) = connect().await?;
        check!(ok(writer.nodelay())?, "small writes wait");
        ok(writer.set_nodelay(false))?;
        check!(!ok(writer.transport().nodelay())?, "small writes leave");
        check_buffers(&writer)?;
        check_packets(writer.transport())?;
        check!(!ok(writer.keepalive())?, "the peer is asked");
        let second = Duration::from_secs(1);
        let keepalive = Keepalive { idle: second, interval: second, probes: 3 };
        match writer.set_keepalive(Some(keepalive)) {
            Ok(()) => check_eq!(ok(writer.keepalive())?, true),
            // Wine 8 counts no questions.
            Err(error) => check_eq!((cfg!(windows), error.kind()), (true, ErrorKind::Unsupported)),
        }
        ok(writer.set_keepalive(None))?;
        check!(!ok(writer.keepalive())?, "the peer is asked again");
        match writer.set_user_timeout(Some(second)) {
            Ok(()) => check_eq!(cfg!(target_os = "linux"), true),
            Err(error) => check_eq!(error.kind(), ErrorKind::Unsupported),
        }
        #[cfg(unix)]
        {
            ok(writer.set_tos(0xb8))?;
            check_eq!(ok(writer.tos())?, 0xb8);
        }
        writer.close();
        ok(writer.wait_closed().await)?;
        let over = writer.set_nodelay(true).map_err(|error| error.kind());
        check_eq!(over, Err(ErrorKind::NotConnected));
        Ok(())
    })
}

struct Deaf;

impl DatagramProtocol<SocketAddr> for Deaf {
    fn datagram_received(
        &mut self,
        _transport: &DatagramTransport<SocketAddr>,
        _data: &[u8],
        _sender: &SocketAddr,
    ) -> Answer {
        Ok(())
    }
}

pub(super) fn an_endpoints_options_are_its_sockets() -> Outcome {
    run(async {
        let anywhere = at(Ipv4Addr::LOCALHOST);
        let endpoint = ok(create_datagram_endpoint(anywhere, None, Deaf).await)?;
        check!(endpoint.get_extra_info(ExtraInfo::Socket).is_some(), "it has no socket");
        check_buffers(&endpoint)?;
        check_packets(&endpoint)?;
        endpoint.close();
        while !endpoint.is_closing() || endpoint.ttl().is_ok() {
            yield_now().await;
        }
        let over = endpoint.ttl().map_err(|error| error.kind());
        check_eq!(over, Err(ErrorKind::NotConnected));

        let socket = ok(UdpSocket::bind(anywhere))?;
        check_buffers(&socket)?;
        ok(socket.set_ttl(9))?;
        check_eq!(ok(SocketOptions::ttl(&socket))?, 9);
        let no_tcp = socket.set_nodelay(true);
        check!(no_tcp.is_err(), "messages wait for each other");
        // Of IPv6 it is another option; a machine may have none.
        if let Ok(socket) = UdpSocket::bind(at(Ipv6Addr::LOCALHOST)) {
            check_packets(&socket)?;
            match socket.set_tos(0x20) {
                Ok(()) => check_eq!(ok(socket.tos())?, 0x20),
                Err(error) => check_eq!((cfg!(windows), error.kind()), (true, ErrorKind::Unsupported)),
            }
        }
        Ok(())
    })
}

pub(super) fn a_listeners_buffers_are_its_connections() -> Outcome {
    run(async {
        let listener = ok(TcpListener::bind(at(Ipv4Addr::LOCALHOST)))?;
        check_buffers(&listener)?;
        let address = ok(listener.local_addr())?;
        let connecting = create_task(async move { TcpStream::connect(address).await })?;
        let (accepted, _peer) = ok(listener.accept().await)?;
        let client = ok(connecting.await?)?;
        let (theirs, ours) = (ok(accepted.recv_buffer_size())?, ok(client.recv_buffer_size())?);
        // Wine tells each socket's own.
        if cfg!(unix) {
            check_eq!(theirs, ok(listener.recv_buffer_size())?);
            check!(theirs != ours, "the client has it as well");
        }
        if let Ok(listener) = TcpListener::bind(at(Ipv6Addr::UNSPECIFIED)) {
            check!(ok(listener.only_v6())?, "it takes IPv4's place");
        }
        Ok(())
    })
}

pub(super) fn a_connection_without_linger_is_reset_when_it_is_closed() -> Outcome {
    run(async {
        let listener = ok(TcpListener::bind(at(Ipv4Addr::LOCALHOST)))?;
        let address = ok(listener.local_addr())?;
        for resets in [false, true] {
            let connecting = create_task(async move { open_connection(address).await })?;
            let (accepted, _peer) = ok(listener.accept().await)?;
            let (_reader, writer) = ok(connecting.await?)?;
            if resets {
                ok(writer.set_zero_linger())?;
            }
            writer.close();
            ok(writer.wait_closed().await)?;
            let end = accepted.read(&mut [0; 8]).await;
            if cfg!(windows) && resets && end == Ok(0) {
                return Err(Failure::Unsupported("Wine says goodbye all the same"));
            }
            check_eq!(end, if resets { Err(SourceError::ConnectionReset) } else { Ok(0) });
        }
        Ok(())
    })
}

#[cfg(windows)]
pub(super) fn a_unix_socket_has_no_options_of_tcp() -> Outcome {
    Err(Failure::Unsupported("there are no Unix sockets on Windows"))
}

#[cfg(unix)]
pub(super) fn a_unix_socket_has_no_options_of_tcp() -> Outcome {
    run(async {
        let (near, _far) = ok(molen::net::UnixStream::pair())?;
        ok(near.set_send_buffer_size(BYTES))?;
        check!(ok(near.send_buffer_size())? >= BYTES, "not what was set");
        check!(near.set_nodelay(true).is_err(), "small writes wait, in a Unix socket");
        check!(near.set_ttl(7).is_err(), "there are routers in this machine");
        Ok(())
    })
}
