//! The system's resolver and its threads.

use super::dns_error::{DnsError, DnsFailure};
use super::query::{
    AddrInfo, AddrInfoFlags, AddrInfoHints, AddrInfoQuery, Family, NameInfo, NameInfoFlags,
    Service, SocketType,
};
use super::resolver::{Lookup, Resolver};
use crate::executor::ThreadPoolExecutor;
use core::fmt;
use molen_core::executor::{Executor, submit};
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

/// How many names are looked for at a time, by all loops of the process.
const THREADS: NonZero<usize> = NonZero::new(16).unwrap();

/// The system's `getaddrinfo` and `getnameinfo`: the hosts file, DNS, and what
/// else the system is set up for.
///
/// All that are made by `default` share sixteen threads, which are started
/// when they are needed and run nothing else. When all of them wait for
/// servers that do not answer, the next question waits too.
#[derive(Clone)]
pub struct SystemResolver {
    executor: Arc<dyn Executor>,
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemResolver").finish_non_exhaustive()
    }
}

impl SystemResolver {
    /// One whose functions run in `executor`.
    pub fn with_executor(executor: Arc<dyn Executor>) -> SystemResolver {
        SystemResolver { executor }
    }

    fn ask<T: Send + 'static>(
        &self,
        question: String,
        ask: impl FnOnce() -> Result<T, DnsFailure> + Send + 'static,
    ) -> Lookup<T> {
        // Submitted when it is first polled, as a coroutine would be.
        let executor = self.executor.clone();
        Box::pin(async move {
            let answer = match submit(&*executor, ask) {
                Ok(job) => job.await.unwrap_or_else(|error| Err(DnsFailure::Job(error))),
                Err(refused) => Err(DnsFailure::Refused(refused.reason)),
            };
            answer.map_err(|cause| DnsError { question, cause })
        })
    }
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        static SHARED: OnceLock<Arc<ThreadPoolExecutor>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Arc::new(ThreadPoolExecutor::new(THREADS, "molen-dns")));
        SystemResolver { executor: shared.clone() }
    }
}

impl Resolver for SystemResolver {
    fn getaddrinfo(&self, query: AddrInfoQuery) -> Lookup<Vec<AddrInfo>> {
        let service = match &query.service {
            Service::None => None,
            Service::Port(port) => Some(port.to_string()),
            Service::Name(name) => Some(name.to_string()),
        };
        let question = query.to_string();
        self.ask(question, move || {
            let hints = system_hints(&query.hints);
            let found =
                dns_lookup::getaddrinfo(query.host.as_deref(), service.as_deref(), Some(hints))?;
            // Addresses of families that have no `SocketAddr` are passed over.
            Ok(found.filter_map(Result::ok).map(addr_info).collect())
        })
    }

    fn getnameinfo(&self, address: SocketAddr, flags: NameInfoFlags) -> Lookup<NameInfo> {
        self.ask(address.to_string(), move || {
            let (host, service) = dns_lookup::getnameinfo(&address, number::name_info(flags))?;
            Ok(NameInfo { host, service })
        })
    }
}

fn system_hints(hints: &AddrInfoHints) -> dns_lookup::AddrInfoHints {
    dns_lookup::AddrInfoHints {
        flags: number::addr_info(hints.flags),
        address: match hints.family {
            Family::Any => 0,
            Family::Inet => socket2::Domain::IPV4.into(),
            Family::Inet6 => socket2::Domain::IPV6.into(),
        },
        socktype: match hints.socket_type {
            SocketType::Any => 0,
            SocketType::Stream => socket2::Type::STREAM.into(),
            SocketType::Datagram => socket2::Type::DGRAM.into(),
            SocketType::Other(number) => number,
        },
        protocol: hints.protocol,
    }
}

fn addr_info(found: dns_lookup::AddrInfo) -> AddrInfo {
    AddrInfo {
        socket_type: match socket2::Type::from(found.socktype) {
            socket2::Type::STREAM => SocketType::Stream,
            socket2::Type::DGRAM => SocketType::Datagram,
            // Windows has one answer for all.
            _ if found.socktype == 0 => SocketType::Any,
            _ => SocketType::Other(found.socktype),
        },
        protocol: found.protocol,
        canonical_name: found.canonname,
        address: found.sockaddr,
    }
}

impl From<io::Error> for DnsFailure {
    fn from(error: io::Error) -> DnsFailure {
        DnsFailure::Os(error)
    }
}

/// The system's numbers for flags.
mod number {
    use super::{AddrInfoFlags, NameInfoFlags};
    #[cfg(unix)]
    use libc::{
        AI_ADDRCONFIG, AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_PASSIVE, NI_DGRAM,
        NI_NAMEREQD, NI_NUMERICHOST, NI_NUMERICSERV,
    };
    #[cfg(windows)]
    use windows::{
        AI_ADDRCONFIG, AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_PASSIVE, NI_DGRAM,
        NI_NAMEREQD, NI_NUMERICHOST, NI_NUMERICSERV,
    };

    /// Of `ws2tcpip.h`.
    #[cfg(windows)]
    mod windows {
        pub(super) const AI_PASSIVE: i32 = 1;
        pub(super) const AI_CANONNAME: i32 = 2;
        pub(super) const AI_NUMERICHOST: i32 = 4;
        pub(super) const AI_NUMERICSERV: i32 = 8;
        pub(super) const AI_ADDRCONFIG: i32 = 0x400;
        pub(super) const NI_NUMERICHOST: i32 = 2;
        pub(super) const NI_NAMEREQD: i32 = 4;
        pub(super) const NI_NUMERICSERV: i32 = 8;
        pub(super) const NI_DGRAM: i32 = 16;
    }

    pub(super) fn addr_info(flags: AddrInfoFlags) -> i32 {
        let number = |flag, number| if flags.contains(flag) { number } else { 0 };
        number(AddrInfoFlags::PASSIVE, AI_PASSIVE)
            | number(AddrInfoFlags::CANONICAL_NAME, AI_CANONNAME)
            | number(AddrInfoFlags::NUMERIC_HOST, AI_NUMERICHOST)
            | number(AddrInfoFlags::NUMERIC_SERVICE, AI_NUMERICSERV)
            | number(AddrInfoFlags::ADDRESS_CONFIGURED, AI_ADDRCONFIG)
    }

    pub(super) fn name_info(flags: NameInfoFlags) -> i32 {
        let number = |flag, number| if flags.contains(flag) { number } else { 0 };
        number(NameInfoFlags::NUMERIC_HOST, NI_NUMERICHOST)
            | number(NameInfoFlags::NUMERIC_SERVICE, NI_NUMERICSERV)
            | number(NameInfoFlags::NAME_REQUIRED, NI_NAMEREQD)
            | number(NameInfoFlags::DATAGRAM, NI_DGRAM)
    }
}
