//! What waits to be written by a connection on the heap: bytes that were
//! copied, and buffers that were taken over, in the order in which they came.
//!
//! ```text
//!  copied (a ring)   a a a b b c c c c c
//!                    │     │ └──────────── after all that was taken over
//!                    │     └── 2 before Y
//!                    └── 3 before X
//!  owned             (3, X) (2, Y)
//!
//!  in order          a a a X b b Y c c c c c
//! ```
//!
//! So who only copies has one ring and nothing else. No memory is kept while
//! nothing waits.

use super::Unsent;
use crate::net::owned_bytes::OwnedBytes;
use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// What waits, copied or taken over; no memory while nothing does.
pub struct HeapUnsent(Option<Box<Waiting>>);

#[derive(Default)]
struct Waiting {
    copied: VecDeque<u8>,
    /// Each with how many of the copied bytes come between it and the one before.
    owned: VecDeque<(usize, OwnedBytes)>,
    /// How many of the copied bytes come before the last that was taken over.
    copied_between: usize,
    /// How many bytes of what was taken over are not written yet.
    owned_len: usize,
}

/// How many pieces are written with one call, at most; the list is made on the
/// stack. Backends take as many.
const AT_ONCE: usize = 64;

impl Waiting {
    fn len(&self) -> usize {
        self.copied.len() + self.owned_len
    }

    fn is_empty(&self) -> bool {
        self.copied.is_empty() && self.owned.is_empty()
    }

    #[cold]
    fn with_mixed_pieces<R>(&self, f: impl FnOnce(&[&[u8]]) -> R) -> R {
        let mut pieces: [&[u8]; AT_ONCE] = [&[]; AT_ONCE];
        let mut count = 0;
        let mut add = |piece| {
            if count < AT_ONCE {
                pieces[count] = piece;
                count += 1;
            }
            count < AT_ONCE
        };
        let mut copied = self.copied.as_slices();
        let mut start_of_copied = |wanted: usize| {
            let (first, second) = copied;
            let (of_first, first) = first.split_at(wanted.min(first.len()));
            let (of_second, second) = second.split_at((wanted - of_first.len()).min(second.len()));
            copied = (first, second);
            [of_first, of_second]
        };
        let mut room = true;
        for (between, bytes) in &self.owned {
            let [first, second] = start_of_copied(*between);
            for piece in [first, second, bytes.rest()] {
                room = room && (piece.is_empty() || add(piece));
            }
            if !room {
                break;
            }
        }
        if room {
            for piece in start_of_copied(usize::MAX) {
                room = room && (piece.is_empty() || add(piece));
            }
        }
        f(&pieces[..count])
    }

    /// Forgets the first `count` bytes, of which there are so many.
    fn consume(&mut self, mut count: usize) {
        for (between, bytes) in &mut self.owned {
            let of_copied = count.min(*between);
            self.copied.drain(..of_copied);
            *between -= of_copied;
            self.copied_between -= of_copied;
            count -= of_copied;
            let of_owned = count.min(bytes.rest().len());
            bytes.advance(of_owned);
            self.owned_len -= of_owned;
            count -= of_owned;
            if count == 0 {
                return;
            }
        }
        self.copied.drain(..count);
    }
}

impl Unsent for HeapUnsent {
    type Spent = OwnedBytes;

    const EMPTY: HeapUnsent = HeapUnsent(None);

    #[inline]
    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.len())
    }

    fn free(&self) -> usize {
        isize::MAX as usize - self.len()
    }

    fn push(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().copied.extend(bytes);
        }
    }

    fn push_owned(&mut self, bytes: OwnedBytes) {
        let waiting = self.0.get_or_insert_default();
        let between = waiting.copied.len() - waiting.copied_between;
        waiting.copied_between += between;
        waiting.owned_len += bytes.rest().len();
        waiting.owned.push_back((between, bytes));
    }

    #[inline]
    fn with_pieces<R>(&self, f: impl FnOnce(&[&[u8]]) -> R) -> R {
        match &self.0 {
            None => f(&[]),
            Some(waiting) if waiting.owned.is_empty() => match waiting.copied.as_slices() {
                (first, []) => f(&[first]),
                (first, second) => f(&[first, second]),
            },
            Some(waiting) => waiting.with_mixed_pieces(f),
        }
    }

    fn consume(&mut self, count: usize) {
        if let Some(waiting) = &mut self.0 {
            waiting.consume(count.min(waiting.len()));
            if waiting.is_empty() {
                self.0 = None;
            }
        }
    }

    #[inline]
    fn take_spent(&mut self) -> Option<OwnedBytes> {
        let waiting = self.0.as_mut()?;
        let (between, first) = waiting.owned.front()?;
        if *between > 0 || !first.rest().is_empty() {
            return None;
        }
        let spent = waiting.owned.pop_front();
        if waiting.is_empty() {
            self.0 = None;
        }
        spent.map(|(_between, bytes)| bytes)
    }

    fn clear(&mut self) -> impl Sized + use<> {
        self.0.take()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::rc::Rc;
    use std::vec::Vec;

    #[derive(Clone, Debug)]
    enum Step {
        Copy(Vec<u8>),
        Own(Vec<u8>),
        /// Of what is handed out to be written, so much is.
        Written(usize),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
        prop_oneof![
            4 => bytes().prop_map(Step::Copy),
            4 => bytes().prop_map(Step::Own),
            6 => (0..30usize).prop_map(Step::Written),
            1 => Just(Step::Clear),
        ]
    }

    proptest! {
        #[test]
        fn copied_and_owned_bytes_keep_their_order(
            steps in proptest::collection::vec(step(), 1..200)
        ) {
            let mut unsent = HeapUnsent::EMPTY;
            let mut model = Vec::new();
            let alive = Rc::new(());
            for step in steps {
                match step {
                    Step::Copy(bytes) => {
                        unsent.push(&bytes);
                        model.extend(bytes);
                    }
                    Step::Own(bytes) => {
                        model.extend(&bytes);
                        unsent.push_owned(OwnedBytes::new(Counted(bytes, alive.clone()), 0));
                    }
                    Step::Written(most) => {
                        let written = unsent.with_pieces(|pieces| {
                            assert!(pieces.len() <= AT_ONCE, "more than a call takes");
                            let there = pieces.concat();
                            assert!(model.starts_with(&there), "other bytes than were written");
                            assert_eq!(there.is_empty(), model.is_empty(), "nothing goes on");
                            most.min(there.len())
                        });
                        unsent.consume(written);
                        model.drain(..written);
                        while let Some(spent) = unsent.take_spent() {
                            prop_assert!(spent.rest().is_empty());
                        }
                    }
                    Step::Clear => {
                        let cleared = unsent.clear();
                        model.clear();
                        drop(cleared);
                    }
                }
                prop_assert_eq!(unsent.len(), model.len());
            }
            unsent.consume(usize::MAX);
            while unsent.take_spent().is_some() {}
            prop_assert!(unsent.0.is_none(), "memory is kept for nothing");
            prop_assert_eq!(Rc::strong_count(&alive), 1, "something is kept that is written");
        }
    }

    struct Counted(Vec<u8>, #[allow(dead_code, reason = "it counts")] Rc<()>);

    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
}
