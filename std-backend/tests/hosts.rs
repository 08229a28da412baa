//! Other loops that drive one of ours, by polling its descriptor. Hosts that only turn it, as they
//! must on Windows, are in `hosts_that_turn.rs`.
#![cfg(unix)]

mod local;

use core::cell::Cell;
use local::pair;
use molen_core::{LoopRef, create_task, sleep};
use molen_std::host::pollable_fd;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;

/// Something with timers and sockets in it; the result tells when it is done.
fn start_work(event_loop: &LoopRef) -> Rc<Cell<Option<usize>>> {
    let result = Rc::new(Cell::new(None));
    let done = result.clone();
    event_loop
        .call_soon(move || {
            let work = create_task(async move {
                let (client, server) = pair().await;
                let mut bytes = 0;
                for _ in 0..5 {
                    sleep(Duration::from_millis(2)).await;
                    client.write_all(b"tick").await.unwrap();
                    bytes += server.read(&mut [0; 64]).await.unwrap();
                }
                done.set(Some(bytes));
            });
            work.unwrap().detach();
        })
        .unwrap();
    result
}

/// How long a host may wait: until the deadline, in the host's milliseconds.
fn host_timeout(event_loop: &LoopRef) -> i32 {
    match event_loop.next_deadline() {
        None => -1,
        Some(when) => {
            let left = when.saturating_since(event_loop.time());
            left.as_nanos().div_ceil(1_000_000) as i32
        }
    }
}

/// Turns until nothing is ready; whether the host should go on.
fn turn_all(event_loop: &LoopRef) {
    while event_loop.turn(Some(Duration::ZERO)).unwrap().more {}
}

/// Waits as a host over poll(2) would; how many descriptors became ready.
fn host_wait(event_loop: &LoopRef, timeout: i32) -> i32 {
    let fd = pollable_fd(event_loop).unwrap().as_raw_fd();
    let mut waits = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid structure.
    unsafe { libc::poll(&mut waits, 1, timeout) }
}

#[test]
fn a_host_over_poll_drives_timers_and_sockets() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let result = start_work(&event_loop);
    turn_all(&event_loop);
    let mut waits = 0;
    while result.get().is_none() {
        host_wait(&event_loop, host_timeout(&event_loop));
        turn_all(&event_loop);
        waits += 1;
    }
    assert_eq!(result.get(), Some(20));
    assert!(waits < 1000, "the host spins: {waits} waits");
}

#[test]
fn a_post_from_another_thread_wakes_a_host_that_sleeps_between_turns() {
    let event_loop = molen_std::new_event_loop().unwrap();
    turn_all(&event_loop);
    let remote = event_loop.remote();
    for _ in 0..100 {
        let poster = {
            let remote = remote.clone();
            std::thread::spawn(move || remote.call_soon_threadsafe(|| ()).is_ok())
        };
        // No deadline at all: only the post can end this. -1 would hang on failure.
        assert_eq!(host_wait(&event_loop, 20_000), 1, "the host was not woken");
        let mut ran = 0;
        while ran == 0 {
            ran += event_loop.turn(Some(Duration::ZERO)).unwrap().ran;
        }
        turn_all(&event_loop);
        assert!(poster.join().unwrap());
        assert_eq!(host_wait(&event_loop, 0), 0, "the descriptor stays readable");
    }
}

#[test]
fn tokio_drives_a_loop_beside_its_own_work() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let beside = runtime.block_on(async {
        let event_loop = molen_std::new_event_loop().unwrap();
        let result = start_work(&event_loop);
        let fd = pollable_fd(&event_loop).unwrap();
        // SAFETY: the loop, borrowed by `fd`, is dropped after `pollable`.
        let pollable = unsafe { tokio::io::unix::AsyncFd::register(fd) }.unwrap();
        let drive = async {
            loop {
                turn_all(&event_loop);
                if let Some(bytes) = result.get() {
                    return bytes;
                }
                let deadline = event_loop.next_deadline();
                let left = deadline.map(|when| when.saturating_since(event_loop.time()));
                let wait = tokio::time::sleep(left.unwrap_or(Duration::from_secs(3600)));
                tokio::select! {
                    ready = pollable.readable() => ready.unwrap().clear_ready(),
                    () = wait => {}
                }
            }
        };
        let own_work = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            "tokio's own"
        };
        tokio::join!(drive, own_work)
    });
    assert_eq!(beside, (20, "tokio's own"));
}
