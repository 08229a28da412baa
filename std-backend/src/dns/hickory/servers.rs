//! Servers that fail are followed by the next.
//!
//! hickory goes on with the next server when one does not answer, but takes
//! `SERVFAIL`, `REFUSED` and their kind for the answer, even while another
//! server is being asked. As systems' resolvers do, these are taken for a server
//! that cannot be used.

use super::runtime::RunningLoop;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;
use hickory_resolver::config::ConnectionConfig;
use hickory_resolver::net::NetError;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, ResponseCode};
use hickory_resolver::{ConnectionProvider, PoolContext};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// Connects to servers from the running loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Servers;

impl ConnectionProvider for Servers {
    type Conn = Server;
    type FutureConn = Pin<Box<dyn Future<Output = Result<Server, NetError>> + Send>>;
    type RuntimeProvider = RunningLoop;

    fn new_connection(
        &self,
        ip: IpAddr,
        config: &ConnectionConfig,
        context: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        let connecting = RunningLoop.new_connection(ip, config, context)?;
        Ok(Box::pin(async move { connecting.await.map(Server) }))
    }

    fn runtime_provider(&self) -> &RunningLoop {
        &RunningLoop
    }
}

/// A server that can be asked.
#[derive(Clone)]
pub(super) struct Server(DnsExchange<RunningLoop>);

impl DnsHandle for Server {
    type Response = Answer;
    type Runtime = RunningLoop;

    fn send(&self, request: DnsRequest) -> Answer {
        Answer(self.0.send(request))
    }
}

/// A server's answer, which will come.
pub(super) struct Answer(<DnsExchange<RunningLoop> as DnsHandle>::Response);

impl Stream for Answer {
    type Item = Result<DnsResponse, NetError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.0).poll_next(cx);
        next.map(|next| next.map(|answer| answer.and_then(of_use)))
    }
}

/// A server's answer, unless it says that the server has none to give.
fn of_use(answer: DnsResponse) -> Result<DnsResponse, NetError> {
    use ResponseCode::{FormErr, NotImp, Refused, ServFail};
    match answer.response_code {
        code @ (FormErr | NotImp | Refused | ServFail) => {
            Err(NetError::Io(Arc::new(io::Error::other(NoHelp(code)))))
        }
        _ => Ok(answer),
    }
}

/// What a server says instead of an answer.
#[derive(Debug)]
pub(super) struct NoHelp(ResponseCode);

impl fmt::Display for NoHelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name server has no answer: {}", self.0)
    }
}

impl core::error::Error for NoHelp {}
