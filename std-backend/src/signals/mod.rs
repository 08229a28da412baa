//! Signals as callbacks of a loop.
//!
//! ```text
//!  system's handler                     loop
//!  note that it came, wake the loop ──▶ woken: what came? ──▶ ready queue ──▶ the callback
//! ```
//!
//! The callback runs like any other: it may do everything, and take its time.
//! Several signals of one number before it has run are one call, and none is
//! ever lost: what came is noted in a flag, not written to a pipe that may be full.
//!
//! asyncio has signals in the main thread only, because Python calls its handlers
//! there. There is no such thread here: any loop may have a signal, one at a time.
//!
//! A child that was forked, and has not called `exec`, does not wake its
//! parent's loop: in it signals do what they do by default, until it makes
//! handlers in a loop of its own. No loop runs in it: the one that ran when it was
//! forked is its parent's.
//!
//! | file | what it is |
//! |---|---|
//! | `signal` | [`Signal`]: their numbers and names |
//! | `handlers` | a loop's callbacks |
//! | `wait` | the same as a future: [`wait`](wait()) |
//! | `delivery` | what the system's handler and the loops share |
//! | `unix`, `windows` | the handlers that the system calls |
//! | `fork` | what a forked child forgets |

mod delivery;
#[cfg(unix)]
mod fork;
mod handlers;
mod signal;
mod signal_error;
#[cfg(unix)]
#[path = "unix.rs"]
pub(crate) mod system;
#[cfg(windows)]
#[path = "windows.rs"]
pub(crate) mod system;
mod wait;

pub use signal::{InvalidSignal, Signal};
pub use signal_error::{SignalError, SignalRefused};
pub use wait::{Wait, wait};

#[cfg(unix)]
pub(crate) use fork::forget_in_children;
pub(crate) use handlers::SignalHandlers;

use crate::selector::{StdSelector, no_descriptors_here};
use molen_core::io::source::SourceError;
use molen_core::schedule::{CallbackResult, EventLoop, Handle};

/// What a loop of this crate can do with signals.
///
/// asyncio: the methods of these names, on Unix. Windows has Ctrl-C and Ctrl-Break
/// of a console; what else it is asked for is `Unsupported`.
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::signals::{Signal, SignalEventLoop};
///
/// let event_loop = molen::new_event_loop()?;
/// let stop = event_loop.clone();
/// event_loop.add_signal_handler(Signal::TERM, move || stop.stop())?;
/// event_loop.call_soon(|| rustix::process::kill_process(
///     rustix::process::getpid(),
///     rustix::process::Signal::TERM,
/// ))?;
/// event_loop.run_forever()?;
/// assert!(event_loop.remove_signal_handler(Signal::TERM));
/// assert!(!event_loop.remove_signal_handler(Signal::TERM));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SignalEventLoop {
    /// Has `callback` called whenever the process gets `signal`, in place of
    /// what the signal did before, and of the loop's handler before.
    ///
    /// May be called in any thread that has a loop. While a runner watches for
    /// Ctrl-C, a handler for [`Signal::INT`] has it instead.
    ///
    /// asyncio: `loop.add_signal_handler()`.
    ///
    /// # Errors
    ///
    /// [`SignalError`]: the signal cannot be caught (SIGKILL, SIGSTOP) or must
    /// not be (SIGSEGV and other faults), another loop has it, the loop is
    /// closed or not one of this crate's, or the system refuses. What was
    /// before is left as it was.
    fn add_signal_handler<F, R>(&self, signal: Signal, callback: F) -> Result<Handle, SignalError>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult;

    /// Takes the handler away; whether there was one. The signal does again
    /// what it did before: by default, or as a runner's Ctrl-C.
    ///
    /// asyncio: `loop.remove_signal_handler()`.
    fn remove_signal_handler(&self, signal: Signal) -> bool;
}

impl SignalEventLoop for EventLoop {
    fn add_signal_handler<F, R>(&self, signal: Signal, callback: F) -> Result<Handle, SignalError>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult,
    {
        let refuse = |cause| SignalError { signal, cause };
        if let Some(cause) = SignalRefused::of(signal) {
            return Err(refuse(cause));
        }
        let Some(selector) = StdSelector::of(self) else {
            let error = SourceError::Unsupported(no_descriptors_here("handling a signal"));
            return Err(refuse(SignalRefused::Loop(error)));
        };
        let callback = self
            .standing_callback(callback)
            .map_err(|_closed| refuse(SignalRefused::Loop(SourceError::Closed)))?;
        let handle = callback.handle(self);
        selector.signals.add(signal, callback, selector.wake_up()).map_err(refuse)?;
        Ok(handle)
    }

    fn remove_signal_handler(&self, signal: Signal) -> bool {
        StdSelector::of(self).is_some_and(|selector| selector.signals.remove(signal))
    }
}
