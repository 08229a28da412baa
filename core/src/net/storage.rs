//! Where a connection keeps what could not be written yet, and where it reads to.
//!
//! | | unsent bytes | received bytes |
//! |---|---|---|
//! | [`Heap`] | a ring that grows, and what was taken over; given back when it is empty | one buffer of the loop's, lent to the callback that runs |
//! | [`Fixed`] | a ring of a given size in the connection; what does not fit is refused | a given number of bytes on the stack |
//!
//! So an idle connection on the heap has no buffer at all.

use crate::schedule::EventLoop;

#[cfg(feature = "alloc")]
mod heap_unsent;
#[cfg(feature = "alloc")]
use super::owned_bytes::OwnedBytes;
#[cfg(feature = "alloc")]
pub(crate) use heap_unsent::HeapUnsent;

/// What could not be written yet.
///
/// What a program gave to be kept is dropped by its own code, which may call
/// the transport: so it is handed out, to be dropped when nothing is borrowed.
pub trait Unsent {
    /// Something that was kept and is written.
    type Spent;

    /// Nothing waits.
    const EMPTY: Self;

    /// How many bytes wait.
    fn len(&self) -> usize;

    /// Whether nothing waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many more bytes there is room for.
    fn free(&self) -> usize;

    /// Adds bytes for which there is room.
    fn push(&mut self, bytes: &[u8]);

    /// Adds bytes for which there is room, without copying them where it can.
    #[cfg(feature = "alloc")]
    fn push_owned(&mut self, bytes: OwnedBytes) {
        self.push(bytes.rest());
    }

    /// Calls `f` with what waits, first to last: the pieces that are written
    /// with one call.
    fn with_pieces<R>(&self, f: impl FnOnce(&[&[u8]]) -> R) -> R;

    /// Forgets the first `count` bytes.
    fn consume(&mut self, count: usize);

    /// Gives out what was kept and is written, one after the other.
    #[inline]
    fn take_spent(&mut self) -> Option<Self::Spent> {
        None
    }

    /// Forgets all, and gives out what was kept.
    fn clear(&mut self) -> impl Sized + use<Self>;
}

/// Where a connection keeps its bytes.
pub trait Storage: 'static {
    /// What could not be written yet.
    type Unsent: Unsent;

    /// Calls `f` with a buffer to read to.
    fn lend<R>(event_loop: Option<&EventLoop>, f: impl FnOnce(&mut [u8]) -> R) -> R;
}

/// Bytes on the heap.
#[cfg(feature = "alloc")]
pub struct Heap;

/// How much is read at once into the loop's buffer.
///
/// asyncio: 256 KiB, allocated for each read.
#[cfg(feature = "alloc")]
pub const READ_SIZE: usize = 64 * 1024;

#[cfg(feature = "alloc")]
impl Storage for Heap {
    type Unsent = HeapUnsent;

    #[inline]
    fn lend<R>(event_loop: Option<&EventLoop>, f: impl FnOnce(&mut [u8]) -> R) -> R {
        // Another one only for a loop turned inside a callback of a connection.
        let lent = event_loop.and_then(EventLoop::take_read_buffer);
        let mut buffer = lent.unwrap_or_else(|| alloc::vec![0; READ_SIZE].into_boxed_slice());
        let result = f(&mut buffer);
        if let Some(event_loop) = event_loop {
            event_loop.put_read_buffer(buffer);
        }
        result
    }
}

/// Up to `UNSENT` bytes wait to be written; `READ` bytes are read at once.
#[cfg(not(feature = "alloc"))]
pub struct Fixed<const UNSENT: usize, const READ: usize>;

#[cfg(not(feature = "alloc"))]
impl<const UNSENT: usize, const READ: usize> Storage for Fixed<UNSENT, READ> {
    type Unsent = FixedUnsent<UNSENT>;

    #[inline]
    fn lend<R>(_event_loop: Option<&EventLoop>, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(&mut [0; READ])
    }
}

/// A ring of `N` bytes.
#[cfg(any(test, not(feature = "alloc")))]
pub struct FixedUnsent<const N: usize> {
    bytes: [u8; N],
    start: usize,
    len: usize,
}

#[cfg(any(test, not(feature = "alloc")))]
impl<const N: usize> Unsent for FixedUnsent<N> {
    type Spent = core::convert::Infallible;

    const EMPTY: FixedUnsent<N> = FixedUnsent { bytes: [0; N], start: 0, len: 0 };

    fn len(&self) -> usize {
        self.len
    }

    fn free(&self) -> usize {
        N - self.len
    }

    fn push(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(self.free());
        for byte in &bytes[..taken] {
            let end = self.start + self.len;
            self.bytes[if end < N { end } else { end - N }] = *byte;
            self.len += 1;
        }
    }

    #[inline]
    fn with_pieces<R>(&self, f: impl FnOnce(&[&[u8]]) -> R) -> R {
        let first = self.len.min(N - self.start);
        f(&[&self.bytes[self.start..self.start + first], &self.bytes[..self.len - first]])
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.len);
        self.len -= count;
        let start = self.start + count;
        self.start = if start < N { start } else { start - N };
    }

    fn clear(&mut self) -> impl Sized + use<N> {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_fixed_ring_keeps_bytes_in_order(
            steps in proptest::collection::vec((any::<Vec<u8>>(), 0..9usize), 1..40)
        ) {
            let mut ring = FixedUnsent::<7>::EMPTY;
            let mut model = Vec::new();
            for (bytes, consumed) in steps {
                let room = bytes.len().min(ring.free());
                ring.push(&bytes);
                model.extend_from_slice(&bytes[..room]);
                prop_assert_eq!(ring.with_pieces(|pieces| pieces.concat()), model.clone());
                ring.consume(consumed);
                model.drain(..consumed.min(model.len()));
                prop_assert_eq!(ring.len(), model.len());
            }
        }
    }
}
