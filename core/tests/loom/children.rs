//! Every interleaving of wakes of a `join_all`'s children with its polls and its drop.

use super::{Mailbox, Sleeper, Unpark, model, wait_for};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use molen_core::combine::join_all;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// So many children that each gets a waker of its own.
const MANY: usize = 48;

/// A child that another thread makes ready.
#[derive(Clone, Default)]
struct Woken {
    flag: Arc<AtomicBool>,
    mailbox: Mailbox,
}

impl Woken {
    fn wait(&self) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(wait_for(self.flag.clone(), self.mailbox.clone()))
    }

    /// Sets the flag, and calls the waker if it is there already.
    fn wake(self) {
        self.flag.store(true, Ordering::Release);
        let waker = self.mailbox.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// All children: `woken`, and others that are ready at once.
fn children(woken: &[Woken]) -> impl Iterator<Item = Pin<Box<dyn Future<Output = ()>>>> {
    let ready = (woken.len()..MANY)
        .map(|_| -> Pin<Box<dyn Future<Output = ()>>> { Box::pin(std::future::ready(())) });
    woken.iter().map(Woken::wait).chain(ready)
}

/// Polls `future` whenever it was woken; for ever asleep if a wake is lost,
/// which loom reports.
fn block_on<F: Future>(future: F) -> F::Output {
    let sleeper = Arc::new(Sleeper::default());
    let waker = Waker::from(std::sync::Arc::new(Unpark(sleeper.clone())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let mut woken = sleeper.woken.lock().unwrap();
        while !*woken {
            woken = sleeper.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

#[test]
fn no_wake_of_a_child_is_lost() {
    model(|| {
        let woken = [Woken::default(), Woken::default()];
        let threads = woken.clone().map(|child| thread::spawn(move || child.wake()));
        let outputs = block_on(join_all(children(&woken)));
        assert_eq!(outputs.len(), MANY);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_child_may_be_woken_while_its_parent_is_dropped() {
    model(|| {
        let woken = [Woken::default()];
        let mut all = join_all(children(&woken));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut all).poll(&mut cx).is_pending());
        let [child] = woken;
        let thread = thread::spawn(move || child.wake());
        drop(all);
        thread.join().unwrap();
    });
}

#[test]
fn what_was_done_before_a_wake_is_seen_by_the_poll_after_it() {
    model(|| {
        let flags = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let kept = std::rc::Rc::new(std::cell::RefCell::new(None));
        // Its own loads order nothing: that is the waker's to do.
        let (seen, keep) = (flags.clone(), kept.clone());
        let both: Pin<Box<dyn Future<Output = ()>>> = Box::pin(std::future::poll_fn(move |cx| {
            keep.borrow_mut().get_or_insert_with(|| cx.waker().clone());
            if seen.iter().all(|flag| flag.load(Ordering::Relaxed)) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        let mut all = pin!(join_all(std::iter::once(both).chain(children(&[]).skip(1))));
        let mut threads = Vec::new();
        let outputs = block_on(std::future::poll_fn(|cx| {
            let polled = all.as_mut().poll(cx);
            if threads.is_empty() {
                let waker = kept.borrow().clone().unwrap();
                threads.extend(flags.clone().map(|flag| {
                    let waker = waker.clone();
                    thread::spawn(move || {
                        flag.store(true, Ordering::Relaxed);
                        waker.wake();
                    })
                }));
            }
            polled
        }));
        assert_eq!(outputs.len(), MANY);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
