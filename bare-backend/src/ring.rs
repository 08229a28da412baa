//! A queue of bytes between one producer and one consumer, without locks.
//!
//! One end belongs to an interrupt handler, the other to the loop. Each end writes only its own index, so
//! plain loads and stores are enough: it runs on a Cortex-M0, which has no compare-and-swap.
//!
//! ```text
//!   indices run free and are masked on access:   head ≤ tail ≤ head + N   (modulo 2^usize)
//!   producer: store byte, then tail+1 (Release)  ──▶  consumer: load tail (Acquire), then load bytes
//!   consumer: load bytes, then head+n (Release)  ──▶  producer: load head (Acquire), then store bytes
//! ```
//!
//! The bytes themselves are atomics too (on every chip these are the same load and store instructions). That is
//! why this file has no `unsafe`: two producers at once would be a bug, but one that garbles bytes, never memory.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// A queue of up to `N` bytes; `N` is a power of two.
pub struct Ring<const N: usize> {
    bytes: [AtomicU8; N],
    /// Of the consumer: how many bytes were ever taken out.
    head: AtomicUsize,
    /// Of the producer: how many bytes were ever put in.
    tail: AtomicUsize,
}

impl<const N: usize> Ring<N> {
    /// An empty ring, all zero bits.
    pub const fn new() -> Self {
        const { assert!(N.is_power_of_two(), "a ring's length must be a power of two") };
        Self {
            bytes: [const { AtomicU8::new(0) }; N],
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
        }
    }

    /// How many bytes wait to be taken out. To the consumer this is a lower bound, to the producer an upper one.
    #[inline]
    pub fn len(&self) -> usize {
        let head = self.head.load(Ordering::Acquire);
        self.tail.load(Ordering::Acquire).wrapping_sub(head)
    }

    /// Whether no byte waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is room for no more byte.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len() == N
    }

    /// How many bytes were ever taken out, modulo 2^usize: the position of the next byte out.
    #[inline]
    pub fn position_out(&self) -> usize {
        self.head.load(Ordering::Acquire)
    }

    /// How many bytes were ever put in, modulo 2^usize: the position of the next byte in.
    #[inline]
    pub fn position_in(&self) -> usize {
        self.tail.load(Ordering::Acquire)
    }

    /// Producer: puts in as many bytes of `from` as there is room for, and tells how many.
    #[inline]
    pub fn push(&self, from: &[u8]) -> usize {
        let tail = self.tail.load(Ordering::Relaxed);
        let room = N - tail.wrapping_sub(self.head.load(Ordering::Acquire)).min(N);
        let count = room.min(from.len());
        for (offset, byte) in from[..count].iter().enumerate() {
            self.bytes[tail.wrapping_add(offset) & (N - 1)].store(*byte, Ordering::Relaxed);
        }
        self.tail.store(tail.wrapping_add(count), Ordering::Release);
        count
    }

    /// Consumer: the byte that would come out first.
    #[inline]
    pub fn first(&self) -> Option<u8> {
        let head = self.head.load(Ordering::Relaxed);
        let byte = &self.bytes[head & (N - 1)];
        (self.tail.load(Ordering::Acquire) != head).then(|| byte.load(Ordering::Relaxed))
    }

    /// Consumer: takes out as many bytes as wait and `into` has room for, and tells how many.
    #[inline]
    pub fn pop(&self, into: &mut [u8]) -> usize {
        let head = self.head.load(Ordering::Relaxed);
        let waiting = self.tail.load(Ordering::Acquire).wrapping_sub(head);
        let count = waiting.min(into.len());
        for (offset, byte) in into[..count].iter_mut().enumerate() {
            *byte = self.bytes[head.wrapping_add(offset) & (N - 1)].load(Ordering::Relaxed);
        }
        self.head.store(head.wrapping_add(count), Ordering::Release);
        count
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn behaves_like_a_bounded_deque(steps in prop::collection::vec((any::<bool>(), 0_usize..12), 0..200)) {
            let (ring, mut model, mut next) = (Ring::<8>::new(), VecDeque::new(), 0_u8);
            for (is_push, count) in steps {
                if is_push {
                    let bytes: Vec<u8> = (0..count).map(|offset| next.wrapping_add(offset as u8)).collect();
                    let room = 8 - model.len();
                    prop_assert_eq!(ring.push(&bytes), count.min(room));
                    model.extend(&bytes[..count.min(room)]);
                    next = next.wrapping_add(count as u8);
                } else {
                    let mut out = [0; 12];
                    let got = ring.pop(&mut out[..count]);
                    let want: Vec<u8> = model.drain(..count.min(model.len())).collect();
                    prop_assert_eq!(&out[..got], &want[..]);
                }
                prop_assert_eq!(ring.first(), model.front().copied());
                prop_assert_eq!(ring.len(), model.len());
                prop_assert_eq!(ring.is_full(), model.len() == 8);
            }
        }
    }

    #[test]
    fn two_threads_pass_every_byte_in_order() {
        const COUNT: usize = 200_000;
        let ring = Ring::<64>::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut sent = 0;
                while sent < COUNT {
                    sent += ring.push(&[(sent % 251) as u8]);
                    std::thread::yield_now();
                }
            });
            let (mut got, mut chunk) = (0, [0; 7]);
            while got < COUNT {
                let count = ring.pop(&mut chunk);
                for byte in &chunk[..count] {
                    assert_eq!(*byte, (got % 251) as u8, "byte {got}");
                    got += 1;
                }
                std::thread::yield_now();
            }
        });
    }
}
