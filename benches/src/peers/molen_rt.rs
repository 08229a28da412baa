//! Molen on its desktop backend.

use super::molen_servers;
use crate::peer::ServeDatagrams;
use crate::peer::{Peer, Serve};
use crate::rows::combine::{Forms, batch, child};
use crate::server::start_sleepers;
use molen::Task;
use molen::combine::Either;
use molen::net::{TcpListener, TcpStream};
use molen::subprocess::{Command, create_subprocess_exec};
use std::future::Future;
use std::time::Duration;

/// Molen's loop.
pub struct Molen;

fn start<F: Future<Output = ()> + 'static>(task: F) -> Task<()> {
    match molen::create_task(task) {
        Ok(task) => task,
        Err(_) => panic!("create_task outside of block_on"),
    }
}

impl Peer for Molen {
    const NAME: &'static str = "molen";

    const SERVE: Option<Serve> = Some(serve);

    const SERVE_DATAGRAMS: Option<ServeDatagrams> = Some(molen_servers::serve_datagrams);

    const HAS_PIPES: bool = true;

    const HAS_PROGRAMS: bool = true;

    fn pipe(chunk: Vec<u8>, times: u64) -> impl Future<Output = ()> {
        molen_servers::pipe(chunk, times)
    }

    fn pipe_by_protocols(chunk: Vec<u8>, times: u64) -> impl Future<Output = ()> {
        molen_servers::pipe_by_protocols(chunk, times)
    }

    async fn run_program(program: &'static str) {
        let mut command = Command::new(program);
        let child = create_subprocess_exec(&mut command).await.expect("a program that starts");
        child.wait().await.expect("a program that ends");
    }

    const FORMS: Option<Forms> = Some(Forms {
        join_2: || batch(|| molen::join((child(1), child(1))), |(a, b)| a + b),
        join_8: Some(|| {
            batch(|| molen::join([(); 8].map(|()| child(1))), |all| all.into_iter().sum())
        }),
        join_all: Some(|children| Box::pin(molen::join_all(children))),
        select_2: || {
            batch(
                || molen::select((child(9), child(1))),
                |either| match either {
                    Either::First(a) => a,
                    Either::Second(b) => b,
                },
            )
        },
        select_8: Some(|| {
            batch(
                || async {
                    molen::select! {
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
    });

    #[cfg(feature = "channels")]
    const CHANNELS: Option<fn(crate::row::Row)> =
        Some(crate::rows::channels::run::<crate::channels::Molen>);

    const HAS_POOL: bool = true;

    fn on_thread<F>(function: F) -> impl Future<Output = u64>
    where
        F: FnOnce() -> u64 + Send + 'static,
    {
        let job = molen::run_in_executor(None, function).expect("an executor that takes it");
        async move { job.await.expect("a function that returns") }
    }

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        molen::run(main).expect("a loop that runs to the end");
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        start(task).detach();
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        let task = start(task);
        async move { task.await.expect("a task that ends by itself") }
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        molen::sleep(delay)
    }

    fn yield_now() -> impl Future<Output = ()> {
        molen::yield_now()
    }
}

fn serve(listener: std::net::TcpListener, size: usize) {
    Molen::block_on(async move {
        start_sleepers::<Molen>();
        let listener = TcpListener::from_std(listener).expect("register listener");
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("nodelay");
            Molen::spawn(echo(stream, size));
        }
    });
}

async fn echo(stream: TcpStream, size: usize) {
    let mut buffer = vec![0; size];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}
