//! Hosts that turn a loop and wait in its turns, because nothing of it can be polled (on Windows)
//! or because they have nothing else to wait for.

mod local;

use core::cell::Cell;
use local::pair;
use molen_core::{create_task, sleep};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[test]
fn a_host_that_only_turns_drives_timers_sockets_and_posts() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let bytes = Rc::new(Cell::new(0));
    let read = bytes.clone();
    event_loop
        .call_soon(move || {
            let work = create_task(async move {
                let (client, server) = pair().await;
                for _ in 0..5 {
                    sleep(Duration::from_millis(2)).await;
                    client.write_all(b"tick").await.unwrap();
                    read.set(read.get() + server.read(&mut [0; 64]).await.unwrap());
                }
            });
            work.unwrap().detach();
        })
        .unwrap();
    let remote = event_loop.remote();
    let (posted, is_posted) = mpsc::channel();
    let poster = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(5));
        let post = move || {
            let _ = posted.send(());
        };
        remote.call_soon_threadsafe(post).is_ok()
    });
    let (began, mut turns, mut post_ran) = (Instant::now(), 0, false);
    while bytes.get() < 20 || !post_ran {
        event_loop.turn(Some(Duration::from_millis(10))).unwrap();
        post_ran |= is_posted.try_recv().is_ok();
        turns += 1;
        assert!(began.elapsed() < Duration::from_secs(60), "an event was lost");
    }
    assert!(turns < 1000, "the host spins: {turns} turns");
    assert!(poster.join().unwrap());
}

#[test]
#[cfg(windows)]
fn what_cannot_be_polled_says_so() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let error = molen_std::host::pollable_fd(&event_loop).unwrap_err();
    assert_eq!(error.platform, "Windows");
    assert!(error.to_string().contains("completion port"), "{error}");
}
