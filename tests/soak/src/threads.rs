//! Calls from other threads, jobs for them, and names, which they resolve.

use crate::activities::{Done, Place, require, while_doing};
use molen::dns::{AddrInfoHints, getaddrinfo};
use molen::testing::Chance;
use molen::{Event, create_task, get_running_loop, timeout, to_thread};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// Has the pools start all the threads that they ever will: they keep them.
pub async fn start_all() -> Done {
    let mut jobs = Vec::new();
    for _ in 0..200 {
        let name = getaddrinfo(Some("localhost"), 1, AddrInfoHints::default());
        let job = to_thread(|| std::thread::sleep(Duration::from_millis(2)));
        let both = async move { (name.await.is_ok(), job.await.is_ok()) };
        jobs.push(create_task(both).map_err(while_doing("creating a task"))?);
    }
    for job in jobs {
        let both = job.await.map_err(while_doing("a job"))?;
        require(both == (true, true), "a pool does not work")?;
    }
    Ok(())
}

pub async fn calls(_place: Place, chance: Rc<Chance>) -> Done {
    let remote = get_running_loop().map_err(while_doing("asking for the loop"))?.remote();
    let count = 1 + chance.below(50);
    // Lives for ever, as what another thread's callback touches has to.
    thread_local! {
        static CALLED: Cell<usize> = const { Cell::new(0) };
    }
    let before = CALLED.get();
    let calling = to_thread(move || {
        (0..count).all(|_| remote.call_soon_threadsafe(|| CALLED.set(CALLED.get() + 1)).is_ok())
    });
    let called = calling.await.map_err(while_doing("a job"))?;
    require(called, "a call from another thread was refused")?;
    let all = async {
        while CALLED.get() < before + count {
            molen::yield_now().await;
        }
    };
    require(timeout(Duration::from_secs(20), all).await.is_ok(), "a call was lost")?;
    // One that nobody waits for goes on, and is gone when it is done.
    let never = Event::new();
    let job = to_thread(|| std::thread::sleep(Duration::from_millis(2)));
    let waited = timeout(Duration::from_micros(500), async {
        let _ = job.await;
        never.wait().await;
    });
    require(waited.await.is_err(), "an event was set by nobody")
}

pub async fn resolve(_place: Place, chance: Rc<Chance>) -> Done {
    let port = chance.below(60_000) as u16;
    let found = getaddrinfo(Some("localhost"), port, AddrInfoHints::default())
        .await
        .map_err(while_doing("resolving localhost"))?;
    require(found.iter().all(|one| one.address.ip().is_loopback()), "localhost is elsewhere")
}
