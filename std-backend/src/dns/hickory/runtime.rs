//! What hickory needs of a runtime, by the loop that runs.
//!
//! Its traits are made for runtimes that move futures between threads, and want
//! everything to be [`Send`]. Nothing is moved here: a future is made, polled
//! and dropped by tasks of one loop, and so on one thread. What is not `Send`
//! is in a [`SendWrapper`], which checks that with each access. None fails: the
//! only way to these types is the resolver, which is not `Send` itself.

use crate::net::{TcpStream, UdpSocket};
use async_trait::async_trait;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use futures_io::{AsyncRead, AsyncWrite};
use hickory_resolver::net::runtime::{DnsTcpStream, DnsUdpSocket, RuntimeProvider, Spawn, Time};
use molen_core::get_running_loop;
use molen_core::io::Interest;
use molen_core::io::source::{SourceError, poll_io};
use molen_core::task::create_hidden_task;
use molen_core::{sleep, timeout};
use send_wrapper::SendWrapper;
use std::io;
use std::net::SocketAddr;

/// How long connecting may take, unless hickory says it.
const CONNECTING: Duration = Duration::from_secs(5);

/// Whichever loop runs on this thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunningLoop;

type Soon<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl RuntimeProvider for RunningLoop {
    type Handle = RunningLoop;
    type Timer = RunningLoop;
    type Udp = Udp;
    type Tcp = Tcp;

    fn create_handle(&self) -> RunningLoop {
        *self
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        limit: Option<Duration>,
    ) -> Soon<Tcp> {
        Box::pin(SendWrapper::new(async move {
            let connecting = TcpStream::connect_from(server, local);
            let stream = within(limit.unwrap_or(CONNECTING), connecting).await??;
            stream.set_nodelay(true)?;
            Ok(Tcp(SendWrapper::new(stream)))
        }))
    }

    fn bind_udp(&self, local: SocketAddr, _server: SocketAddr) -> Soon<Udp> {
        let bound = UdpSocket::bind(local).map_err(io::Error::from);
        Box::pin(core::future::ready(bound.map(|socket| Udp(SendWrapper::new(socket)))))
    }
}

impl Spawn for RunningLoop {
    fn spawn_bg(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        // Refused only by a loop that closes. Then the future is dropped, and with
        // it what those who ask it wait for.
        if let Ok(event_loop) = get_running_loop()
            && let Ok(task) = create_hidden_task(&event_loop, future)
        {
            task.detach();
        }
    }
}

#[async_trait]
impl Time for RunningLoop {
    async fn delay_for(duration: Duration) {
        SendWrapper::new(Box::pin(sleep(duration))).await;
    }

    async fn timeout<F: Future + Send + 'static>(
        duration: Duration,
        future: F,
    ) -> io::Result<F::Output> {
        SendWrapper::new(Box::pin(within(duration, future))).await
    }
}

async fn within<F: Future>(limit: Duration, future: F) -> io::Result<F::Output> {
    timeout(limit, future).await.map_err(|elapsed| io::Error::new(io::ErrorKind::TimedOut, elapsed))
}

pub(super) struct Udp(SendWrapper<UdpSocket>);

impl Udp {
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        interest: Interest,
        mut attempt: impl FnMut(&UdpSocket) -> Result<T, SourceError>,
    ) -> Poll<io::Result<T>> {
        loop {
            match ready!(poll_io(&*self.0, cx, interest, || attempt(&self.0))) {
                // Windows tells so of a message sent before that nobody took; the
                // answer of another server may still come.
                Err(SourceError::ConnectionReset) if interest == Interest::READABLE => {}
                done => return Poll::Ready(done.map_err(io::Error::other)),
            }
        }
    }
}

impl DnsUdpSocket for Udp {
    type Time = RunningLoop;

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll(cx, Interest::READABLE, |socket| socket.try_recv_from(buffer))
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        message: &[u8],
        receiver: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.poll(cx, Interest::WRITABLE, |socket| socket.try_send_to(message, Some(receiver)))
    }
}

pub(super) struct Tcp(SendWrapper<TcpStream>);

impl Tcp {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut *self.get_mut().0)
    }
}

impl DnsTcpStream for Tcp {
    type Time = RunningLoop;
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_close(cx)
    }
}
