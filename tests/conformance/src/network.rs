//! A network that a case scripts: which addresses answer when, and which names
//! there are.

use crate::fixture::{OnDrop, event, ms};
use core::net::SocketAddr;
use core::task::{Context, Poll};
use molen::io::source::{AcceptSource, End, Source, SourceError};
use molen::io::{Interest, Registration};
use molen::net::{Addresses, Family, ListenOptions, NameError, NetError, Network};
use molen::sleep;
use molen::testing::{FaultSource, FaultUser, Told};
use std::boxed::Box;

/// What happens at an address.
pub(crate) struct At {
    /// The address, as [`address`] reads it.
    pub(crate) address: &'static str,
    /// What is noted when somebody connects or listens there, and what when
    /// that is over, however it ends.
    pub(crate) begun: &'static str,
    pub(crate) over: &'static str,
    /// After how many milliseconds it is answered.
    pub(crate) after: u64,
    pub(crate) answer: Result<(), SourceError>,
}

/// At `address` it is answered after so long.
pub(crate) const fn at(
    address: &'static str,
    begun: &'static str,
    over: &'static str,
    after: u64,
    answer: Result<(), SourceError>,
) -> At {
    At { address, begun, over, after, answer }
}

/// A name, and its addresses.
pub(crate) type Name = (&'static str, &'static [&'static str]);

/// What is connected to at the end, and what there is.
#[derive(Clone, Copy)]
pub(crate) struct Scripted {
    pub(crate) peer: &'static FaultSource,
    pub(crate) at: &'static [At],
    pub(crate) names: &'static [Name],
}

/// The address that `text` is.
pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

impl Scripted {
    /// What happens at `wanted`; nobody is anywhere else.
    fn find(&self, wanted: SocketAddr) -> &'static At {
        const NOBODY: &At =
            &at("", "nobody", "nobody over", 0, Err(SourceError::ConnectionRefused));
        self.at.iter().find(|at| address(at.address) == wanted).unwrap_or(NOBODY)
    }
}

impl Network for Scripted {
    type Stream = FaultUser;
    type Listener = Listening;

    fn connect(
        &self,
        address: SocketAddr,
        local: Option<SocketAddr>,
    ) -> impl Future<Output = Result<FaultUser, NetError>> + 'static {
        let (to, peer) = (self.find(address), self.peer);
        let from = local.map(|local| (local, self.find(local)));
        async move {
            if let Some((local, from)) = from {
                event(from.begun);
                let failed = |cause| NetError { operation: "bind to", address: local, cause };
                from.answer.map_err(failed)?;
            }
            event(to.begun);
            let _over = OnDrop(to.over);
            sleep(ms(to.after)).await;
            let failed = |cause| NetError { operation: "connect to", address, cause };
            to.answer.map(|()| peer.user(Told::ByEvents)).map_err(failed)
        }
    }

    /// Port 0 is given port 7000.
    fn listen(
        &self,
        mut address: SocketAddr,
        _options: &ListenOptions,
    ) -> Result<Listening, NetError> {
        let at = self.find(address);
        event(at.begun);
        at.answer.map_err(|cause| NetError { operation: "listen on", address, cause })?;
        if address.port() == 0 {
            address.set_port(7000);
        }
        Ok(Listening { address, registration: Registration::new(), _over: OnDrop(at.over) })
    }

    /// After a millisecond; of the family `Inet6` only if they begin so.
    fn resolve(&self, host: &str, port: u16, _family: Family) -> Addresses {
        event("asked");
        let found = self.names.iter().find(|(name, _)| *name == host);
        Box::pin(async move {
            let _over = OnDrop("answered");
            sleep(ms(1)).await;
            let (_, addresses) = found.ok_or(NameError::NotFound)?;
            let with_port = |ip: &&str| SocketAddr::new(address(ip).ip(), port);
            Ok(addresses.iter().map(with_port).collect())
        })
    }
}

/// A listener to which nobody comes.
pub(crate) struct Listening {
    address: SocketAddr,
    registration: Registration,
    _over: OnDrop,
}

impl Source for Listening {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.registration.poll_ready(cx, interest)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        (end == End::Local).then_some(self.address)
    }
}

impl AcceptSource for Listening {
    type Connection = FaultUser;

    fn try_accept(&self) -> Result<FaultUser, SourceError> {
        self.registration.clear(molen::io::Ready::READABLE);
        Err(SourceError::WouldBlock)
    }
}
