//! Waiting for a signal as a future.
//!
//! ```text
//!  wait() ──▶ listening ──signal comes──▶ noted, woken ──polled──▶ over
//!                 │                            │                    ▲
//!                 └──────────────── dropped ───┴────────────────────┘ signals do what
//!                                                                     they did before
//! ```

use super::signal::Signal;
use super::signal_error::{SignalError, SignalRefused};
use crate::selector::{StdSelector, no_descriptors_here};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use molen_core::io::source::SourceError;
use molen_core::schedule::LoopRef;
use std::rc::Rc;

/// One who waits, for any number of signals.
pub(super) struct Waiter {
    /// The one that came first.
    came: Cell<Option<Signal>>,
    waker: RefCell<Option<Waker>>,
}

impl Waiter {
    /// One of its signals came; who is to be woken.
    pub(super) fn came(&self, signal: Signal) -> Option<Waker> {
        self.came.set(self.came.get().or(Some(signal)));
        self.waker.take()
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Signal> {
        if let Some(signal) = self.came.get() {
            return Poll::Ready(signal);
        }
        let before = self.waker.replace(Some(cx.waker().clone()));
        // Outside of the borrow: it is somebody's code.
        drop(before);
        Poll::Pending
    }
}

/// A waiter among a loop's handlers, until this is dropped.
struct Listening<'a> {
    event_loop: LoopRef,
    waiter: Rc<Waiter>,
    /// Those that were added so far.
    signals: &'a [Signal],
}

impl Listening<'_> {
    fn add(&self, signal: Signal) -> Result<(), SignalRefused> {
        if let Some(cause) = SignalRefused::of(signal) {
            return Err(cause);
        }
        let Some(selector) = StdSelector::of(&self.event_loop) else {
            let error = SourceError::Unsupported(no_descriptors_here("waiting for a signal"));
            return Err(SignalRefused::Loop(error));
        };
        selector.signals.add_waiter(signal, &self.waiter, selector.wake_up())
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        let Some(selector) = StdSelector::of(&self.event_loop) else { return };
        for signal in self.signals {
            selector.signals.remove_waiter(*signal, &self.waiter);
        }
    }
}

/// Waits until the process gets one of `signals`, and says which.
///
/// It listens from this call on, and until it is over or dropped. Meanwhile
/// they do not do what they did before: a [`Signal::TERM`] ends nothing. Any
/// number may wait for the same signal, and each learns of it; so does a
/// handler, if the loop has one
/// ([`add_signal_handler`](super::SignalEventLoop::add_signal_handler)). For no
/// signals at all it waits for ever.
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::signals::{self, Signal};
///
/// # let end_me = || rustix::process::kill_process(
/// #     rustix::process::getpid(),
/// #     rustix::process::Signal::TERM,
/// # );
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let asked_to_end = signals::wait(&[Signal::INT, Signal::TERM]);
///     // From here on nothing is lost.
///     end_me()?;
///     assert_eq!(asked_to_end.await?, Signal::TERM);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Between two of these, one after the other, a signal does what it did before,
/// which may be the end of the process: who waits for several keeps a handler,
/// and who waits for other things too, again and again, one of these, pinned.
///
/// asyncio: a handler that sets an `Event`; it has no such coroutine. tokio:
/// `signal`.
///
/// # Errors
///
/// [`SignalError`], as of
/// [`add_signal_handler`](super::SignalEventLoop::add_signal_handler), or no
/// loop runs on this thread. Then it listens to none of them.
///
/// # Cancellation
///
/// Signals do again what they did before. One that came, and was not returned
/// yet, is lost.
pub fn wait(signals: &[Signal]) -> Wait<'_> {
    Wait(match signals {
        [] => State::Over,
        [first, ..] => match listen(*first, signals) {
            Ok(listening) => State::Listening(listening),
            Err(error) => State::Refused(error),
        },
    })
}

fn listen(first: Signal, signals: &[Signal]) -> Result<Listening<'_>, SignalError> {
    let refuse = |signal| move |cause| SignalError { signal, cause };
    let event_loop = molen_core::get_running_loop()
        .map_err(|_none| refuse(first)(SignalRefused::NoRunningLoop))?;
    let waiter = Rc::new(Waiter { came: Cell::new(None), waker: RefCell::new(None) });
    let mut listening = Listening { event_loop, waiter, signals: &[] };
    for (number, signal) in signals.iter().enumerate() {
        listening.add(*signal).map_err(refuse(*signal))?;
        listening.signals = &signals[..=number];
    }
    Ok(listening)
}

/// The future of [`wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<'a>(State<'a>);

enum State<'a> {
    Listening(Listening<'a>),
    Refused(SignalError),
    Over,
}

impl Future for Wait<'_> {
    type Output = Result<Signal, SignalError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match core::mem::replace(&mut self.0, State::Over) {
            State::Listening(listening) => match listening.waiter.poll(cx) {
                Poll::Ready(signal) => Poll::Ready(Ok(signal)),
                Poll::Pending => {
                    self.0 = State::Listening(listening);
                    Poll::Pending
                }
            },
            State::Refused(error) => Poll::Ready(Err(error)),
            State::Over => Poll::Pending,
        }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Listening(listening) => f.debug_tuple("Wait").field(&listening.signals).finish(),
            State::Refused(error) => f.debug_tuple("Wait").field(error).finish(),
            State::Over => f.write_str("Wait"),
        }
    }
}
