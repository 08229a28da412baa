//! Every interleaving of what other threads may do to a loop.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release -p molen-core
//! --features threads --test loom`; without the flag there is nothing here.
#![cfg(loom)]

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use molen_core::io::{Clock, PollBudget, SelectError, Selector, Wait};
use molen_core::platform::{Payload, Platform};
use molen_core::schedule::{ExceptionContext, HandlerFailed, Remote};
use molen_core::sync::{Channel, Signal};
use molen_core::{EventLoop, Instant, LoopRef, ScheduleError, create_task};
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
use std::task::{Poll, Wake, Waker};

#[path = "loom/children.rs"]
mod children;
#[path = "loom/jobs.rs"]
mod jobs;

struct Loom;

loom::thread_local! {
    static TOKEN: Cell<usize> = Cell::new(0);
    static CURRENT: Cell<*const EventLoop> = Cell::new(std::ptr::null());
}

static TOKENS: Count = Count::new(1);

impl Platform for Loom {
    fn thread_token() -> usize {
        // A thread whose locals are gone is nobody's home.
        TOKEN
            .try_with(|token| {
                if token.get() == 0 {
                    token.set(TOKENS.fetch_add(1, SeqCst));
                }
                token.get()
            })
            .unwrap_or(usize::MAX)
    }

    fn current() -> *const EventLoop {
        CURRENT.with(Cell::get)
    }

    fn set_current(running: *const EventLoop) {
        CURRENT.with(|current| current.set(running));
    }

    fn catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload> {
        catch_unwind(AssertUnwindSafe(f))
    }

    fn resume_unwind(payload: Payload) -> ! {
        resume_unwind(payload)
    }
}

molen_core::set_platform!(Loom);

/// A selector that sleeps until it is unparked.
#[derive(Default)]
struct Sleeper {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        *self.0.woken.lock().unwrap() = true;
        self.0.changed.notify_one();
    }
}

struct Unpark(Arc<Sleeper>);

struct Backend(Arc<Sleeper>);

impl Clock for Backend {
    fn now(&self) -> Instant {
        Instant::ZERO
    }
}

impl Selector for Backend {
    fn select(&self, _event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        if wait == Wait::Forever {
            let mut woken = self.0.woken.lock().unwrap();
            while !*woken {
                woken = self.0.changed.wait(woken).unwrap();
            }
            *woken = false;
        }
        Ok(())
    }

    fn poll_budget(&self) -> PollBudget {
        PollBudget { callbacks: 1, ..PollBudget::DEFAULT }
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        panic!("reported: {context}");
    }
}

fn new_loop() -> LoopRef {
    let sleeper = Arc::new(Sleeper::default());
    let event_loop = LoopRef::new(Rc::new(Backend(sleeper.clone())));
    event_loop.set_unparker(Waker::from(std::sync::Arc::new(Unpark(sleeper))));
    event_loop
}

fn model(test: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

/// Where a task leaves its waker for another thread.
type Mailbox = Arc<Mutex<Option<Waker>>>;

/// Waits until `flag` is set by whoever calls the waker in `mailbox`.
async fn wait_for(flag: Arc<loom::sync::atomic::AtomicBool>, mailbox: Mailbox) {
    poll_fn(|cx| {
        *mailbox.lock().unwrap() = Some(cx.waker().clone());
        if flag.load(loom::sync::atomic::Ordering::Acquire) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn a_wake_from_another_thread_is_never_lost() {
    model(|| {
        let event_loop = new_loop();
        let flag = Arc::new(loom::sync::atomic::AtomicBool::new(false));
        let mailbox = Mailbox::default();
        let waker_thread = {
            let (flag, mailbox) = (flag.clone(), mailbox.clone());
            thread::spawn(move || {
                flag.store(true, loom::sync::atomic::Ordering::Release);
                let waker = mailbox.lock().unwrap().take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            })
        };
        event_loop.run_until_complete(wait_for(flag, mailbox)).unwrap();
        waker_thread.join().unwrap();
    });
}

#[test]
fn two_threads_wake_one_task_and_it_runs_after_both() {
    model(|| {
        let event_loop = new_loop();
        let left = Arc::new(loom::sync::atomic::AtomicUsize::new(2));
        let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (left, wakers) = (left.clone(), wakers.clone());
                thread::spawn(move || {
                    left.fetch_sub(1, loom::sync::atomic::Ordering::AcqRel);
                    let waker = wakers.lock().unwrap().pop();
                    if let Some(waker) = waker {
                        waker.wake_by_ref();
                    }
                })
            })
            .collect();
        event_loop
            .run_until_complete(poll_fn(|cx| {
                let mut wakers = wakers.lock().unwrap();
                wakers.clear();
                wakers.extend([cx.waker().clone(), cx.waker().clone()]);
                if left.load(loom::sync::atomic::Ordering::Acquire) == 0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }))
            .unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Counts how many of it live.
struct Counted(std::sync::Arc<Count>);

impl Counted {
    fn new(count: &std::sync::Arc<Count>) -> Counted {
        count.fetch_add(1, SeqCst);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn the_last_waker_may_be_dropped_anywhere_while_the_loop_closes() {
    model(|| {
        let living = std::sync::Arc::new(Count::new(0));
        let event_loop = new_loop();
        let mailbox = Mailbox::default();
        let counted = Counted::new(&living);
        let theirs = mailbox.clone();
        drop(
            event_loop
                .create_task(poll_fn(move |cx| {
                    let _ = &counted;
                    *theirs.lock().unwrap() = Some(cx.waker().clone());
                    Poll::<()>::Pending
                }))
                .unwrap(),
        );
        event_loop.turn(Some(std::time::Duration::ZERO)).unwrap();
        let waker = mailbox.lock().unwrap().take().unwrap();
        let other = waker.clone();
        let thread = thread::spawn(move || {
            other.wake_by_ref();
            drop(other.clone());
            drop(other);
        });
        event_loop.close().unwrap();
        assert_eq!(living.load(SeqCst), 0, "closing drops the task on the loop's thread");
        drop(waker);
        drop(event_loop);
        thread.join().unwrap();
    });
}

#[test]
fn a_task_that_ends_is_freed_once_whoever_drops_the_last_waker() {
    model(|| {
        let event_loop = new_loop();
        let mailbox = Mailbox::default();
        let theirs = mailbox.clone();
        let thread = {
            let mailbox = mailbox.clone();
            thread::spawn(move || drop(mailbox.lock().unwrap().take()))
        };
        event_loop
            .run_until_complete(async move {
                create_task(poll_fn(move |cx| {
                    *theirs.lock().unwrap() = Some(cx.waker().clone());
                    Poll::Ready(())
                }))
                .unwrap()
                .await
                .unwrap();
            })
            .unwrap();
        drop(event_loop);
        thread.join().unwrap();
        drop(mailbox);
    });
}

#[test]
fn a_posted_callback_runs_once_or_comes_back() {
    model(|| {
        let ran = std::sync::Arc::new(Count::new(0));
        let event_loop = new_loop();
        let remote: Remote = event_loop.remote();
        let theirs = ran.clone();
        let thread = thread::spawn(move || {
            let posted = remote.call_soon_threadsafe(move || {
                theirs.fetch_add(1, SeqCst);
            });
            match posted {
                Ok(handle) => drop(handle),
                Err(ScheduleError::Closed(callback)) => callback(),
                Err(other) => panic!("{other}"),
            }
        });
        event_loop.turn(Some(std::time::Duration::ZERO)).unwrap();
        let early = ran.load(SeqCst);
        event_loop.close().unwrap();
        drop(event_loop);
        thread.join().unwrap();
        let late = ran.load(SeqCst);
        assert!(late <= 1 && early <= late);
    });
}

#[test]
fn posting_wakes_a_sleeping_loop() {
    model(|| {
        let event_loop = new_loop();
        let remote = event_loop.remote();
        let thread = thread::spawn(move || {
            let stop = || molen_core::get_running_loop().unwrap().stop();
            remote.call_soon_threadsafe(stop).unwrap();
        });
        event_loop.run_forever().unwrap();
        thread.join().unwrap();
    });
}

#[test]
fn cancelling_elsewhere_wins_or_loses_but_never_half() {
    model(|| {
        let ran = std::sync::Arc::new(Count::new(0));
        let event_loop = new_loop();
        let theirs = ran.clone();
        let handle = event_loop
            .remote()
            .call_soon_threadsafe(move || {
                theirs.fetch_add(1, SeqCst);
            })
            .unwrap();
        let thread = thread::spawn(move || handle.cancel());
        event_loop.turn(Some(std::time::Duration::ZERO)).unwrap();
        event_loop.turn(Some(std::time::Duration::ZERO)).unwrap();
        let cancelled = thread.join().unwrap();
        assert_eq!(ran.load(SeqCst), usize::from(!cancelled));
    });
}

#[test]
fn values_of_a_thread_arrive_in_order() {
    model(|| {
        let event_loop = new_loop();
        let channel = Arc::new(Channel::<u8, 2>::new());
        let thread = {
            let channel = channel.clone();
            thread::spawn(move || [1, 2].map(|value| channel.try_send(value).unwrap()))
        };
        event_loop
            .run_until_complete(async {
                assert_eq!(channel.receive().await, 1);
                assert_eq!(channel.receive().await, 2);
            })
            .unwrap();
        thread.join().unwrap();
    });
}

/// Without a loop: two spinning threads and one with a loop are too many interleavings.
#[test]
fn values_of_two_threads_arrive_each_once() {
    model(|| {
        let channel = Arc::new(Channel::<u8, 2>::new());
        let thread = {
            let channel = channel.clone();
            thread::spawn(move || channel.try_send(1).unwrap())
        };
        channel.try_send(2).unwrap();
        let early = channel.try_receive().unwrap();
        thread.join().unwrap();
        assert_eq!(early + channel.try_receive().unwrap(), 3);
        assert!(channel.is_empty());
    });
}

#[test]
fn the_latest_signal_is_always_seen() {
    model(|| {
        let event_loop = new_loop();
        let signal = Arc::new(Signal::<u8>::new());
        let thread = {
            let signal = signal.clone();
            thread::spawn(move || {
                signal.signal(1);
                signal.signal(2);
            })
        };
        event_loop
            .run_until_complete(async {
                let first = signal.wait().await;
                if first == 1 {
                    assert_eq!(signal.wait().await, 2);
                }
            })
            .unwrap();
        thread.join().unwrap();
        assert!(!signal.signaled());
    });
}
