//! Where the items of a queue are kept, and in which order they leave.
//!
//! | order | inline, N items | on the heap |
//! |---|---|---|
//! | first in, first out | [`Ring`](super::Ring) | `VecDeque` |
//! | last in, first out | `heapless::Vec` | `Vec` |
//! | lowest first | `heapless::BinaryHeap` | `BinaryHeap` of `Reverse` |

use heapless::binary_heap::Min;

/// The items of a queue. Implement it for an order of your own, and give it to
/// [`QueueOf::over`](super::QueueOf::over).
///
/// asyncio: the methods `_init`, `_put` and `_get`, which subclasses of
/// `Queue` override.
pub trait Items {
    /// What is queued.
    type Item;

    /// Adds `item`, or gives it back when there is no room.
    ///
    /// # Errors
    ///
    /// The item.
    fn put(&mut self, item: Self::Item) -> Result<(), Self::Item>;

    /// Takes the item whose turn it is; `None` when there is none.
    fn get(&mut self) -> Option<Self::Item>;

    /// How many there are.
    fn len(&self) -> usize;

    /// How many there can be; `None` if only memory is the limit.
    fn maxsize(&self) -> Option<usize>;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! inline {
    ($type:ty $(: $ord:ident)?, $put:ident, $get:ident, $len:expr) => {
        impl<T $(: $ord)?, const N: usize> Items for $type {
            type Item = T;

            #[inline]
            fn put(&mut self, item: T) -> Result<(), T> {
                self.$put(item)
            }

            #[inline]
            fn get(&mut self) -> Option<T> {
                self.$get()
            }

            #[inline]
            fn len(&self) -> usize {
                let len: fn(&Self) -> usize = $len;
                len(self)
            }

            #[inline]
            fn maxsize(&self) -> Option<usize> {
                Some(N)
            }
        }
    };
}
inline!(heapless::Vec<T, N>, push, pop, |vec| vec.as_slice().len());
inline!(heapless::BinaryHeap<T, Min, N>: Ord, push, pop, |heap| heap.len());

#[cfg(feature = "alloc")]
pub use on_heap::Growing;

#[cfg(feature = "alloc")]
mod on_heap {
    use super::Items;
    use alloc::collections::{BinaryHeap, VecDeque};
    use alloc::vec::Vec;
    use core::cmp::Reverse;

    /// Items on the heap, as many as memory holds or up to a bound.
    #[derive(Default)]
    pub struct Growing<C> {
        items: C,
        /// 0 is no bound.
        maxsize: usize,
    }

    impl<C> Growing<C> {
        /// Keeps items in `items`, at most `maxsize`; 0 is no bound.
        pub const fn new(items: C, maxsize: usize) -> Growing<C> {
            Growing { items, maxsize }
        }
    }

    macro_rules! growing {
        ($type:ty $(: $ord:ident)?, $items:ident, $item:ident, $put:expr, $get:expr) => {
            impl<T $(: $ord)?> Items for Growing<$type> {
                type Item = T;

                #[inline]
                fn put(&mut self, $item: T) -> Result<(), T> {
                    if self.maxsize != 0 && self.items.len() >= self.maxsize {
                        return Err($item);
                    }
                    let $items = &mut self.items;
                    $put;
                    Ok(())
                }

                #[inline]
                fn get(&mut self) -> Option<T> {
                    let $items = &mut self.items;
                    $get
                }

                #[inline]
                fn len(&self) -> usize {
                    self.items.len()
                }

                #[inline]
                fn maxsize(&self) -> Option<usize> {
                    (self.maxsize != 0).then_some(self.maxsize)
                }
            }
        };
    }
    growing!(VecDeque<T>, items, item, items.push_back(item), items.pop_front());
    growing!(Vec<T>, items, item, items.push(item), items.pop());
    growing!(
        BinaryHeap<Reverse<T>>: Ord,
        items,
        item,
        items.push(Reverse(item)),
        items.pop().map(|Reverse(item)| item)
    );
}
