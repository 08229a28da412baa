//! futures: `LocalPool`, with `futures-timer`'s helper thread for timers.

use crate::peer::Peer;
use futures::executor::{LocalPool, LocalSpawner};
use futures::task::LocalSpawnExt;
use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

/// futures' single-threaded pool.
pub struct LocalPoolPeer;

thread_local! {
    static SPAWNER: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
}

fn with_spawner<T>(use_it: impl FnOnce(&LocalSpawner) -> T) -> T {
    SPAWNER.with_borrow(|s| use_it(s.as_ref().expect("inside block_on")))
}

impl Peer for LocalPoolPeer {
    const NAME: &'static str = "localpool";

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        let mut pool = LocalPool::new();
        SPAWNER.set(Some(pool.spawner()));
        pool.run_until(main);
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        with_spawner(|s| s.spawn_local(task)).expect("pool is alive");
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        with_spawner(|s| s.spawn_local_with_handle(task)).expect("pool is alive")
    }

    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static {
        futures_timer::Delay::new(delay)
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }
}
