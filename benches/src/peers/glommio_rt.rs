//! glommio: one unbound local executor on io_uring.

use crate::peer::{Peer, Serve};
use crate::server::start_sleepers;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutorBuilder, Placement};
use std::future::Future;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::time::Duration;

/// glommio's local executor.
pub struct Glommio;

impl Peer for Glommio {
    const NAME: &'static str = "glommio";
    const SERVE: Option<Serve> = Some(serve);

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        LocalExecutorBuilder::new(Placement::Unbound)
            .make()
            .expect("io_uring and locked memory for glommio")
            .run(main);
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        glommio::spawn_local(task).detach();
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        glommio::spawn_local(task)
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        glommio::timer::sleep(delay)
    }

    async fn yield_now() {
        glommio::executor().yield_now().await;
    }
}

fn serve(listener: std::net::TcpListener, size: usize) {
    let fd = listener.into_raw_fd();
    Glommio::block_on(async move {
        start_sleepers::<Glommio>();
        // SAFETY: `fd` is a listening socket that this function owns.
        let listener = unsafe { TcpListener::from_raw_fd(fd) };
        while let Ok(stream) = listener.accept().await {
            stream.set_nodelay(true).expect("nodelay");
            Glommio::spawn(echo(stream, size));
        }
    });
}

async fn echo(mut stream: TcpStream, size: usize) {
    let mut buf = vec![0u8; size];
    while let Ok(n @ 1..) = stream.read(&mut buf).await {
        if stream.write_all(&buf[..n]).await.is_err() {
            break;
        }
    }
}
