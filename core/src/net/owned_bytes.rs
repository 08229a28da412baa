//! Bytes together with what owns them, whatever that is.
//!
//! # Invariants
//!
//! * **Owned**: `owner` is a box that was leaked, and `Drop` alone gives it back.
//! * **Lent For Life**: `rest` is part of what the owner's `as_ref` returned.
//!   The owner is borrowed for that as long as it is in its box: nobody touches
//!   it there, so the borrow may last.

use alloc::boxed::Box;
use core::ptr::NonNull;

/// Anything that is dropped.
trait Owner {}
impl<T> Owner for T {}

/// Bytes that nobody else writes to, the first of which may be used up.
pub struct OwnedBytes {
    rest: NonNull<[u8]>,
    owner: NonNull<dyn Owner>,
}

impl OwnedBytes {
    /// What `owner` has, without the first `skipped` bytes.
    pub(crate) fn new<T: AsRef<[u8]> + 'static>(owner: T, skipped: usize) -> OwnedBytes {
        let owner = NonNull::from(Box::leak(Box::new(owner)));
        // Complete before a function of the owner's runs, which might panic.
        let mut bytes = OwnedBytes { rest: NonNull::from_ref(&[]), owner };
        // SAFETY: Owned; Lent For Life.
        let all: &[u8] = unsafe { owner.as_ref() }.as_ref();
        bytes.rest = NonNull::from_ref(all);
        bytes.advance(skipped);
        bytes
    }

    /// What is not used up.
    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        // SAFETY: Lent For Life, which is not shorter than that of `self`.
        unsafe { self.rest.as_ref() }
    }

    /// Uses up the first `count`, or all if there are fewer.
    pub(crate) fn advance(&mut self, count: usize) {
        let rest = self.rest();
        self.rest = NonNull::from_ref(rest.get(count..).unwrap_or_default());
    }
}

impl Drop for OwnedBytes {
    fn drop(&mut self) {
        // SAFETY: Owned; nobody has `rest` any more.
        drop(unsafe { Box::from_raw(self.owner.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::rc::Rc;
    use std::{string::String, vec, vec::Vec};

    #[test]
    fn whatever_has_bytes_can_own_them() {
        let shared: Rc<[u8]> = Rc::from([1, 2, 3]);
        for mut bytes in [
            OwnedBytes::new(vec![1, 2, 3], 0),
            OwnedBytes::new([1, 2, 3], 0),
            OwnedBytes::new(shared.clone(), 0),
            OwnedBytes::new(&[0, 1, 2, 3][..], 1),
            OwnedBytes::new(String::from("\u{1}\u{2}\u{3}"), 0),
            OwnedBytes::new(Vec::from([9, 9, 1, 2, 3]).into_boxed_slice(), 2),
        ] {
            assert_eq!(bytes.rest(), [1, 2, 3]);
            bytes.advance(2);
            let moved = Some(bytes);
            assert_eq!(moved.as_ref().map(OwnedBytes::rest), Some(&[3][..]));
        }
        assert_eq!(Rc::strong_count(&shared), 1, "its owner is not dropped");
    }

    #[test]
    fn too_much_leaves_nothing() {
        let mut bytes = OwnedBytes::new("abc", 7);
        assert!(bytes.rest().is_empty());
        bytes.advance(usize::MAX);
        assert!(bytes.rest().is_empty());
    }
}
