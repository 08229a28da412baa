//! tokio: plain `spawn` on the current-thread runtime, and `LocalRuntime`.
//!
//! # Invariants
//!
//! * **ONE-THREAD**: the only runtime of this process is current-thread; the
//!   thread that makes a wrapped future also polls and drops it.

use crate::peer::{Peer, Serve, ServeDatagrams};
use crate::rows::combine::{Forms, batch, child};
use crate::server::start_sleepers;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::Command;
use tokio::runtime::{Builder, LocalOptions};

/// `Runtime` (current thread) with `tokio::spawn`.
pub struct CurrentThread;

/// `LocalRuntime` with `spawn_local`.
pub struct LocalRuntime;

fn builder() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_all();
    builder
}

/// Lets a thread-bound future through `tokio::spawn`'s `Send` bound.
struct OneThread<F>(F);

// SAFETY: ONE-THREAD.
unsafe impl<F> Send for OneThread<F> {}

impl<F: Future> Future for OneThread<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the field is pinned with its wrapper and never moved out.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}

impl Peer for CurrentThread {
    const NAME: &'static str = "tokio-ct";
    const SERVE: Option<Serve> = Some(serve::<Self>);
    const SERVE_DATAGRAMS: Option<ServeDatagrams> = Some(serve_datagrams::<Self>);
    const HAS_PIPES: bool = true;
    const HAS_PROGRAMS: bool = true;
    const FORMS: Option<Forms> = Some(FORMS);

    const HAS_POOL: bool = true;

    fn pipe(chunk: Vec<u8>, times: u64) -> impl Future<Output = ()> {
        pipe::<Self>(chunk, times)
    }

    fn run_program(program: &'static str) -> impl Future<Output = ()> + 'static {
        run_program(program)
    }

    fn on_thread<F>(function: F) -> impl Future<Output = u64>
    where
        F: FnOnce() -> u64 + Send + 'static,
    {
        on_thread(function)
    }

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        builder().build().expect("tokio runtime").block_on(main);
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        drop(tokio::spawn(OneThread(task)));
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        let handle = tokio::spawn(OneThread(task));
        async move { handle.await.expect("task") }
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(delay)
    }

    fn yield_now() -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }

    fn unbudgeted<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> + 'static {
        tokio::task::unconstrained(task)
    }
}

impl Peer for LocalRuntime {
    const NAME: &'static str = "tokio-local";
    const SERVE: Option<Serve> = Some(serve::<Self>);
    const SERVE_DATAGRAMS: Option<ServeDatagrams> = Some(serve_datagrams::<Self>);
    const HAS_PIPES: bool = true;
    const HAS_PROGRAMS: bool = true;
    const FORMS: Option<Forms> = Some(FORMS);

    const HAS_POOL: bool = true;

    fn pipe(chunk: Vec<u8>, times: u64) -> impl Future<Output = ()> {
        pipe::<Self>(chunk, times)
    }

    fn run_program(program: &'static str) -> impl Future<Output = ()> + 'static {
        run_program(program)
    }

    fn on_thread<F>(function: F) -> impl Future<Output = u64>
    where
        F: FnOnce() -> u64 + Send + 'static,
    {
        on_thread(function)
    }

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        builder().build_local(LocalOptions::default()).expect("tokio local runtime").block_on(main);
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        drop(tokio::task::spawn_local(task));
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        let handle = tokio::task::spawn_local(task);
        async move { handle.await.expect("task") }
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(delay)
    }

    fn yield_now() -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }

    fn unbudgeted<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> + 'static {
        tokio::task::unconstrained(task)
    }
}

/// tokio's `select!` is asked for a fixed order, as the others have.
const FORMS: Forms = Forms {
    join_2: || batch(|| async { tokio::join!(child(1), child(1)) }, |(a, b)| a + b),
    join_8: Some(|| {
        batch(
            || async {
                tokio::join!(
                    child(1),
                    child(1),
                    child(1),
                    child(1),
                    child(1),
                    child(1),
                    child(1),
                    child(1)
                )
            },
            |(a, b, c, d, e, f, g, h)| a + b + c + d + e + f + g + h,
        )
    }),
    join_all: None,
    select_2: || {
        batch(
            || async { tokio::select!(biased; a = child(9) => a, b = child(1) => b) },
            |value| value,
        )
    },
    select_8: Some(|| {
        batch(
            || async {
                tokio::select! {
                    biased;
                    a = child(9) => a,
                    b = child(9) => b,
                    c = child(9) => c,
                    d = child(9) => d,
                    e = child(9) => e,
                    f = child(9) => f,
                    g = child(9) => g,
                    h = child(1) => h,
                }
            },
            |value| value,
        )
    }),
};

fn on_thread<F>(function: F) -> impl Future<Output = u64>
where
    F: FnOnce() -> u64 + Send + 'static,
{
    let job = tokio::task::spawn_blocking(function);
    async move { job.await.expect("a function that returns") }
}

fn serve<P: Peer>(listener: std::net::TcpListener, size: usize) {
    P::block_on(async move {
        start_sleepers::<P>();
        let listener = TcpListener::from_std(listener).expect("register listener");
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("nodelay");
            P::spawn(echo(stream, size));
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

fn serve_datagrams<P: Peer>(socket: std::net::UdpSocket) {
    P::block_on(async move {
        let socket = UdpSocket::from_std(socket).expect("register socket");
        let mut buf = vec![0u8; 65536];
        while let Ok((n, sender)) = socket.recv_from(&mut buf).await {
            socket.send_to(&buf[..n], sender).await.expect("send");
        }
    });
}

async fn pipe<P: Peer>(chunk: Vec<u8>, times: u64) {
    let (mut sender, mut receiver) = pipe::pipe().expect("a pipe");
    let all = chunk.len() as u64 * times;
    P::spawn(async move {
        for _ in 0..times {
            sender.write_all(&chunk).await.expect("write");
        }
    });
    let mut buf = vec![0u8; 65536];
    let mut received = 0;
    while let Ok(n @ 1..) = receiver.read(&mut buf).await {
        received += n as u64;
    }
    assert_eq!(received, all);
}

async fn run_program(program: &'static str) {
    Command::new(program).status().await.expect("a program that runs");
}
