//! monoio with its legacy (epoll) driver.

use crate::peer::{Peer, Serve};
use crate::server::start_sleepers;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use monoio::{LegacyDriver, RuntimeBuilder};
use std::future::Future;
use std::time::Duration;

/// monoio on epoll.
pub struct MonoioEpoll;

impl Peer for MonoioEpoll {
    const NAME: &'static str = "monoio-epoll";
    const SERVE: Option<Serve> = Some(serve);

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        RuntimeBuilder::<LegacyDriver>::new()
            .enable_timer()
            .build()
            .expect("monoio runtime")
            .block_on(main);
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        drop(monoio::spawn(task));
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        monoio::spawn(task)
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        monoio::time::sleep(delay)
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }
}

fn serve(listener: std::net::TcpListener, size: usize) {
    MonoioEpoll::block_on(async move {
        start_sleepers::<MonoioEpoll>();
        let listener = TcpListener::from_std(listener).expect("register listener");
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("nodelay");
            MonoioEpoll::spawn(echo(stream, size));
        }
    });
}

async fn echo(mut stream: TcpStream, size: usize) {
    let mut buf = Vec::with_capacity(size);
    loop {
        let (read, filled) = stream.read(buf).await;
        let Ok(1..) = read else { break };
        let (written, back) = stream.write_all(filled).await;
        if written.is_err() {
            break;
        }
        buf = back;
    }
}
