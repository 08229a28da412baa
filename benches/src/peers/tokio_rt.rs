//! tokio: plain `spawn` on the current-thread runtime, and `LocalRuntime`.
//!
//! # Invariants
//!
//! * **ONE-THREAD**: the only runtime of this process is current-thread; the
//!   thread that makes a wrapped future also polls and drops it.

use crate::peer::{Peer, Serve};
use crate::rows::combine::{Forms, batch, child};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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
    const FORMS: Option<Forms> = Some(FORMS);

    const HAS_POOL: bool = true;

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
    const FORMS: Option<Forms> = Some(FORMS);

    const HAS_POOL: bool = true;

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
