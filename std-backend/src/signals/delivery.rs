//! What the system's handler and the loops share: for each signal whether it
//! came, and who is woken.
//!
//! ```text
//!  handler:  inside + 1 ─▶ load wake_up ─▶ came := true, wake ─▶ inside − 1
//!  loop:     wake_up := null ─▶ wait until nobody is inside ─▶ let go of it
//! ```
//!
//! All are in one total order (`SeqCst`): a handler that is not seen inside
//! loads `wake_up` after it was made null.
//!
//! # Invariants
//!
//! * **Signal Safe**: [`deliver`] is called by a signal handler. It takes no
//!   lock and no memory; what it calls is one `write`, or `kevent`.
//! * **Kept**: while a `wake_up` is not null, a [`Listening`] holds what it
//!   points to, and lets go only when nobody is inside.

use super::signal::Signal;
use crate::selector::WakeUp;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::SeqCst};

struct Place {
    came: AtomicBool,
    wake_up: AtomicPtr<WakeUp>,
}

static PLACES: [Place; Signal::LAST as usize + 1] =
    [const { Place { came: AtomicBool::new(false), wake_up: AtomicPtr::new(null_mut()) } };
        Signal::LAST as usize + 1];

static INSIDE: AtomicU32 = AtomicU32::new(0);

fn place(number: i32) -> Option<&'static Place> {
    PLACES.get(usize::try_from(number).ok()?)
}

/// Signal `number` came: wakes the loop that listens. False when none does.
/// By a signal handler, or any thread.
pub(super) fn deliver(number: i32) -> bool {
    let Some(place) = place(number) else { return false };
    INSIDE.fetch_add(1, SeqCst);
    // SAFETY: Kept: we are inside.
    let wake_up = unsafe { place.wake_up.load(SeqCst).as_ref() };
    if let Some(wake_up) = wake_up {
        place.came.store(true, SeqCst);
        wake_up.wake();
    }
    INSIDE.fetch_sub(1, SeqCst);
    wake_up.is_some()
}

/// A loop that is woken by a signal, as long as this lives.
pub(super) struct Listening {
    place: &'static Place,
    _wake_up: Arc<WakeUp>,
}

impl Listening {
    /// Begins to listen; `None` if another loop does.
    pub(super) fn begin(signal: Signal, wake_up: Arc<WakeUp>) -> Option<Listening> {
        let place = place(signal.as_raw())?;
        let pointer = Arc::as_ptr(&wake_up).cast_mut();
        place.wake_up.compare_exchange(null_mut(), pointer, SeqCst, SeqCst).ok()?;
        Some(Listening { place, _wake_up: wake_up })
    }

    /// Whether the signal came since this was asked last.
    pub(super) fn take(&self) -> bool {
        // Most wakes have other reasons: a look costs less than a swap.
        self.place.came.load(SeqCst) && self.place.came.swap(false, SeqCst)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.place.wake_up.store(null_mut(), SeqCst);
        while INSIDE.load(SeqCst) > 0 {
            std::thread::yield_now();
        }
        // Here and not at the beginning, when the next one's may come already.
        self.place.came.store(false, SeqCst);
    }
}

/// In a forked child: nobody listens, and the threads that were inside are
/// their parent's.
#[cfg(unix)]
pub(super) fn forget() {
    for place in &PLACES {
        place.wake_up.store(null_mut(), SeqCst);
        place.came.store(false, SeqCst);
    }
    INSIDE.store(0, SeqCst);
}
