//! Where to connect to, or to listen: names, addresses, ports.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// One or several hosts, each with a port.
///
/// Whoever takes one takes all that becomes one:
///
/// ```
/// # use molen_core as molen;
/// use molen::net::Hosts;
/// # use core::net::{Ipv4Addr, SocketAddr};
/// # let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
/// Hosts::from("example.org:80"); // a name, which is looked up
/// Hosts::from(("example.org", 80));
/// Hosts::from(("192.0.2.1", 80)); // an address, which is not
/// Hosts::from((Ipv4Addr::LOCALHOST, 80));
/// Hosts::from(address);
/// Hosts::from([address, address]); // several, in this order
/// Hosts::from((["127.0.0.1", "::1"], 80));
/// Hosts::from(("", 80)); // to listen: all addresses of this machine; to connect: its loopback
/// ```
///
/// asyncio: the arguments `host` and `port`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosts(pub(super) Vec<Host>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Host {
    /// Nothing need be looked up.
    Address(SocketAddr),
    /// A name, or an address with a scope's name in it.
    Named(Box<str>, u16),
    /// This machine.
    This(u16),
    /// Not of the form `host:port`.
    Malformed(Box<str>),
}

#[cfg(feature = "tls")]
impl Hosts {
    /// The one name, or address as text, that all of them have.
    pub(super) fn one_name(&self) -> Option<String> {
        let name = |host: &Host| match host {
            Host::Address(address) => Some(alloc::format!("{}", address.ip())),
            Host::Named(name, _) => Some(String::from(&**name)),
            Host::This(_) => Some(String::from("localhost")),
            Host::Malformed(_) => None,
        };
        let (first, rest) = self.0.split_first()?;
        let first = name(first)?;
        rest.iter().all(|host| name(host).as_ref() == Some(&first)).then_some(first)
    }
}

impl Host {
    fn new(name: &str, port: u16) -> Host {
        match name.parse::<IpAddr>() {
            Ok(ip) => Host::Address(SocketAddr::new(ip, port)),
            Err(_) if name.is_empty() => Host::This(port),
            Err(_) => Host::Named(name.into(), port),
        }
    }

    fn parse(text: &str) -> Host {
        if let Ok(address) = text.parse() {
            return Host::Address(address);
        }
        let split = text.rsplit_once(':').and_then(|(name, port)| {
            let port = port.parse().ok()?;
            let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
            // Of an IPv6 address without brackets nobody knows where the port begins.
            let name = bracketed.or_else(|| (!name.contains(':')).then_some(name))?;
            Some(Host::new(name, port))
        });
        split.unwrap_or_else(|| Host::Malformed(text.into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Named(name, port) if name.contains(':') => write!(f, "[{name}]:{port}"),
            Host::Named(name, port) => write!(f, "{name}:{port}"),
            Host::This(port) => write!(f, "this machine, port {port}"),
            Host::Malformed(text) => write!(f, "{text:?}"),
        }
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no host");
        }
        for (number, host) in self.0.iter().enumerate() {
            write!(f, "{}{host}", if number == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Hosts {
    /// The host of `text`, with its port, or with `port` if it has none: what
    /// users of programs write.
    ///
    /// ```
    /// # use molen_core as molen;
    /// use molen::net::Hosts;
    /// for text in ["example.org", "example.org:6667"] {
    ///     assert_eq!(Hosts::with_default_port(text, 6667), Hosts::from(("example.org", 6667)));
    /// }
    /// for text in ["::1", "[::1]", "[::1]:53"] {
    ///     assert_eq!(Hosts::with_default_port(text, 53), Hosts::from(("::1", 53)));
    /// }
    /// ```
    pub fn with_default_port(text: &str, port: u16) -> Hosts {
        let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let name = bracketed.unwrap_or(text);
        let is_address = name.parse::<Ipv6Addr>().is_ok() || bracketed.is_some();
        Hosts(vec![match name.contains(':') && !is_address {
            true => Host::parse(text),
            false => Host::new(name, port),
        }])
    }
}

macro_rules! hosts_from {
    ($([$($generics:tt)*] $from:ty, $value:pat => $hosts:expr;)*) => {$(
        impl<$($generics)*> From<$from> for Hosts {
            fn from($value: $from) -> Hosts {
                Hosts($hosts)
            }
        }
    )*};
}
hosts_from! {
    [] SocketAddr, address => vec![Host::Address(address)];
    [] &SocketAddr, address => vec![Host::Address(*address)];
    [] SocketAddrV4, address => vec![Host::Address(address.into())];
    [] SocketAddrV6, address => vec![Host::Address(address.into())];
    [] (IpAddr, u16), address => vec![Host::Address(address.into())];
    [] (Ipv4Addr, u16), address => vec![Host::Address(address.into())];
    [] (Ipv6Addr, u16), address => vec![Host::Address(address.into())];
    [] (&str, u16), (name, port) => vec![Host::new(name, port)];
    [] (&String, u16), (name, port) => vec![Host::new(name, port)];
    [] (String, u16), (name, port) => vec![Host::new(&name, port)];
    [] (Option<&str>, u16), (name, port) => vec![Host::new(name.unwrap_or(""), port)];
    [] &str, text => vec![Host::parse(text)];
    [] &String, text => vec![Host::parse(text)];
    [] String, text => vec![Host::parse(&text)];
    [] (&[&str], u16), (names, port) => names.iter().map(|name| Host::new(name, port)).collect();
    [const N: usize] ([&str; N], u16), (names, port) =>
        names.iter().map(|name| Host::new(name, port)).collect();
    [const N: usize] (&[&str; N], u16), (names, port) =>
        names.iter().map(|name| Host::new(name, port)).collect();
    [] &[SocketAddr], addresses => addresses.iter().copied().map(Host::Address).collect();
    [] Vec<SocketAddr>, addresses => addresses.into_iter().map(Host::Address).collect();
    [] &Vec<SocketAddr>, addresses => addresses.iter().copied().map(Host::Address).collect();
    [const N: usize] [SocketAddr; N], addresses => addresses.into_iter().map(Host::Address).collect();
    [const N: usize] &[SocketAddr; N], addresses => addresses.iter().copied().map(Host::Address).collect();
    [] &[&str], texts => texts.iter().map(|text| Host::parse(text)).collect();
    [const N: usize] [&str; N], texts => texts.iter().map(|text| Host::parse(text)).collect();
    [] &[String], texts => texts.iter().map(|text| Host::parse(text)).collect();
    [] &Vec<String>, texts => texts.iter().map(|text| Host::parse(text)).collect();
    [] Vec<String>, texts => texts.iter().map(|text| Host::parse(text)).collect();
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn texts_are_names_or_addresses_with_a_port() {
        let one = |text: &str| Host::parse(text);
        assert_eq!(one("example.org:80"), Host::Named("example.org".into(), 80));
        assert_eq!(one("127.0.0.1:80"), Host::Address("127.0.0.1:80".parse().unwrap()));
        assert_eq!(one("[::1]:80"), Host::Address("[::1]:80".parse().unwrap()));
        assert_eq!(one("[fe80::1%lo]:80"), Host::Named("fe80::1%lo".into(), 80));
        assert_eq!(one(":80"), Host::This(80));
        for malformed in ["example.org", "::1", "::1:80", "a:b", "a:70000", "", "a:"] {
            assert_eq!(one(malformed), Host::Malformed(malformed.into()));
        }
        let shown = |host: &str| Host::new(host, 80).to_string();
        assert_eq!(shown("fe80::1%lo"), "[fe80::1%lo]:80");
        assert_eq!(shown("::1"), "[::1]:80");
        assert_eq!(shown(""), "this machine, port 80");
        assert_eq!(Hosts::from((["a", "::1"], 7)).to_string(), "a:7, [::1]:7");
    }
}
