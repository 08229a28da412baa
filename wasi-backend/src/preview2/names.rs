//! Names to addresses, by `wasi:sockets/ip-name-lookup`.

use super::watch::Watch;
use super::{PLATFORM, address};
use alloc::format;
use core::future::poll_fn;
use core::net::IpAddr;
use core::task::Poll;
use molen_core::Unsupported;
use molen_core::io::Ready;
use molen_core::net::NameError;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::{ResolveAddressStream, resolve_addresses};
use wasip2::sockets::network::ErrorCode;

/// A question for a name. Dropping it withdraws it.
pub(super) struct LookUp {
    // The order of the fields is the order of their drops: children first.
    watch: Watch,
    answers: ResolveAddressStream,
}

impl LookUp {
    /// Asks the host for the addresses of `name`.
    ///
    /// # Errors
    ///
    /// [`NameError`]: it is no name, or the host lets the component ask for none.
    pub(super) fn begin(name: &str) -> Result<LookUp, NameError> {
        let answers = resolve_addresses(&instance_network(), name).map_err(name_error)?;
        Ok(LookUp { watch: Watch::new(Some(answers.subscribe()), None), answers })
    }

    /// The next address; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`NameError`].
    ///
    /// # Cancellation
    ///
    /// No address is lost.
    pub(super) async fn next(&self) -> Result<Option<IpAddr>, NameError> {
        poll_fn(|cx| {
            loop {
                match self.answers.resolve_next_address() {
                    Err(ErrorCode::WouldBlock) => {
                        self.watch.clear(Ready::READABLE);
                        core::task::ready!(self.watch.poll_ready(cx, Ready::READABLE));
                    }
                    Ok(next) => return Poll::Ready(Ok(next.map(address::ip_from_host))),
                    Err(code) => return Poll::Ready(Err(name_error(code))),
                }
            }
        })
        .await
    }
}

fn name_error(code: ErrorCode) -> NameError {
    let unsupported = |reason| {
        let operation = "resolving a host name";
        NameError::Unsupported(Unsupported { operation, platform: PLATFORM, reason })
    };
    match code {
        ErrorCode::NameUnresolvable => NameError::NotFound,
        ErrorCode::TemporaryResolverFailure => NameError::TryAgain,
        // wasmtime says so to all questions, unless it was told to allow them.
        ErrorCode::AccessDenied | ErrorCode::PermanentResolverFailure => unsupported(
            "the host's resolver refuses (wasmtime allows names with `-S allow-ip-name-lookup`)",
        ),
        ErrorCode::NotSupported => unsupported("the host has no names"),
        ErrorCode::InvalidArgument => NameError::Other("it cannot be a name".into()),
        other => NameError::Other(format!("the host's resolver: {}", other.name()).into()),
    }
}
