//! Molen on desktops: what mio and the standard library give to the core.
//!
//! | file | what it is |
//! |---|---|
//! | `platform` | threads and unwinding, for the core's link-time hook |
//! | `selector` | waiting: epoll, kqueue or IOCP through mio, and the clock |

mod platform;
mod selector;

pub use selector::StdSelector;

use molen_core::LoopRef;
use std::io;
use std::rc::Rc;

/// A new loop for this thread, turned by the operating system's selector.
///
/// asyncio: `asyncio.new_event_loop()`.
///
/// # Errors
///
/// The operating system's, when it has no descriptors left for a selector.
pub fn new_event_loop() -> io::Result<LoopRef> {
    let (selector, waker) = StdSelector::new()?;
    let event_loop = LoopRef::new(Rc::new(selector));
    event_loop.set_unparker(waker);
    Ok(event_loop)
}
