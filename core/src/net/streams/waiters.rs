//! Who waits to go on writing to a connection, or for its end.
//!
//! Any number may, and one that is given up must be forgotten: a connection may
//! outlive many tasks, and a waker keeps its task in memory. Each has a key in
//! its future, which is four bytes instead of a place in a list.

use alloc::vec::Vec;
use core::cell::Cell;
use core::task::{Context, Waker};

/// Names one who waits.
pub(super) type Key = u32;

/// Who waits without a key: futures made by hand, which do not say when they
/// are given up.
pub(super) const NAMELESS: Key = 0;

#[derive(Default)]
pub(super) struct Waiters {
    wakers: Cell<Vec<(Key, Waker)>>,
    last: Cell<Key>,
}

impl Waiters {
    fn with<R>(&self, f: impl FnOnce(&mut Vec<(Key, Waker)>) -> R) -> R {
        let mut wakers = self.wakers.take();
        let result = f(&mut wakers);
        self.wakers.set(wakers);
        result
    }

    /// Has the task of `cx` woken, which has no key.
    pub(super) fn add_nameless(&self, cx: &Context<'_>) {
        self.with(|wakers| {
            let known =
                |(key, waker): &(Key, Waker)| *key == NAMELESS && waker.will_wake(cx.waker());
            if !wakers.iter().any(known) {
                wakers.push((NAMELESS, cx.waker().clone()));
            }
        });
    }

    /// Has the task of `cx` woken, which gets a key if it has none.
    pub(super) fn add(&self, key: &mut Key, cx: &Context<'_>) {
        if *key == NAMELESS {
            *key = self.last.get().wrapping_add(1).max(1);
            self.last.set(*key);
        }
        let before = self.with(|wakers| {
            let Some((_, waker)) = wakers.iter_mut().find(|(other, _)| other == key) else {
                wakers.push((*key, cx.waker().clone()));
                return None;
            };
            let same = waker.will_wake(cx.waker());
            (!same).then(|| core::mem::replace(waker, cx.waker().clone()))
        });
        // Outside: with a waker a task may go, and what that holds.
        drop(before);
    }

    /// Forgets who had this key.
    pub(super) fn forget(&self, key: Key) {
        if key == NAMELESS {
            return;
        }
        let waker = self.with(|wakers| {
            let place = wakers.iter().position(|(other, _)| *other == key)?;
            Some(wakers.remove(place))
        });
        drop(waker);
    }

    /// Wakes all, in the order in which they came.
    pub(super) fn wake_all(&self) {
        for (_, waker) in self.wakers.take() {
            waker.wake();
        }
    }
}
