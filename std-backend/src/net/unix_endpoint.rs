//! Endpoints of Unix sockets.

use super::UnixDatagram;
use super::unix_error::UnixError;
use super::unix_name::{Doing, ToUnixAddress};
use core::fmt;
use core::pin::Pin;
use molen_core::net::{
    DatagramProtocol, DatagramTransport, UnixAddress, UnixAddressError, connect_datagram_socket,
};

/// An endpoint of Unix sockets that is made when this is awaited: see
/// [`create_datagram_endpoint`](super::create_datagram_endpoint).
///
/// A socket that is at its path already is replaced, as for servers. When the
/// endpoint is closed, the path is removed, unless another socket is there by
/// then (asyncio leaves it).
///
/// Who has no path gets no answers.
#[must_use = "there is no endpoint unless this is awaited"]
pub struct UnixEndpoint<P> {
    local: Doing,
    remote: Option<Doing>,
    protocol: P,
}

impl<P> fmt::Debug for UnixEndpoint<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixEndpoint").finish_non_exhaustive()
    }
}

/// The future of a [`UnixEndpoint`].
pub type OpeningUnixEndpoint =
    Pin<Box<dyn Future<Output = Result<DatagramTransport<UnixAddress>, UnixError>>>>;

impl<P> UnixEndpoint<P> {
    pub(super) fn new(
        local: &impl ToUnixAddress,
        remote: Option<&impl ToUnixAddress>,
        protocol: P,
    ) -> UnixEndpoint<P> {
        let remote = remote.map(|remote| Doing::new("exchange datagrams with", remote));
        UnixEndpoint { local: Doing::new("receive datagrams on", local), remote, protocol }
    }
}

impl<P: DatagramProtocol<UnixAddress> + 'static> IntoFuture for UnixEndpoint<P> {
    type Output = Result<DatagramTransport<UnixAddress>, UnixError>;
    type IntoFuture = OpeningUnixEndpoint;

    fn into_future(self) -> OpeningUnixEndpoint {
        Box::pin(async move {
            let UnixEndpoint { local, remote, protocol } = self;
            let address = match local.checked_address() {
                Err(UnixAddressError::Empty) => UnixAddress::UNNAMED,
                _ => local.address()?,
            };
            let peer = remote.as_ref().map(Doing::address).transpose()?;
            let failed = |cause| remote.as_ref().unwrap_or(&local).failed(cause);
            let socket = UnixDatagram::open(&address, peer).map_err(failed)?;
            connect_datagram_socket(socket, protocol, peer).await.map_err(failed)
        })
    }
}
