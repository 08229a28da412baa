//! Where callbacks are kept: in a store that the application gives, or in
//! boxes where there is a heap.

use super::callback::{self, Kind, Place, Slot, SlotOf, Table};
use super::event_loop::EventLoop;
use crate::error::ScheduleError;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

/// Room for `N` callbacks of up to `BYTES` bytes each, for programs without a
/// heap.
///
/// ```ignore
/// static CALLBACKS: CallbackStore<8, 16> = CallbackStore::new();
/// LOOP.set_callback_store(&CALLBACKS);
/// ```
///
/// A slot is in use while its callback is scheduled or a handle of it exists.
pub struct CallbackStore<const N: usize, const BYTES: usize> {
    slots: [Inline<BYTES>; N],
}

// SAFETY: where stores are used there is one thread of control, and
// interrupts do not touch slots; with threads, `set_callback_store` is unsafe.
#[cfg(not(feature = "threads"))]
unsafe impl<const N: usize, const BYTES: usize> Sync for CallbackStore<N, BYTES> {}

#[repr(C)]
struct Inline<const BYTES: usize> {
    slot: Slot,
    payload: UnsafeCell<Payload<BYTES>>,
}

/// The most that a payload in a store may be aligned to.
const ALIGN: usize = 8;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Payload<const BYTES: usize>([MaybeUninit<u8>; BYTES]);

impl<const N: usize, const BYTES: usize> CallbackStore<N, BYTES> {
    /// A store with nothing in it: all zero, for a static.
    pub const fn new() -> Self {
        CallbackStore {
            slots: [const {
                Inline {
                    slot: Slot::free(),
                    payload: UnsafeCell::new(Payload([const { MaybeUninit::uninit() }; BYTES])),
                }
            }; N],
        }
    }
}

impl<const N: usize, const BYTES: usize> Default for CallbackStore<N, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

/// A store whose size is forgotten.
pub(super) trait CallbackStorage {
    /// A free slot.
    fn find(&self) -> Option<NonNull<Slot>>;
    /// How many bytes a payload may have.
    fn bytes(&self) -> usize;
}

impl<const N: usize, const BYTES: usize> CallbackStorage for CallbackStore<N, BYTES> {
    fn find(&self) -> Option<NonNull<Slot>> {
        let free = self.slots.iter().find(|inline| inline.slot.is_free())?;
        Some(NonNull::from(free).cast())
    }

    fn bytes(&self) -> usize {
        BYTES
    }
}

/// In an application's store. Free is what has no references.
struct Stored;

impl Place for Stored {
    unsafe fn free<P>(_slot: NonNull<Slot>) {}
}

/// In a box.
#[cfg(feature = "alloc")]
struct Boxed;

#[cfg(feature = "alloc")]
impl Place for Boxed {
    unsafe fn free<P>(slot: NonNull<Slot>) {
        // SAFETY: the caller's promise; `store_callback` leaked it.
        drop(unsafe { alloc::boxed::Box::from_raw(slot.cast::<SlotOf<P>>().as_ptr()) });
    }
}

impl EventLoop {
    /// Lets callbacks live in `store`, and nowhere else.
    #[cfg(not(feature = "threads"))]
    pub fn set_callback_store<const N: usize, const BYTES: usize>(
        &self,
        store: &'static CallbackStore<N, BYTES>,
    ) {
        self.hooks().store.set(Some(store));
    }

    /// Keeps `payload` as a callback of kind `K`, not yet scheduled.
    pub(super) fn store_callback<P: 'static, K: Kind<P>>(
        &self,
        payload: P,
    ) -> Result<NonNull<Slot>, ScheduleError<P>> {
        if self.is_closed() {
            return Err(ScheduleError::Closed(payload));
        }
        match self.hooks().store.get() {
            Some(store) => self.store_inline::<P, K>(store, payload),
            #[cfg(feature = "alloc")]
            None => {
                let slot = SlotOf {
                    slot: Slot::free(),
                    payload: UnsafeCell::new(MaybeUninit::new(payload)),
                };
                let slot = NonNull::from(alloc::boxed::Box::leak(alloc::boxed::Box::new(slot)));
                // SAFETY: the payload is written, and the table made for it.
                unsafe { callback::begin(slot.cast(), Table::<P, K, Boxed>::TABLE, self) };
                Ok(slot.cast())
            }
            #[cfg(not(feature = "alloc"))]
            None => Err(ScheduleError::Full(payload)),
        }
    }

    fn store_inline<P: 'static, K: Kind<P>>(
        &self,
        store: &dyn CallbackStorage,
        payload: P,
    ) -> Result<NonNull<Slot>, ScheduleError<P>> {
        if size_of::<P>() > store.bytes() || align_of::<P>() > ALIGN {
            return Err(ScheduleError::TooLarge(payload));
        }
        let Some(slot) = store.find() else {
            return Err(ScheduleError::Full(payload));
        };
        // SAFETY: a free slot's payload is ours. It lies where `SlotOf<P>` has
        // it: a slot's size is a multiple of ALIGN, and P is aligned to no more.
        unsafe {
            UnsafeCell::raw_get(&raw const (*slot.cast::<SlotOf<P>>().as_ptr()).payload)
                .write(MaybeUninit::new(payload));
            callback::begin(slot, Table::<P, K, Stored>::TABLE, self);
        }
        Ok(slot)
    }
}

const _: () = assert!(size_of::<Slot>().is_multiple_of(ALIGN));
