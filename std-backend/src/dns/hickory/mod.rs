//! A resolver that asks name servers itself, on the loop and without threads:
//! [hickory-resolver](hickory_resolver) over this crate's sockets and timers.
//!
//! ```text
//!  getaddrinfo ─▶ HickoryResolver ─┬─ numbers, services by name ─▶ SystemResolver
//!                                  └─ names ─▶ hickory: hosts file, cache, search list
//!                                       │         A ┊ AAAA, at once
//!                                       ▼
//!                    UDP ──no answer──▶ again, the next server ──▶ TryAgain
//!                     └──truncated──▶ TCP
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `runtime` | what hickory needs of a runtime: sockets, timers, tasks |
//! | `servers` | servers that fail are followed by the next |

mod runtime;
mod servers;

use super::dns_error::{DnsError, DnsFailure};
use super::numeric;
use super::query::{
    AddrInfo, AddrInfoFlags, AddrInfoHints, AddrInfoQuery, Family, NameInfo, NameInfoFlags, Service,
};
use super::resolver::{Lookup, Resolver};
use super::system::SystemResolver;
use core::fmt;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup as Answers;
use hickory_resolver::net::{self, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{Resolver as Hickory, ResolverBuilder};
use servers::{NoHelp, Servers};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Asks name servers itself, on the loop's own thread: many names at a time
/// cost sockets, not threads, and a question that is given up is gone at once.
///
/// Names are looked for in the hosts file and in answers that are still fresh,
/// then asked for at the servers, of both families at once; a truncated answer
/// is asked for again over TCP, and a server that does not answer, or fails, is
/// followed by the next. Addresses that this machine has no route to come last.
///
/// What else a system is set up for (multicast DNS, LDAP, …) is not asked; nor
/// does a change of its settings show, but in a new resolver. Services by their
/// names and addresses with scopes are left to [`SystemResolver`].
///
/// It belongs to one loop, that which runs when it is first asked.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::dns::{HickoryResolver, ResolverEventLoop};
/// use std::rc::Rc;
///
/// let event_loop = molen::new_event_loop()?;
/// let resolver = HickoryResolver::with_servers(["192.0.2.53:53".parse()?])?;
/// event_loop.set_resolver(Some(Rc::new(resolver)))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HickoryResolver {
    names: Hickory<Servers>,
    system: SystemResolver,
    // That which is not `Send`, as nothing behind it is, whatever it says.
    _of_one_thread: core::marker::PhantomData<*const ()>,
}

impl HickoryResolver {
    /// One with the system's name servers, search list and options, as they are
    /// now: `/etc/resolv.conf`, or what Windows and macOS have for it. That is
    /// read at once.
    ///
    /// # Errors
    ///
    /// [`DnsError`]: there is no configuration, or it is not understood.
    pub fn from_system() -> Result<HickoryResolver, DnsError> {
        HickoryResolver::build(Hickory::builder(Servers))
    }

    /// One that asks these servers, over UDP and TCP, and has no search list.
    ///
    /// # Errors
    ///
    /// As for [`with_config`](Self::with_config).
    pub fn with_servers(
        servers: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<HickoryResolver, DnsError> {
        let servers = servers.into_iter().map(|server| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let with_port = connections.map(|mut connection| {
                connection.port = server.port();
                connection
            });
            NameServerConfig::new(server.ip(), true, with_port.into())
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        HickoryResolver::with_config(config, ResolverOpts::default())
    }

    /// One with hickory's own configuration: how long, how often, in which order
    /// servers are asked, the search list, the cache.
    ///
    /// # Errors
    ///
    /// [`DnsError`]: hickory refuses it.
    pub fn with_config(
        config: ResolverConfig,
        options: ResolverOpts,
    ) -> Result<HickoryResolver, DnsError> {
        let builder = Hickory::builder_with_config(config, Servers);
        HickoryResolver::build(Ok(builder.with_options(options)))
    }

    fn build(
        builder: Result<ResolverBuilder<Servers>, NetError>,
    ) -> Result<HickoryResolver, DnsError> {
        let names = builder.and_then(ResolverBuilder::build).map_err(|error| DnsError {
            question: "names: the configuration of the resolver".to_owned(),
            cause: failure(&error),
        })?;
        let _of_one_thread = core::marker::PhantomData;
        Ok(HickoryResolver { names, system: SystemResolver::default(), _of_one_thread })
    }
}

impl Resolver for HickoryResolver {
    fn getaddrinfo(&self, query: AddrInfoQuery) -> Lookup<Vec<AddrInfo>> {
        let Some(host) = name_of(&query) else {
            return self.system.getaddrinfo(query);
        };
        let question = query.to_string();
        if query.hints.flags.contains(AddrInfoFlags::NUMERIC_HOST) {
            let cause = DnsFailure::NotFound;
            return Box::pin(core::future::ready(Err(DnsError { question, cause })));
        }
        let (names, system) = (self.names.clone(), self.system.clone());
        Box::pin(async move {
            let answer = async {
                let sockets = sockets(&system, query.service, query.hints).await?;
                let answers = addresses(&names, &host, query.hints.family).await?;
                found(&answers, &sockets, query.hints.flags)
            };
            answer.await.map_err(|cause| DnsError { question, cause })
        })
    }

    fn getnameinfo(&self, address: SocketAddr, flags: NameInfoFlags) -> Lookup<NameInfo> {
        let (names, system) = (self.names.clone(), self.system.clone());
        let numeric = flags.contains(NameInfoFlags::NUMERIC_HOST);
        let required = flags.contains(NameInfoFlags::NAME_REQUIRED);
        Box::pin(async move {
            let name = match numeric {
                true => None,
                false => match host_of(&names, address.ip()).await {
                    Err(DnsFailure::NotFound) if !required => None,
                    found => Some(
                        found.map_err(|cause| DnsError { question: address.to_string(), cause })?,
                    ),
                },
            };
            // The host in numbers, and the service's name, are the system's.
            let numbers = flags.without(NameInfoFlags::NAME_REQUIRED) | NameInfoFlags::NUMERIC_HOST;
            let local = match numeric::name_info(address, numbers) {
                Some(local) => local,
                None => system.getnameinfo(address, numbers).await?,
            };
            Ok(NameInfo { host: name.unwrap_or(local.host), service: local.service })
        })
    }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver").finish_non_exhaustive()
    }
}

/// The name to ask name servers for; none for this machine, and for addresses
/// in numbers.
fn name_of(query: &AddrInfoQuery) -> Option<String> {
    let host = query.host.as_deref()?;
    let is_number = host.parse::<IpAddr>().is_ok() || host.contains('%');
    (!is_number && !host.is_empty()).then(|| host.to_owned())
}

/// A socket for each kind that `hints` allow, with the port of `service`.
async fn sockets(
    system: &SystemResolver,
    service: Service,
    hints: AddrInfoHints,
) -> Result<Vec<AddrInfo>, DnsFailure> {
    // What is true of any address in numbers is true of those that names have.
    let hints = AddrInfoHints {
        family: Family::Inet,
        flags: AddrInfoFlags::NUMERIC_HOST | hints.flags.only(AddrInfoFlags::NUMERIC_SERVICE),
        ..hints
    };
    let query = AddrInfoQuery { host: Some("127.0.0.1".into()), service, hints };
    match numeric::addr_info(&query) {
        Some(socket) => Ok(vec![socket]),
        None => system.getaddrinfo(query).await.map_err(|error| error.cause),
    }
}

async fn addresses(
    names: &Hickory<Servers>,
    host: &str,
    family: Family,
) -> Result<Answers, DnsFailure> {
    let name = Name::from_utf8(host).map_err(|_malformed| DnsFailure::NotFound)?;
    let answers = match family {
        Family::Any => names.lookup_ip(name).await.map(Answers::from),
        Family::Inet => names.ipv4_lookup(name).await,
        Family::Inet6 => names.ipv6_lookup(name).await,
    };
    answers.map_err(|error| failure(&error))
}

/// Every address with every socket, best addresses first.
fn found(
    answers: &Answers,
    sockets: &[AddrInfo],
    flags: AddrInfoFlags,
) -> Result<Vec<AddrInfo>, DnsFailure> {
    let records =
        || answers.answers().iter().filter_map(|record| Some((record, record.data.ip_addr()?)));
    let mut ips: Vec<(bool, IpAddr)> = records().map(|(_, ip)| (is_routed(ip), ip)).collect();
    // RFC 6724, section 6, rules 1 and 6; servers' own order stays.
    ips.sort_by_key(|(routed, ip)| (!routed, ip.is_ipv4()));
    if flags.contains(AddrInfoFlags::ADDRESS_CONFIGURED) && ips.iter().any(|(routed, _)| *routed) {
        ips.retain(|(routed, _)| *routed);
    }
    let mut found: Vec<AddrInfo> = Vec::with_capacity(ips.len() * sockets.len());
    for (_, ip) in ips {
        for socket in sockets {
            let address = SocketAddr::new(ip, socket.address.port());
            let info = AddrInfo { address, canonical_name: None, ..socket.clone() };
            if !found.contains(&info) {
                found.push(info);
            }
        }
    }
    let first = found.first_mut().ok_or(DnsFailure::NotFound)?;
    if flags.contains(AddrInfoFlags::CANONICAL_NAME) {
        // Aliases come before the addresses, which are those of the name itself.
        first.canonical_name = records().next().map(|(record, _)| text(&record.name));
    }
    Ok(found)
}

/// Whether this machine has a route to `ip`. Nothing is sent.
fn is_routed(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Any port does.
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((ip, 9))).is_ok()
}

/// The name of `ip`.
async fn host_of(names: &Hickory<Servers>, ip: IpAddr) -> Result<String, DnsFailure> {
    let answers = names.reverse_lookup(ip).await.map_err(|error| failure(&error))?;
    let name = answers.answers().iter().find_map(|record| match &record.data {
        RData::PTR(name) => Some(text(name)),
        _ => None,
    });
    name.ok_or(DnsFailure::NotFound)
}

/// A name as the system writes it, without the root's dot.
fn text(name: &Name) -> String {
    let mut text = name.to_ascii();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

fn failure(error: &NetError) -> DnsFailure {
    match error {
        NetError::Dns(net::DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain | ResponseCode::NoError => DnsFailure::NotFound,
            _ => DnsFailure::TryAgain,
        },
        NetError::Timeout | NetError::Busy | NetError::NoConnections => DnsFailure::TryAgain,
        NetError::Io(cause) if cause.kind() == io::ErrorKind::TimedOut => DnsFailure::TryAgain,
        NetError::Io(cause) if cause.get_ref().is_some_and(|cause| cause.is::<NoHelp>()) => {
            DnsFailure::TryAgain
        }
        NetError::Io(cause) => DnsFailure::Os(io::Error::new(cause.kind(), cause.to_string())),
        other => DnsFailure::Os(io::Error::other(other.to_string())),
    }
}
