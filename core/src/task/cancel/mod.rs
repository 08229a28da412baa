//! Cancelling a task: asking, and what it may do about it.
//!
//! [`Task::cancel`](super::Task::cancel) asks. It is delivered at the task's next step:
//!
//! * where the task waits within [`catch_cancel`], the innermost one ends with
//!   [`Cancelled`] and the code goes on from there: it may clean up with further
//!   awaits, hand the cancel on with [`Cancelled::propagate`], or refuse it by
//!   going on;
//! * elsewhere the task's future is dropped where it waits, as Rust users expect.
//!
//! ```text
//!                     cancel: counted                    step
//!   no cancel ─────────────────────────▶ asked ────────────────────▶ delivered
//!       ▲                                 │ │                         │
//!       │   uncancel to zero, undelivered │ │ first step not begun,   │ nothing catches:
//!       └─────────────────────────────────┘ │ or value in the same    │ future dropped,
//!       ▲                                   │ step: the cancel wins   │ task ends cancelled
//!       │                                   ▼                         │
//!       │                              ends cancelled ◀───────────────┤
//!       │  goes on (refuses), ends with a value                       │ catch_cancel ends with
//!       └─────────────────────────────────────────────────────────────┤ Err(Cancelled)
//!                                            propagate: asked again,  │
//!                                            one scope further out ◀──┘
//! ```
//!
//! | asked while the task | where it is delivered |
//! |---|---|
//! | has not begun | nowhere: the body never runs |
//! | waits, or is queued | the innermost `catch_cancel` that it waits in; without one, the whole task |
//! | runs (it cancels itself) | where it next waits; if it ends before, it ends cancelled |
//! | waits in several places at once (`join`) | in each place that has a `catch_cancel` |
//!
//! Two cancels before delivery are one delivery and count two. The count
//! ([`cancelling`](super::Task::cancelling)) changes only by `cancel` and
//! [`uncancel`](super::Task::uncancel); timeouts and task groups tell by it
//! whether a cancel was theirs. [`abort`](super::Task::abort) asks nobody.
//!
//! | file | concept |
//! |---|---|
//! | `scope` | where in a task a cancel is delivered |
//! | `message` | what a cancel may say |
//!
//! asyncio: `Task.cancel()` throws `CancelledError` into the coroutine;
//! `try: … except CancelledError` is `catch_cancel`, `raise` is `propagate`.

mod message;
pub(crate) mod scope;

pub use message::CancelMessage;

use super::header::Header;
use super::state::{self, CANCEL, DONE};
use crate::schedule::EventLoop;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use scope::{Scope, Scoped};

/// What a caught cancel is, and how a cancelled task ended.
///
/// asyncio: `CancelledError`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a cancel that is caught and not propagated is refused; say so: `drop(cancelled)`"]
pub struct Cancelled {
    message: Option<CancelMessage>,
}

impl Cancelled {
    pub(crate) fn new(message: Option<CancelMessage>) -> Cancelled {
        Cancelled { message }
    }

    pub(crate) fn into_message(self) -> Option<CancelMessage> {
        self.message
    }

    /// What [`cancel_with`](super::Task::cancel_with) said.
    pub fn message(&self) -> Option<&CancelMessage> {
        self.message.as_ref()
    }

    /// Hands the cancel on to what is around the code that caught it: the next
    /// `catch_cancel`, timeout or task group, else the whole task, which then
    /// ends cancelled. The code does not go on from here: the future never is ready, and
    /// is dropped at the task's next step.
    ///
    /// Under another executor there is nothing around, and it waits for ever.
    ///
    /// asyncio: `raise`, in an `except CancelledError`.
    ///
    /// # Cancellation
    ///
    /// Being dropped is what it waits for.
    pub fn propagate(self) -> Propagate {
        Propagate { message: self.message }
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            None => f.write_str("the task was cancelled"),
            Some(message) => write!(f, "the task was cancelled: {message}"),
        }
    }
}

impl core::error::Error for Cancelled {}

/// The future of [`Cancelled::propagate`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Propagate {
    message: Option<CancelMessage>,
}

impl Future for Propagate {
    type Output = Infallible;

    // At each poll anew: somebody may have taken it back meanwhile.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Infallible> {
        if scope::pass_on(self.message.take()) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Runs `future`; a cancel of the task that reaches it while it waits here
/// drops it and gives `Err(Cancelled)`, and the task goes on.
///
/// What goes on may await: cleaning up, [handing the cancel
/// on](Cancelled::propagate), or refusing it.
///
/// ```ignore
/// match catch_cancel(copy(&mut from, &mut to)).await {
///     Ok(copied) => copied?,
///     Err(cancelled) => {
///         to.flush().await?;
///         cancelled.propagate().await;
///     }
/// }
/// ```
///
/// A value that becomes ready together with the cancel is dropped: the cancel
/// wins. With several of them one in another, a cancel reaches the innermost
/// only. Under another executor it just runs the future.
///
/// asyncio: `try: await …` `except CancelledError: …`.
///
/// # Cancellation
///
/// Dropping it drops the future; an undelivered cancel goes to what is around.
pub fn catch_cancel<F: IntoFuture>(future: F) -> CatchCancel<F::IntoFuture> {
    CatchCancel { scope: Scope::catching(), future: Some(future.into_future()) }
}

/// The future of [`catch_cancel`].
#[must_use = "futures do nothing unless awaited"]
pub struct CatchCancel<F> {
    scope: Scope,
    future: Option<F>,
}

impl<F: Future> Future for CatchCancel<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: both fields stay where they are until they are dropped.
        let (scope, mut future) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&this.scope), Pin::new_unchecked(&mut this.future))
        };
        let Some(inner) = future.as_mut().as_pin_mut() else { return Poll::Pending };
        let result = match scope.poll(cx, inner) {
            Scoped::Pending => return Poll::Pending,
            Scoped::Ready(output) => Ok(output),
            Scoped::Cancelled(cancelled) => Err(cancelled),
        };
        future.set(None);
        scope.leave();
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for CatchCancel<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchCancel").field("over", &self.future.is_none()).finish()
    }
}

/// Asks a task to end; whether it had not ended yet.
///
/// # Safety
///
/// The caller owns a reference and is on the loop's thread.
pub(crate) unsafe fn cancel(task: NonNull<Header>, message: Option<CancelMessage>) -> bool {
    // SAFETY: the caller's promise.
    let header = unsafe { task.as_ref() };
    if header.has(DONE) {
        return false;
    }
    header.state.add_cancel();
    if message.is_some() {
        header.set_message(message);
    }
    // SAFETY: as above.
    let event_loop: &EventLoop = unsafe { header.owner() };
    // One that runs is asked where it next waits.
    if event_loop.is_running_node(task.cast()) || !scope::request(header) {
        header.set(CANCEL);
        // SAFETY: the caller's reference.
        unsafe { state::wake_by_ref(task) };
    }
    true
}

/// Takes one cancel back; how many are left. At zero, what was not delivered is withdrawn.
pub(crate) fn uncancel(task: &Header) -> u8 {
    let left = task.state.remove_cancel();
    if left == 0 {
        task.clear(CANCEL);
        scope::withdraw(task);
        task.set_message(None);
    }
    left
}
