//! A cancel scope: a part of a task's waiting that a cancel ends without
//! ending the task. `catch_cancel`, timeouts and task groups are made of it.
//!
//! The scopes that a task is in form a tree: a scope's parent is the scope
//! that was being polled when it was first polled itself. Nearly always the
//! tree is a path, outermost to innermost, like the frames of a call; a task
//! that waits in several places at once (`join`, `select`) has branches.
//!
//! ```text
//!               first poll            cancel: a leaf that catches
//!    Outside ───────────────▶ Inside ───────────────────────────▶ Requested
//!                               ▲ │                                │   │  │
//!                               │ │ future is ready, dropped       │   │  │ poll: delivered;
//!                               │ ▼                                │   │  │ the future is not polled
//!                               │ Outside ◀── ready, dropped: ─────┘   │  ▼
//!                               │             the request goes on      │ Inside, and the owner
//!                               │             to the parent, or        │ drops the future
//!                               │             to the task              │
//!                               └── uncancel to zero; whoever asked ───┘
//!                                   is over, and nobody else did
//! ```
//!
//! # Invariants
//!
//! * **Pinned**: a scope that is in a list does not move, and is taken out
//!   before it is dropped.
//! * **Detached**: a task's scopes are out of its list before its memory is
//!   given back. (In statics there is no giving back; there the generation
//!   tells whether a scope's task is still the one that it was entered in.)
//! * **Parents Live**: a scope's parent is in the same list or null; when a scope
//!   leaves, its children get its parent.

use super::{CancelMessage, Cancelled};
use crate::schedule::EventLoop;
use crate::task::header::{Header, is_waker_of, wake_by_ref};
use crate::task::state::{CANCEL, DONE};
use crate::time::Instant;
use core::cell::Cell;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::{NonNull, null};
use core::task::{Context, Poll, Waker};

/// A cancel has been asked for and is delivered at the next poll.
const REQUESTED: u8 = 1 << 0;
/// It takes cancels from outside.
const CATCHES: u8 = 1 << 1;

/// It is a timeout that has expired and drops its future at the end of this poll.
const ENDING: u8 = 1 << 2;

/// What a poll within a scope found.
pub(crate) enum Scoped<T> {
    /// Neither a value nor a cancel.
    Pending,
    /// The future is ready.
    Ready(T),
    /// A cancel was delivered: the future was not polled and is to be dropped.
    Cancelled(Cancelled),
}

/// A cancel scope, to be kept in the future that polls within it.
pub(crate) struct Scope {
    before: Cell<*const Scope>,
    after: Cell<*const Scope>,
    /// The task that it is in; null outside.
    task: Cell<*const Header>,
    #[cfg(not(feature = "threads"))]
    generation: Cell<u8>,
    parent: Cell<*const Scope>,
    /// Whom to wake, when that is not the task itself.
    waker: Cell<Option<Waker>>,
    flags: Cell<u8>,
    /// When a timeout expires, until it has; the clock's end for other scopes.
    deadline: Cell<Instant>,
    /// What the first scope of a task has taken the place of.
    #[cfg(feature = "alloc")]
    pub(crate) below: Cell<*mut ()>,
    _pin: PhantomPinned,
}

impl Scope {
    const fn with(flags: u8) -> Scope {
        Scope {
            before: Cell::new(null()),
            after: Cell::new(null()),
            task: Cell::new(null()),
            #[cfg(not(feature = "threads"))]
            generation: Cell::new(0),
            parent: Cell::new(null()),
            waker: Cell::new(None),
            flags: Cell::new(flags),
            deadline: Cell::new(Instant::FAR_FUTURE),
            #[cfg(feature = "alloc")]
            below: Cell::new(core::ptr::null_mut()),
            _pin: PhantomPinned,
        }
    }

    /// A scope in which a cancel of the task is delivered.
    pub(crate) const fn catching() -> Scope {
        Scope::with(CATCHES)
    }

    /// A scope that a cancel of the task passes by, unless code within it
    /// [passes it on](Cancelled::propagate): a timeout's.
    pub(crate) const fn passing() -> Scope {
        Scope::with(0)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    fn set(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    fn clear(&self, flag: u8) {
        self.flags.set(self.flags.get() & !flag);
    }

    /// The task that it is in.
    pub(crate) fn task(&self) -> Option<&Header> {
        // SAFETY: Detached.
        let task = unsafe { self.task.get().as_ref() }?;
        #[cfg(not(feature = "threads"))]
        if task.state.generation() != self.generation.get() {
            return None;
        }
        Some(task)
    }

    /// Polls `future` within the scope.
    ///
    /// Outside of a task, which is under another executor, it just polls. When
    /// the future is ready the owner drops it and [leaves](Self::leave): what
    /// was asked of the future and never delivered comes to this scope before.
    pub(crate) fn poll<F: Future>(
        self: Pin<&Self>,
        cx: &mut Context<'_>,
        future: Pin<&mut F>,
    ) -> Scoped<F::Output> {
        let Some((event_loop, task)) = crate::task::current() else {
            return match future.poll(cx) {
                Poll::Ready(output) => Scoped::Ready(output),
                Poll::Pending => Scoped::Pending,
            };
        };
        let this = self.get_ref();
        this.enter(event_loop, task);
        if let Some(cancelled) = this.take_request() {
            return Scoped::Cancelled(cancelled);
        }
        let polled = {
            let _around = Around::enter(event_loop, this);
            future.poll(cx)
        };
        match polled {
            Poll::Ready(output) => Scoped::Ready(output),
            Poll::Pending => {
                this.wait(task, cx.waker());
                Scoped::Pending
            }
        }
    }

    /// Takes a cancel that the task gave itself during this step, and notes
    /// whom a later one has to wake.
    fn wait(&self, task: NonNull<Header>, waker: &Waker) {
        let own = is_waker_of(waker, task);
        if own {
            drop(self.waker.take());
        } else {
            self.waker.set(Some(waker.clone()));
        }
        // SAFETY: the running task is alive.
        let header = unsafe { task.as_ref() };
        if self.has(CATCHES) && header.has(CANCEL) && !header.state.is_aborted() {
            header.clear(CANCEL);
            self.request();
        }
    }

    /// Delivers a request, if there is one.
    fn take_request(&self) -> Option<Cancelled> {
        if !self.has(REQUESTED) {
            return None;
        }
        self.clear(REQUESTED);
        Some(Cancelled::new(self.task().and_then(Header::take_message)))
    }

    /// Asks this scope to end, at its next poll, which it asks for.
    fn request(&self) {
        self.set(REQUESTED);
        if let Some(waker) = self.waker.take() {
            waker.wake_by_ref();
            self.waker.set(Some(waker));
        }
        if let Some(task) = self.task() {
            // SAFETY: alive, because not done; its loop's reference stands.
            unsafe { wake_by_ref(core::ptr::from_ref(task).cast()) };
        }
    }

    /// Whether `outer` is around this scope.
    fn is_within(&self, outer: *const Scope) -> bool {
        let mut around = self.parent.get();
        // SAFETY: Parents Live.
        while let Some(scope) = unsafe { around.as_ref() } {
            if core::ptr::eq(scope, outer) {
                return true;
            }
            around = scope.parent.get();
        }
        false
    }

    /// Counts a cancel of the task and asks the innermost scopes within this
    /// one that catch to end. False when there is none: then it is for the
    /// owner to drop the future.
    pub(crate) fn cancel_inside(&self) -> bool {
        let Some(task) = self.task() else { return false };
        task.state.add_cancel();
        request_leaves(task, self)
    }

    /// Takes what was asked of this scope, and within it, back: whoever asked is over.
    pub(crate) fn withdraw(&self) {
        let Some(task) = self.task() else { return };
        self.clear(REQUESTED);
        for scope in scopes(task).filter(|scope| scope.is_within(self)) {
            scope.clear(REQUESTED);
        }
    }

    /// Whether it is in `task`.
    pub(crate) fn is_in(&self, task: NonNull<Header>) -> bool {
        self.task().is_some_and(|header| core::ptr::eq(header, task.as_ptr()))
    }

    /// Says when this scope's timeout expires.
    pub(crate) fn set_deadline(&self, when: Instant) {
        self.deadline.set(when);
    }

    /// This scope's timeout has expired: from here on cancels stop here, and
    /// it decides whose they are.
    pub(crate) fn expire(&self) {
        self.deadline.set(Instant::FAR_FUTURE);
        self.set(CATCHES);
    }

    /// The timeout has moved to another task, and expires at `when` once more.
    pub(crate) fn unexpire(&self, when: Instant) {
        self.deadline.set(when);
        self.clear(CATCHES | ENDING);
    }

    /// Whether a timeout inside expires before `when`, and has by `now`: it comes first.
    pub(crate) fn earlier_timeout_inside(&self, when: Instant, now: Instant) -> bool {
        let Some(task) = self.task() else { return false };
        scopes(task).any(|scope| {
            let deadline = scope.deadline.get();
            deadline < when && deadline <= now && scope.is_within(self)
        })
    }

    /// Says that the owner drops the future when it has polled it once more:
    /// what expires inside meanwhile leaves it to the owner.
    pub(crate) fn end_after_this_poll(&self) {
        self.set(ENDING);
    }

    /// Whether something around will be dropped when this poll is over.
    pub(crate) fn ends_with_what_is_around(&self) -> bool {
        let mut around = self.parent.get();
        // SAFETY: Parents Live.
        while let Some(scope) = unsafe { around.as_ref() } {
            if scope.has(ENDING) {
                return true;
            }
            around = scope.parent.get();
        }
        false
    }

    /// Enters `task`, unless it is there already.
    fn enter(&self, event_loop: &EventLoop, task: NonNull<Header>) {
        let parent = around(event_loop).get();
        if self.is_in(task) {
            return self.parent.set(parent);
        }
        self.leave();
        self.task.set(task.as_ptr());
        self.parent.set(parent);
        // SAFETY: the running task is alive.
        let header = unsafe { task.as_ref() };
        #[cfg(not(feature = "threads"))]
        self.generation.set(header.state.generation());
        let first = header.first_scope();
        self.before.set(null());
        self.after.set(first);
        // SAFETY: Pinned: what is in the list is alive.
        if let Some(first) = unsafe { first.as_ref() } {
            first.before.set(self);
        }
        header.set_first_scope(self);
    }

    /// Leaves the task, if it is in one. An undelivered request goes on to what is around.
    pub(crate) fn leave(&self) {
        let task = self.task();
        let list = self.task.replace(null());
        // SAFETY: Detached.
        let Some(header) = (unsafe { list.as_ref() }) else { return };
        let parent = self.parent.replace(null());
        self.unlink(header);
        for scope in scopes(header) {
            if core::ptr::eq(scope.parent.get(), self) {
                scope.parent.set(parent);
            }
        }
        if self.has(REQUESTED)
            && let Some(task) = task
        {
            self.clear(REQUESTED);
            // SAFETY: Parents Live.
            ask(task, unsafe { parent.as_ref() }, task.take_message());
        }
    }

    fn unlink(&self, header: &Header) {
        let (before, after) = (self.before.replace(null()), self.after.replace(null()));
        // SAFETY: Pinned: its neighbours are in the list, so alive.
        unsafe {
            if let Some(after) = after.as_ref() {
                after.before.set(before);
            }
            match before.as_ref() {
                Some(before) => before.after.set(after),
                None => header.set_first_scope(after),
            }
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The scopes of `header`'s list, the one entered last first.
fn scopes(header: &Header) -> impl Iterator<Item = &Scope> {
    let mut next = header.first_scope();
    core::iter::from_fn(move || {
        // SAFETY: Pinned: what is in the list is alive, and nothing leaves meanwhile.
        let scope = unsafe { next.as_ref() }?;
        next = scope.after.get();
        Some(scope)
    })
    .filter(move |scope| scope.task().is_some_and(|task| core::ptr::eq(task, header)))
}

/// Asks the innermost scopes that catch, within `outer` (null: anywhere), to
/// end; false when there is none.
fn request_leaves(task: &Header, outer: *const Scope) -> bool {
    let mut found = false;
    let catching = || scopes(task).filter(|scope| scope.has(CATCHES));
    for scope in catching() {
        let here = outer.is_null() || scope.is_within(outer);
        if here && !catching().any(|inner| inner.is_within(scope)) {
            found = true;
            scope.request();
        }
    }
    found
}

/// Asks the innermost scopes of `task` that catch to end; false when there is none.
pub(super) fn request(task: &Header) -> bool {
    request_leaves(task, null())
}

/// Takes requests back that were not delivered.
pub(super) fn withdraw(task: &Header) {
    for scope in scopes(task) {
        scope.clear(REQUESTED);
    }
}

/// Hands a cancel that was delivered on to what is around the code that runs:
/// to the next scope, or to the task, which then ends at its next step. False
/// outside of a task.
pub(crate) fn pass_on(message: Option<CancelMessage>) -> bool {
    let Some((event_loop, task)) = crate::task::current() else { return false };
    // SAFETY: Pinned: the scope that is being polled is alive, and so is the running task.
    unsafe { ask(task.as_ref(), around(event_loop).get().as_ref(), message) };
    true
}

/// Asks `scope`, or where there is none `task` itself, to end.
fn ask(task: &Header, scope: Option<&Scope>, message: Option<CancelMessage>) {
    if message.is_some() {
        task.set_message(message);
    }
    if task.has(DONE) {
        // Its future is being dropped; whether it ends cancelled is decided after that.
        return task.set(CANCEL);
    }
    match scope {
        Some(scope) => scope.request(),
        None => {
            task.set(CANCEL);
            // SAFETY: alive, because not done; its loop's reference stands.
            unsafe { wake_by_ref(core::ptr::from_ref(task).cast()) };
        }
    }
}

/// Takes all scopes out of the list of a task that has ended.
#[cfg(feature = "alloc")]
#[cold]
pub(crate) fn detach_all(task: &crate::task::joiner::Joiner) {
    let mut next = task.first_scope();
    task.set_first_scope(null());
    // SAFETY: Pinned: what was in the list is alive.
    while let Some(scope) = unsafe { next.as_ref() } {
        next = scope.after.replace(null());
        scope.before.set(null());
        scope.parent.set(null());
        scope.task.set(null());
        scope.clear(REQUESTED);
    }
}

/// The scope that is being polled on `event_loop`; null when none is.
pub(crate) fn around(event_loop: &EventLoop) -> &Cell<*const Scope> {
    #[cfg(feature = "alloc")]
    return event_loop.scope_around();
    #[cfg(not(feature = "alloc"))]
    {
        let _ = event_loop;
        &one::SCOPES.around
    }
}

/// While it lives, `scope` is the one that is being polled.
struct Around<'a> {
    around: &'a Cell<*const Scope>,
    before: *const Scope,
}

impl<'a> Around<'a> {
    fn enter(event_loop: &'a EventLoop, scope: &Scope) -> Around<'a> {
        let around = around(event_loop);
        Around { around, before: around.replace(scope) }
    }
}

impl Drop for Around<'_> {
    fn drop(&mut self) {
        self.around.set(self.before);
    }
}

/// Without an allocator one loop at a time is open and tasks are few: their
/// scopes are in one list, and nothing is stored in the tasks.
#[cfg(not(feature = "alloc"))]
mod one {
    use super::Scope;
    use crate::one_thread::OneThread;
    use crate::task::header::Header;
    use core::cell::Cell;
    use core::ptr::null;

    pub(super) struct Scopes {
        first: Cell<*const Scope>,
        pub(super) around: Cell<*const Scope>,
    }

    // SAFETY: interrupts may wake tasks, but have none to cancel.
    pub(super) static SCOPES: OneThread<Scopes> =
        unsafe { OneThread::new(Scopes { first: Cell::new(null()), around: Cell::new(null()) }) };

    impl Header {
        pub(super) fn first_scope(&self) -> *const Scope {
            SCOPES.first.get()
        }

        pub(super) fn set_first_scope(&self, scope: *const Scope) {
            SCOPES.first.set(scope);
        }
    }
}
