//! Each thread's current loop.
//!
//! asyncio: the event loop policy. See the core's `policy` for what the calls
//! promise; here is only the place, one a thread.

use molen_core::error::NoEventLoop;
use molen_core::{LoopRef, get_running_loop};
use std::cell::RefCell;

thread_local! {
    static SET: RefCell<Option<LoopRef>> = const { RefCell::new(None) };
}

/// The loop that runs on this thread or, while none does, the one that was
/// [set](set_event_loop) for it.
///
/// asyncio: `get_event_loop()`, which since 3.14 makes no loop either.
///
/// # Errors
///
/// [`NoEventLoop`] when none runs and none was set.
pub fn get_event_loop() -> Result<LoopRef, NoEventLoop> {
    if let Ok(running) = get_running_loop() {
        return Ok(running);
    }
    // At the thread's end the place may be gone before those who ask.
    SET.try_with(|set| set.borrow().clone()).ok().flatten().ok_or(NoEventLoop)
}

/// Makes `event_loop` this thread's current one while none runs; `None` takes
/// it back. It neither starts nor closes a loop; but the thread holds on to it
/// ([`LoopRef`]) until another is set or the thread ends.
///
/// asyncio: `set_event_loop()`.
pub fn set_event_loop(event_loop: Option<LoopRef>) {
    // The loop before may be closed by this, whose callbacks may ask for it:
    // it is dropped outside of the borrow.
    let before = SET.try_with(|set| set.replace(event_loop));
    drop(before);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_its_own() {
        let event_loop = crate::new_event_loop().unwrap();
        assert_eq!(get_event_loop(), Err(NoEventLoop));
        set_event_loop(Some(event_loop.clone()));
        assert_eq!(get_event_loop().as_ref(), Ok(&event_loop));
        std::thread::spawn(|| assert_eq!(get_event_loop(), Err(NoEventLoop))).join().unwrap();
        set_event_loop(None);
        assert_eq!(get_event_loop(), Err(NoEventLoop));
    }

    #[test]
    fn what_closing_a_loop_drops_may_ask_for_the_loop() {
        struct Ask;
        impl Drop for Ask {
            fn drop(&mut self) {
                assert_eq!(get_event_loop(), Err(NoEventLoop));
                set_event_loop(None);
            }
        }
        let event_loop = crate::new_event_loop().unwrap();
        let ask = Ask;
        event_loop.call_soon(move || drop(ask)).unwrap();
        set_event_loop(Some(event_loop));
        set_event_loop(None);
    }
}
