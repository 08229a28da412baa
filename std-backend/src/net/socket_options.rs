//! Options of the system's sockets, of whatever has one.

use super::liveness::Keepalive;
use super::{TcpListener, TcpStream, UdpSocket};
use crate::descriptor::{BorrowedDescriptor, RawDescriptor};
use molen_core::net::{DatagramTransport, ExtraInfo, ExtraValue, StreamWriter, Transport};
use socket2::{SockRef, Socket, TcpKeepalive};
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Options of a socket: of transports, endpoints, writers and of sockets themselves.
///
/// | asyncio: `get_extra_info('socket').setsockopt(…)` | here |
/// |---|---|
/// | `SOL_SOCKET, SO_RCVBUF`, `SO_SNDBUF` | [`set_recv_buffer_size`](Self::set_recv_buffer_size), [`set_send_buffer_size`](Self::set_send_buffer_size) |
/// | `SOL_SOCKET, SO_KEEPALIVE` and `IPPROTO_TCP, TCP_KEEPIDLE` … | [`set_keepalive`](Self::set_keepalive) |
/// | `SOL_SOCKET, SO_LINGER` of no time | [`set_zero_linger`](Self::set_zero_linger) |
/// | `IPPROTO_TCP, TCP_NODELAY` | [`set_nodelay`](Self::set_nodelay); transports have it from the beginning |
/// | `IPPROTO_TCP, TCP_USER_TIMEOUT` | [`set_user_timeout`](Self::set_user_timeout) |
/// | `IPPROTO_IP, IP_TTL`, `IPPROTO_IPV6, IPV6_UNICAST_HOPS` | [`set_ttl`](Self::set_ttl) |
/// | `IPPROTO_IP, IP_TOS`, `IPPROTO_IPV6, IPV6_TCLASS` | [`set_tos`](Self::set_tos) |
/// | `IPPROTO_IPV6, IPV6_V6ONLY` | [`only_v6`](Self::only_v6); too late to be set |
/// | `IP_ADD_MEMBERSHIP`, `IP_MULTICAST_…`, `SO_BROADCAST` | methods of [`UdpSocket`], and `allow_broadcast` |
///
/// What has to be set before a socket is bound or connected, and what is not
/// here, is set on a socket of the standard library, for instance by the crate
/// `socket2`; `from_std`,
/// [`create_connection_with_sock`](super::create_connection_with_sock) and their kind take it over.
///
/// ```
/// use molen_std::net::{SocketOptions, UdpSocket};
///
/// let event_loop = molen_std::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     // Room for a burst of messages.
///     let socket = UdpSocket::bind("127.0.0.1:0".parse()?)?;
///     socket.set_recv_buffer_size(1 << 17)?;
///     assert!(socket.recv_buffer_size()? >= 1 << 17);
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Of all of them: the operating system's; of a transport, [`ErrorKind::NotConnected`]
/// when it is over, or has no socket; [`ErrorKind::Unsupported`] where the platform, or a
/// socket of this kind, has no such option. On Unix sockets that is the system's
/// to say, and most say so.
#[allow(clippy::missing_errors_doc, reason = "they are one for all, above")]
pub trait SocketOptions: HasSocket {
    /// How many bytes that came wait in the system to be read, at most.
    fn recv_buffer_size(&self) -> io::Result<usize> {
        self.with_socket(Socket::recv_buffer_size)
    }

    /// Has at most so many bytes that came wait in the system to be read; of datagrams,
    /// what comes beyond them is lost.
    ///
    /// The system rounds, and has limits of its own (Linux: `net.core.rmem_max`, and it
    /// counts its own overhead, so twice as much is told). A connection of TCP learns
    /// at its beginning how large its window can ever be: more than 64 KiB are best set on
    /// the listener, or on a socket before it is connected.
    fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.with_socket(|socket| socket.set_recv_buffer_size(bytes))
    }

    /// How many bytes that were written wait in the system to leave, at most.
    fn send_buffer_size(&self) -> io::Result<usize> {
        self.with_socket(Socket::send_buffer_size)
    }

    /// Has at most so many bytes that were written wait in the system to leave. What
    /// has no room there waits in the transport, whose own limits are
    /// `set_write_buffer_limits`.
    ///
    /// The system rounds, and has limits of its own.
    fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.with_socket(|socket| socket.set_send_buffer_size(bytes))
    }

    /// Whether small writes leave at once (`TCP_NODELAY`).
    fn nodelay(&self) -> io::Result<bool> {
        self.with_socket(Socket::tcp_nodelay)
    }

    /// Has small writes leave at once (`TCP_NODELAY`), or wait for the
    /// acknowledgement of those before. Transports begin with the first.
    fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.with_socket(|socket| socket.set_tcp_nodelay(nodelay))
    }

    /// Whether the peer of an idle connection is asked if it is still there.
    fn keepalive(&self) -> io::Result<bool> {
        self.with_socket(Socket::keepalive)
    }

    /// Has the system ask the peer of an idle connection whether it is still there
    /// (`SO_KEEPALIVE`); with `None`, no more. See [`set_keepalive`](super::set_keepalive()).
    fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        self.with_socket(|socket| ask(socket, keepalive))
    }

    /// Has a connection end when bytes that were sent are not acknowledged for so long
    /// (`TCP_USER_TIMEOUT`, of Linux). See [`set_user_timeout`](super::set_user_timeout()).
    fn set_user_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.with_socket(|socket| acknowledge_within(socket, limit))
    }

    /// Has the connection reset when it is closed: what is still on its way is lost, the
    /// other side finds [`ConnectionReset`](ErrorKind::ConnectionReset), and no socket
    /// lingers in `TIME_WAIT` here (`SO_LINGER` of no time).
    ///
    /// Another time cannot be set: closing would have the whole loop wait for it. Who wants
    /// to know that all has arrived waits for the other side to say so.
    fn set_zero_linger(&self) -> io::Result<()> {
        self.with_socket(|socket| socket.set_linger(Some(Duration::ZERO)))
    }

    /// Over how many routers packets go (`IP_TTL`; of IPv6, hop limit).
    fn ttl(&self) -> io::Result<u32> {
        self.with_socket(|socket| match is_v6(socket)? {
            true => socket.unicast_hops_v6(),
            false => socket.ttl_v4(),
        })
    }

    /// Over how many routers packets go, at most 255 (`IP_TTL`; of IPv6, hop limit).
    fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.with_socket(|socket| match is_v6(socket)? {
            true => socket.set_unicast_hops_v6(hops),
            false => socket.set_ttl_v4(hops),
        })
    }

    /// How packets are marked for routers (`IP_TOS`; of IPv6, traffic class, which
    /// Windows has not).
    fn tos(&self) -> io::Result<u32> {
        self.with_socket(|socket| match is_v6(socket)? {
            true => traffic_class(socket),
            false => socket.tos_v4(),
        })
    }

    /// Has packets be marked for routers: the upper six of the eight bits are the
    /// service's class (DSCP), so 0xB8 is "expedited" (`IP_TOS`; of IPv6, traffic class,
    /// which Windows has not).
    fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.with_socket(|socket| match is_v6(socket)? {
            true => set_traffic_class(socket, tos),
            false => socket.set_tos_v4(tos),
        })
    }

    /// Whether a socket of IPv6 is one of IPv4 as well (`IPV6_V6ONLY`). Listeners here are
    /// never both: servers of all addresses have one for each.
    fn only_v6(&self) -> io::Result<bool> {
        self.with_socket(Socket::only_v6)
    }
}

impl<S: HasSocket + ?Sized> SocketOptions for S {}

/// What has one of the system's sockets. Nameless elsewhere, so for this crate to say.
pub trait HasSocket {
    /// Calls `f` with the socket, which stays open meanwhile: `f` is not to call anything
    /// that could close it.
    fn with_socket<T>(&self, f: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T>;
}

macro_rules! sockets {
    ($($socket:ty),*) => {$(
        impl HasSocket for $socket {
            fn with_socket<T>(&self, f: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
                f(&SockRef::from(self.io())).map_err(lacking)
            }
        }
    )*};
}
sockets!(TcpStream, TcpListener, UdpSocket);
#[cfg(unix)]
sockets!(super::UnixStream, super::UnixListener, super::UnixDatagram);

impl HasSocket for Transport {
    fn with_socket<T>(&self, f: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        with(self.get_extra_info(ExtraInfo::Socket), f)
    }
}

impl HasSocket for StreamWriter {
    fn with_socket<T>(&self, f: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        self.transport().with_socket(f)
    }
}

impl<A> HasSocket for DatagramTransport<A> {
    fn with_socket<T>(&self, f: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
        with(self.get_extra_info(ExtraInfo::Socket), f)
    }
}

/// Calls `f` with the socket of a transport that was just asked for it.
fn with<T>(socket: Option<ExtraValue>, f: impl FnOnce(&Socket) -> io::Result<T>) -> io::Result<T> {
    let not_connected = || {
        io::Error::new(ErrorKind::NotConnected, "the transport is over, or is not that of a socket")
    };
    let Some(ExtraValue::Descriptor(number)) = socket else { return Err(not_connected()) };
    #[cfg_attr(windows, allow(clippy::useless_conversion, reason = "a socket is as wide there"))]
    let number = RawDescriptor::try_from(number).map_err(|_| not_connected())?;
    // SAFETY: the connection owns the descriptor and is not over; nothing that
    // could end it runs on this thread until `f` returns, and others have no
    // part in it.
    let borrowed = unsafe { BorrowedDescriptor::borrow_raw(number) };
    f(&SockRef::from(&borrowed)).map_err(lacking)
}

/// That there is no such option (`ENOPROTOOPT`) is in the standard library's words
/// none of its kinds.
fn lacking(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(NO_OPTION) => io::Error::new(ErrorKind::Unsupported, error),
        _ => error,
    }
}

#[cfg(unix)]
const NO_OPTION: i32 = libc::ENOPROTOOPT;

/// `WSAENOPROTOOPT`.
#[cfg(windows)]
const NO_OPTION: i32 = 10042;

fn is_v6(socket: &Socket) -> io::Result<bool> {
    Ok(socket.local_addr()?.is_ipv6())
}

fn ask(socket: &Socket, keepalive: Option<Keepalive>) -> io::Result<()> {
    let Some(Keepalive { idle, interval, probes }) = keepalive else {
        return socket.set_keepalive(false);
    };
    let asked = TcpKeepalive::new().with_time(idle).with_interval(interval);
    socket.set_tcp_keepalive(&asked.with_retries(probes))
}

#[cfg(target_os = "linux")]
fn acknowledge_within(socket: &Socket, limit: Option<Duration>) -> io::Result<()> {
    socket.set_tcp_user_timeout(limit)
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_within(_socket: &Socket, _limit: Option<Duration>) -> io::Result<()> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "only Linux has a time limit for acknowledgements (TCP_USER_TIMEOUT)",
    ))
}

#[cfg(unix)]
fn traffic_class(socket: &Socket) -> io::Result<u32> {
    socket.tclass_v6()
}

#[cfg(unix)]
fn set_traffic_class(socket: &Socket, class: u32) -> io::Result<()> {
    socket.set_tclass_v6(class)
}

#[cfg(windows)]
const NO_TRAFFIC_CLASS: &str = "Windows has no traffic class for sockets of IPv6 (IPV6_TCLASS)";

#[cfg(windows)]
fn traffic_class(_socket: &Socket) -> io::Result<u32> {
    Err(io::Error::new(ErrorKind::Unsupported, NO_TRAFFIC_CLASS))
}

#[cfg(windows)]
fn set_traffic_class(_socket: &Socket, _class: u32) -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, NO_TRAFFIC_CLASS))
}
