//! Messages to more than one: groups and broadcast, and how far they go.

use super::socket_options::SocketOptions;
use super::udp_socket::UdpSocket;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Messages to more than one.
impl UdpSocket {
    /// Lets it send to broadcast addresses (`SO_BROADCAST`).
    ///
    /// asyncio: `allow_broadcast`.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_broadcast(&self, allow: bool) -> io::Result<()> {
        self.io().set_broadcast(allow)
    }

    /// Whether it may send to broadcast addresses.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.io().broadcast()
    }

    /// Receives the messages of `group` that come by the interface which has
    /// the address `interface`; unspecified, the system chooses one.
    ///
    /// # Errors
    ///
    /// The operating system's: no such group or interface.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io().join_multicast_v4(&group, &interface)
    }

    /// Receives the messages of `group` no more.
    ///
    /// # Errors
    ///
    /// The operating system's: it was not in the group.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.io().leave_multicast_v4(&group, &interface)
    }

    /// Receives the messages of `group` that come by the interface with the
    /// number `interface`; with 0, the system chooses one.
    ///
    /// # Errors
    ///
    /// The operating system's: no such group or interface.
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io().join_multicast_v6(&group, interface)
    }

    /// Receives the messages of `group` no more.
    ///
    /// # Errors
    ///
    /// The operating system's: it was not in the group.
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io().leave_multicast_v6(&group, interface)
    }

    /// Whether members on this machine get what it sends to groups of IPv4.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_multicast_loop_v4(&self, heard: bool) -> io::Result<()> {
        self.io().set_multicast_loop_v4(heard)
    }

    /// Whether members on this machine get what it sends to groups of IPv6.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_multicast_loop_v6(&self, heard: bool) -> io::Result<()> {
        self.io().set_multicast_loop_v6(heard)
    }

    /// By which interface messages to groups of IPv4 leave.
    ///
    /// # Errors
    ///
    /// The operating system's: no such interface.
    pub fn set_multicast_interface_v4(&self, interface: Ipv4Addr) -> io::Result<()> {
        socket2::SockRef::from(self.io()).set_multicast_if_v4(&interface)
    }

    /// By which interface messages to groups of IPv6 leave.
    ///
    /// # Errors
    ///
    /// The operating system's: no such interface.
    pub fn set_multicast_interface_v6(&self, interface: u32) -> io::Result<()> {
        socket2::SockRef::from(self.io()).set_multicast_if_v6(interface)
    }

    /// Over how many routers messages to groups of IPv4 go; with 0 they stay
    /// on this machine.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_multicast_ttl_v4(&self, hops: u32) -> io::Result<()> {
        self.io().set_multicast_ttl_v4(hops)
    }

    /// Over how many routers its other messages go, at most 255.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        SocketOptions::set_ttl(self, hops)
    }
}
