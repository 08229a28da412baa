//! Items in place, first in and first out.
//!
//! ```text
//!            first       first + len
//!              ▼             ▼
//!   ┌────┬────┬────┬────┬────┬────┐
//!   │    │    │ A  │ B  │ C  │    │   places of N, in a circle
//!   └────┴────┴────┴────┴────┴────┘
//! ```
//!
//! Why not `heapless::Deque`, which keeps both ends and a flag: a ring that
//! keeps one end and the length needs fewer instructions for an item, next to
//! none for `N` = 1, and a word less.
//!
//! # Invariants
//!
//! * **In Range**: `first < N`, and `len <= N`.
//! * **Filled**: the `len` places from `first` on, in a circle, hold an item;
//!   the others hold none.

use super::Items;
use core::mem::MaybeUninit;

/// Up to `N` items in place, first in and first out.
pub struct Ring<T, const N: usize> {
    first: usize,
    len: usize,
    places: [MaybeUninit<T>; N],
}

impl<T, const N: usize> Ring<T, N> {
    /// None. Its room, `N`, is not 0: that is refused when compiled.
    pub const fn new() -> Ring<T, N> {
        const { assert!(N > 0, "a queue in place needs room for one item at least") };
        Ring { first: 0, len: 0, places: [const { MaybeUninit::uninit() }; N] }
    }

    /// `place`, which is below `2 * N`, in a circle of `N`.
    #[inline(always)]
    const fn around(place: usize) -> usize {
        if N.is_power_of_two() {
            place & (N - 1)
        } else if place >= N {
            place - N
        } else {
            place
        }
    }
}

impl<T, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> Items for Ring<T, N> {
    type Item = T;

    #[inline]
    fn put(&mut self, item: T) -> Result<(), T> {
        if self.len == N {
            return Err(item);
        }
        let place = Self::around(self.first + self.len);
        // SAFETY: In Range, so `around` yields a place. Filled: it holds no item.
        unsafe { self.places.get_unchecked_mut(place) }.write(item);
        self.len += 1;
        Ok(())
    }

    #[inline]
    fn get(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        // SAFETY: In Range, and Filled; it counts as empty from here on.
        let item = unsafe { self.places.get_unchecked(self.first).assume_init_read() };
        self.first = Self::around(self.first + 1);
        self.len -= 1;
        Some(item)
    }

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn maxsize(&self) -> Option<usize> {
        Some(N)
    }
}

impl<T, const N: usize> Drop for Ring<T, N> {
    fn drop(&mut self) {
        while self.get().is_some() {}
    }
}
