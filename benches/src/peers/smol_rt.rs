//! smol: `async_executor::LocalExecutor` driven by `async_io::block_on`.

use crate::peer::{Peer, Serve, ServeDatagrams};
use crate::server::start_sleepers;
use async_executor::LocalExecutor;
use async_io::{Async, Timer};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::future::Future;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// smol's local executor.
pub struct Smol;

thread_local! {
    static EXECUTOR: &'static LocalExecutor<'static> = Box::leak(Box::new(LocalExecutor::new()));
}

impl Peer for Smol {
    const NAME: &'static str = "smol";
    const SERVE: Option<Serve> = Some(serve);
    const SERVE_DATAGRAMS: Option<ServeDatagrams> = Some(serve_datagrams);

    const HAS_POOL: bool = true;

    fn on_thread<F>(function: F) -> impl Future<Output = u64>
    where
        F: FnOnce() -> u64 + Send + 'static,
    {
        blocking::unblock(function)
    }

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        let executor = EXECUTOR.with(|e| *e);
        async_io::block_on(executor.run(main));
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        EXECUTOR.with(|e| e.spawn(task)).detach();
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        EXECUTOR.with(|e| e.spawn(task))
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        let timer = Timer::after(delay);
        async move {
            timer.await;
        }
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }
}

fn serve(listener: TcpListener, size: usize) {
    Smol::block_on(async move {
        start_sleepers::<Smol>();
        let listener = Async::new(listener).expect("register listener");
        while let Ok((stream, _)) = listener.accept().await {
            stream.get_ref().set_nodelay(true).expect("nodelay");
            Smol::spawn(echo(stream, size));
        }
    });
}

async fn echo(mut stream: Async<TcpStream>, size: usize) {
    let mut buf = vec![0u8; size];
    while let Ok(n @ 1..) = stream.read(&mut buf).await {
        if stream.write_all(&buf[..n]).await.is_err() {
            break;
        }
    }
}

fn serve_datagrams(socket: UdpSocket) {
    Smol::block_on(async move {
        let socket = Async::new(socket).expect("register socket");
        let mut buf = vec![0u8; 65536];
        while let Ok((n, sender)) = socket.recv_from(&mut buf).await {
            socket.send_to(&buf[..n], sender).await.expect("send");
        }
    });
}
