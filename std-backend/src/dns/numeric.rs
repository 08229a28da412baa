//! Questions that are their own answer.
//!
//! asyncio: `_ipaddr_info`.

use super::query::{
    AddrInfo, AddrInfoFlags, AddrInfoQuery, Family, NameInfo, NameInfoFlags, Service, SocketType,
};
use std::net::{IpAddr, SocketAddr};

const TCP: i32 = 6;
const UDP: i32 = 17;

/// The answer, if nobody need be asked for it.
pub(super) fn addr_info(query: &AddrInfoQuery) -> Option<AddrInfo> {
    let hints = &query.hints;
    // Several sockets would do, and the system knows which.
    let protocol = match hints.socket_type {
        SocketType::Stream => TCP,
        SocketType::Datagram => UDP,
        SocketType::Any | SocketType::Other(_) => return None,
    };
    // Whatever does not fit together is for the system to refuse.
    if hints.protocol != 0 && hints.protocol != protocol
        || hints.flags.contains(AddrInfoFlags::CANONICAL_NAME)
    {
        return None;
    }
    // An address with a scope's name in it is not parsed here.
    let address: IpAddr = query.host.as_deref()?.parse().ok()?;
    match hints.family {
        Family::Inet if !address.is_ipv4() => return None,
        Family::Inet6 if !address.is_ipv6() => return None,
        _ => {}
    }
    let port = match &query.service {
        Service::None => 0,
        Service::Port(port) => *port,
        Service::Name(name) if name.bytes().all(|byte| byte.is_ascii_digit()) => {
            name.parse().ok()?
        }
        Service::Name(_) => return None,
    };
    Some(AddrInfo {
        socket_type: hints.socket_type,
        protocol,
        canonical_name: None,
        address: SocketAddr::new(address, port),
    })
}

/// The answer, if nobody need be asked for it.
pub(super) fn name_info(address: SocketAddr, flags: NameInfoFlags) -> Option<NameInfo> {
    let numbers = NameInfoFlags::NUMERIC_HOST | NameInfoFlags::NUMERIC_SERVICE;
    // The system writes a scope by the name of its interface.
    let has_scope = matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0);
    if has_scope || !flags.contains(numbers) || flags.contains(NameInfoFlags::NAME_REQUIRED) {
        return None;
    }
    Some(NameInfo { host: address.ip().to_string(), service: address.port().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::AddrInfoHints;

    fn asked(host: &str, service: impl Into<Service>, hints: AddrInfoHints) -> Option<SocketAddr> {
        let query = AddrInfoQuery { host: Some(host.into()), service: service.into(), hints };
        addr_info(&query).map(|info| info.address)
    }

    #[test]
    fn numbers_need_no_resolver_and_everything_else_does() {
        let stream = AddrInfoHints { socket_type: SocketType::Stream, ..Default::default() };
        let v4 = |port| Some(SocketAddr::from(([1, 2, 3, 4], port)));
        assert_eq!(asked("1.2.3.4", 80, stream), v4(80));
        assert_eq!(asked("1.2.3.4", Service::None, stream), v4(0));
        assert_eq!(asked("1.2.3.4", "80", stream), v4(80));
        assert_eq!(asked("::1", 80, stream), Some("[::1]:80".parse().unwrap()));
        assert_eq!(asked("::1%lo", 80, stream), None, "a scope has a name");
        assert_eq!(asked("1.2.3.4", "http", stream), None);
        assert_eq!(asked("1.2.3.4", "", stream), None);
        assert_eq!(asked("1.2.3.4", "70000", stream), None);
        assert_eq!(asked("1.2.3", 80, stream), None);
        assert_eq!(asked("localhost", 80, stream), None);
        assert_eq!(asked("1.2.3.4", 80, AddrInfoHints::default()), None, "of which type?");
        assert_eq!(asked("1.2.3.4", 80, AddrInfoHints { family: Family::Inet6, ..stream }), None);
        assert_eq!(asked("::1", 80, AddrInfoHints { family: Family::Inet, ..stream }), None);
        assert_eq!(asked("1.2.3.4", 80, AddrInfoHints { protocol: UDP, ..stream }), None);
    }

    #[test]
    fn both_as_numbers_need_no_resolver() {
        let numbers = NameInfoFlags::NUMERIC_HOST | NameInfoFlags::NUMERIC_SERVICE;
        let found = name_info("[::1]:53".parse().unwrap(), numbers).unwrap();
        assert_eq!((&*found.host, &*found.service), ("::1", "53"));
        assert_eq!(name_info("[fe80::1%1]:53".parse().unwrap(), numbers), None);
        assert_eq!(name_info("[::1]:53".parse().unwrap(), NameInfoFlags::NUMERIC_HOST), None);
    }
}
