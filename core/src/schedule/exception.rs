//! What happens when a callback or task fails and nobody else is told.
//!
//! ```text
//!  failure ──▶ handler set by the user ──fails──▶ default handler ──fails──▶ last resort
//!                     │ none set                        ▲
//!                     └─────────────────────────────────┘
//! ```
//!
//! The loop and the rest of the batch go on whatever the handlers do.

use super::EventLoop;
use core::fmt;

/// What is known about a failure.
///
/// asyncio: the `context` dictionary of an exception handler.
#[non_exhaustive]
pub struct ExceptionContext<'a> {
    /// What failed, in a sentence.
    pub message: &'a str,
    /// What it failed with.
    pub exception: Option<&'a dyn fmt::Display>,
    /// When a handler failed at reporting a failure: that failure.
    pub original: Option<&'a ExceptionContext<'a>>,
    /// `write`, so that it is linked only where contexts are made.
    writer: Writer,
}

impl fmt::Debug for ExceptionContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExceptionContext")
            .field("message", &self.message)
            .field("exception", &self.exception.map(|error| fmt::from_fn(move |f| error.fmt(f))))
            .field("original", &self.original)
            .finish_non_exhaustive()
    }
}

/// Takes a piece of text.
pub type TextSink<'s> = dyn FnMut(&str) -> Result<(), HandlerFailed> + 's;

type Writer = fn(&ExceptionContext<'_>, &mut TextSink<'_>) -> Result<(), HandlerFailed>;

impl<'a> ExceptionContext<'a> {
    /// A context to give to [`EventLoop::call_exception_handler`].
    pub fn new(message: &'a str, exception: Option<&'a dyn fmt::Display>) -> Self {
        ExceptionContext { message, exception, original: None, writer: write }
    }

    /// Gives the text of the context to `sink`, piece by piece.
    ///
    /// A backend reports with this and not with `Display`: every program
    /// contains its backend's `report`, but only those in which something can
    /// be reported contain what this calls, `core::fmt` included.
    ///
    /// # Errors
    ///
    /// The first of `sink`'s.
    pub fn write_to(&self, sink: &mut TextSink<'_>) -> Result<(), HandlerFailed> {
        (self.writer)(self, sink)
    }
}

fn write(context: &ExceptionContext<'_>, sink: &mut TextSink<'_>) -> Result<(), HandlerFailed> {
    struct Pieces<'a, 's>(&'a mut TextSink<'s>);
    impl fmt::Write for Pieces<'_, '_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            (self.0)(text).map_err(|_| fmt::Error)
        }
    }
    fmt::Write::write_fmt(&mut Pieces(sink), format_args!("{context}")).map_err(|_| HandlerFailed)
}

impl fmt::Display for ExceptionContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)?;
        if let Some(exception) = self.exception {
            write!(f, ": {exception}")?;
        }
        if let Some(original) = self.original {
            write!(f, " (while reporting: {original})")?;
        }
        Ok(())
    }
}

/// An exception handler could not do its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandlerFailed;

impl fmt::Display for HandlerFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the exception handler failed")
    }
}

impl core::error::Error for HandlerFailed {}

/// A user's exception handler.
///
/// With `alloc` any closure of this shape can be one; without, a `static`.
pub type ExceptionHandler = dyn Fn(&EventLoop, &ExceptionContext<'_>) -> Result<(), HandlerFailed>;

/// How the loop keeps its handler.
#[cfg(feature = "alloc")]
pub type HandlerBox = alloc::rc::Rc<ExceptionHandler>;
/// How the loop keeps its handler.
#[cfg(not(feature = "alloc"))]
pub type HandlerBox = &'static ExceptionHandler;

/// What a callback may return: nothing, or a `Result` whose error goes to the
/// exception handler.
pub trait CallbackResult {
    /// Calls `report` with the error, if this is one.
    fn report(self, report: impl FnOnce(&dyn fmt::Display));
}

impl CallbackResult for () {
    #[inline]
    fn report(self, _report: impl FnOnce(&dyn fmt::Display)) {}
}

impl<E: fmt::Display> CallbackResult for Result<(), E> {
    #[inline]
    fn report(self, report: impl FnOnce(&dyn fmt::Display)) {
        if let Err(error) = self {
            report(&error);
        }
    }
}

impl EventLoop {
    /// Sets who is told of failures; `None` brings the default back.
    ///
    /// asyncio: `loop.set_exception_handler()`.
    pub fn set_exception_handler(&self, handler: Option<HandlerBox>) {
        self.hooks().exception_handler.set(handler);
    }

    /// Who is told of failures; `None` is the default.
    ///
    /// asyncio: `loop.get_exception_handler()`.
    pub fn get_exception_handler(&self) -> Option<HandlerBox> {
        let kept = &self.hooks().exception_handler;
        let handler = kept.take();
        #[cfg(feature = "alloc")]
        kept.set(handler.clone());
        #[cfg(not(feature = "alloc"))]
        kept.set(handler);
        handler
    }

    /// Tells the handler of a failure.
    ///
    /// asyncio: `loop.call_exception_handler()`.
    pub fn call_exception_handler(&self, context: &ExceptionContext<'_>) {
        let Some(handler) = self.get_exception_handler() else {
            return self.default_or_last_resort(context);
        };
        if guard(&mut || handler(self, context)).is_err() {
            self.default_or_last_resort(&ExceptionContext {
                original: Some(context),
                ..ExceptionContext::new("the exception handler itself failed", None)
            });
        }
    }

    /// What is done with failures when no handler is set: the backend writes
    /// them where its platform's errors go.
    ///
    /// asyncio: `loop.default_exception_handler()`.
    ///
    /// # Errors
    ///
    /// [`HandlerFailed`] when the backend could not write.
    pub fn default_exception_handler(
        &self,
        context: &ExceptionContext<'_>,
    ) -> Result<(), HandlerFailed> {
        match self.backend() {
            Some(backend) => backend.report(context),
            None => Err(HandlerFailed),
        }
    }

    /// Writes what is worth a word but is no failure where failures are
    /// written; the handler is not told.
    #[cfg(feature = "trace")]
    pub(crate) fn warn(&self, context: &ExceptionContext<'_>) {
        // It was only a warning.
        let _ = guard(&mut || self.default_exception_handler(context));
    }

    fn default_or_last_resort(&self, context: &ExceptionContext<'_>) {
        if guard(&mut || self.default_exception_handler(context)).is_err()
            && let Some(backend) = self.backend()
        {
            let last = "the default exception handler failed as well; a failure went unreported";
            // Nobody is left to tell should this fail too.
            let _ = guard(&mut || backend.last_resort(last));
        }
    }

    #[cfg(feature = "threads")]
    pub(crate) fn report_panic(&self, message: &str, payload: &crate::platform::Payload) {
        let text = crate::platform::panic_message(payload);
        self.call_exception_handler(&ExceptionContext::new(message, Some(&text)));
    }
}

/// Runs what may be anybody's code where a panic must not end what is around
/// it; on platforms that unwind, the panic is reported to `event_loop`. Without
/// one it is lost: then it is a second one, and the first unwinds.
#[inline]
pub(crate) fn contain(event_loop: Option<&EventLoop>, message: &str, mut run: impl FnMut()) {
    #[cfg(feature = "threads")]
    if let Err(payload) = crate::platform::catch_unwind(&mut run)
        && let Some(event_loop) = event_loop
    {
        event_loop.report_panic(message, &payload);
    }
    #[cfg(not(feature = "threads"))]
    {
        let _ = (event_loop, message);
        run();
    }
}

/// Calls a waker; what a foreign one panics with is reported.
#[cfg(not(feature = "threads"))]
#[inline]
pub(crate) fn wake_contained(waker: core::task::Waker) {
    waker.wake();
}

#[cfg(feature = "threads")]
pub(crate) use foreign_wakers::{contain_foreign_wakers, wake_contained};

/// Wakers that are not ours, which may panic.
///
/// Locks and queues work under any executor, also in programs without a loop and
/// without a [`platform`](crate::platform) to contain panics. So they reach
/// it through a pointer that the first loop sets; before it there is nobody to
/// report to, and a panic goes its own way.
///
/// # Invariants
///
/// * **A Function**: the pointer is null or that of `wake_foreign`.
#[cfg(feature = "threads")]
mod foreign_wakers {
    use super::contain;
    use core::ptr::null_mut;
    use core::sync::atomic::{AtomicPtr, Ordering};
    use core::task::Waker;

    static WAKE_FOREIGN: AtomicPtr<()> = AtomicPtr::new(null_mut());

    /// A loop is made: from now on panics of foreign wakers are contained.
    pub(crate) fn contain_foreign_wakers() {
        WAKE_FOREIGN.store(wake_foreign as fn(Waker) as *mut (), Ordering::Relaxed);
    }

    /// Calls a waker; what a foreign one panics with is reported.
    pub(crate) fn wake_contained(waker: Waker) {
        let wake_foreign = WAKE_FOREIGN.load(Ordering::Relaxed);
        if wake_foreign.is_null() || crate::task::header::task_of(&waker).is_some() {
            return waker.wake();
        }
        // SAFETY: A Function.
        let wake_foreign: fn(Waker) = unsafe { core::mem::transmute(wake_foreign) };
        wake_foreign(waker);
    }

    fn wake_foreign(waker: Waker) {
        let mut waker = Some(waker);
        contain(crate::schedule::current(), "a waker panicked", || {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        });
    }
}

/// Runs a handler; on platforms that unwind, its panic counts as failing.
fn guard(handler: &mut dyn FnMut() -> Result<(), HandlerFailed>) -> Result<(), HandlerFailed> {
    #[cfg(feature = "threads")]
    {
        let mut result = Err(HandlerFailed);
        let _panic = crate::platform::catch_unwind(&mut || result = handler());
        result
    }
    #[cfg(not(feature = "threads"))]
    handler()
}
