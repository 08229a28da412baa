//! Molen on its desktop backend.

use crate::peer::Peer;
use molen::Task;
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
