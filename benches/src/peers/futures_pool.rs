//! futures: `LocalPool`, with `futures-timer`'s helper thread for timers.

use crate::peer::Peer;
use crate::rows::combine::{Forms, batch, child};
use futures::FutureExt;
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

    const FORMS: Option<Forms> = Some(Forms {
        join_2: || batch(|| async { futures::join!(child(1), child(1)) }, |(a, b)| a + b),
        join_8: Some(|| {
            batch(
                || async {
                    futures::join!(
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
        join_all: Some(|children| Box::pin(futures::future::join_all(children))),
        select_2: || {
            batch(|| futures::future::select(child(9), child(1)), |either| either.factor_first().0)
        },
        select_8: Some(|| {
            batch(
                || async {
                    futures::select_biased! {
                        a = child(9).fuse() => a,
                        b = child(9).fuse() => b,
                        c = child(9).fuse() => c,
                        d = child(9).fuse() => d,
                        e = child(9).fuse() => e,
                        f = child(9).fuse() => f,
                        g = child(9).fuse() => g,
                        h = child(1).fuse() => h,
                    }
                },
                |value| value,
            )
        }),
    });

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
