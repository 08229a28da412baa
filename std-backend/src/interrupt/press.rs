//! What a signal handler and the loop share: how often Ctrl-C was pressed, and
//! who is woken.
//!
//! ```text
//!  handler:  inside + 1 ─▶ load wake_up ─▶ count, wake ─▶ inside − 1
//!  loop:     wake_up := null ─▶ wait until nobody is inside ─▶ let go of it
//! ```
//!
//! Each is one total order (`SeqCst`): a handler that is not seen inside loads
//! `wake_up` after it was made null.
//!
//! # Invariants
//!
//! * **Signal Safe**: [`pressed`] is called by a signal handler. It takes no
//!   lock and no memory; what it calls is one `write`, or `kevent`.
//! * **Kept**: while `wake_up` is not null, a [`Listening`] holds what it
//!   points to, and lets go only when nobody is inside.

use crate::selector::WakeUp;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::SeqCst};

/// One loop of the process listens at a time.
static TAKEN: AtomicBool = AtomicBool::new(false);
static PRESSES: AtomicU32 = AtomicU32::new(0);
static WAKE_UP: AtomicPtr<WakeUp> = AtomicPtr::new(null_mut());
static INSIDE: AtomicU32 = AtomicU32::new(0);

/// Which press it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Press {
    /// The loop was woken and will see to it.
    First,
    /// It was pressed before, and that has not ended the main future.
    Again,
    /// Nobody listens any more.
    Unheard,
}

/// Ctrl-C was pressed. By a signal handler, or any thread.
pub(crate) fn pressed() -> Press {
    INSIDE.fetch_add(1, SeqCst);
    // SAFETY: Kept: we are inside.
    let press = match unsafe { WAKE_UP.load(SeqCst).as_ref() } {
        None => Press::Unheard,
        Some(_) if PRESSES.fetch_add(1, SeqCst) > 0 => Press::Again,
        Some(wake_up) => {
            wake_up.wake();
            Press::First
        }
    };
    INSIDE.fetch_sub(1, SeqCst);
    press
}

/// Whether Ctrl-C was pressed since a loop has begun to listen, which is
/// asked by that loop.
pub(super) fn heard() -> bool {
    PRESSES.load(SeqCst) > 0
}

/// A loop that is woken by Ctrl-C, as long as this lives.
pub(super) struct Listening {
    _wake_up: Arc<WakeUp>,
}

impl Listening {
    /// Begins to listen; `None` if another loop does.
    pub(super) fn begin(wake_up: Arc<WakeUp>) -> Option<Listening> {
        if TAKEN.swap(true, SeqCst) {
            return None;
        }
        PRESSES.store(0, SeqCst);
        WAKE_UP.store(Arc::as_ptr(&wake_up).cast_mut(), SeqCst);
        Some(Listening { _wake_up: wake_up })
    }

    /// Whether Ctrl-C was pressed since the beginning.
    pub(super) fn has_heard(&self) -> bool {
        heard()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        WAKE_UP.store(null_mut(), SeqCst);
        while INSIDE.load(SeqCst) > 0 {
            std::thread::yield_now();
        }
        TAKEN.store(false, SeqCst);
    }
}

/// In a forked child: nobody listens, and the threads that were inside are
/// their parent's.
#[cfg(unix)]
pub(crate) fn forget() {
    WAKE_UP.store(null_mut(), SeqCst);
    PRESSES.store(0, SeqCst);
    INSIDE.store(0, SeqCst);
    TAKEN.store(false, SeqCst);
}
