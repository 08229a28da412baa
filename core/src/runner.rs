//! Running a program: a main future on a loop, several if wanted, and what
//! remains to be done behind them.
//!
//! ```text
//!             run(main) ⟲                        close, or drop
//!   open ──────────────────▶ open ───┐
//!                                    ▼
//!                     1  every task that is left is cancelled, once
//!                     2  the loop turns until those tasks have ended
//!                     3  the platform is shut down: executors
//!                     4  the loop is closed
//!                                    ▼
//!                                 closed: run is refused
//! ```
//!
//! The order of things is decided here, once for all platforms. What a
//! platform adds to it (Ctrl-C, threads to join, bytes to send off) are its
//! [`Surroundings`].
//!
//! | asyncio | here |
//! |---|---|
//! | `asyncio.run(main())` | `molen::run(main())` |
//! | `asyncio.Runner()` | [`Runner::new`], where the platform has one kind of loop |
//! | `Runner(loop_factory=f)` | [`Runner::with_loop_factory`] |
//! | `with Runner() as runner:` | the runner closes when it is dropped |
//! | `runner.get_loop()` | [`Runner::get_loop`] |
//! | `RuntimeError: Runner is closed` | [`RunError::Closed`] |
//! | `KeyboardInterrupt` | [`RunError::Interrupted`] |
//!
//! A runner leaves the thread's current loop
//! ([`set_event_loop`](crate::schedule)) alone; asyncio's sets it.

use crate::error::RunError;
use crate::schedule::{EventLoop, LoopRef};
#[cfg(feature = "alloc")]
use crate::task::Context;
use crate::task::TaskRef;
use core::fmt;
use core::future::Future;

/// What a platform adds to running and to closing.
///
/// `()` adds nothing, which is all that there is on bare metal.
pub trait Surroundings: Default {
    /// Runs `main`, as [`EventLoop::run_main`] does; with Ctrl-C where there is
    /// one.
    ///
    /// # Errors
    ///
    /// As [`EventLoop::run_main`], and [`RunError::Interrupted`].
    fn run_main<F: Future>(
        &mut self,
        event_loop: &LoopRef,
        main: F,
        begun: &mut dyn FnMut(&TaskRef),
    ) -> Result<F::Output, RunError> {
        event_loop.run_main(main, begun)
    }

    /// No task of the runner's is left: ends what served them, and waits for
    /// it on the loop, which still works. Executors are shut down here.
    ///
    /// # Errors
    ///
    /// As [`run_until_complete`](crate::EventLoop::run_until_complete). The
    /// loop is closed all the same.
    fn shut_down(&mut self, event_loop: &LoopRef) -> Result<(), RunError> {
        let _ = event_loop;
        Ok(())
    }

    /// The loop has been closed.
    fn closed(&mut self) {}
}

impl Surroundings for () {}

/// Surroundings that know what loop their platform's programs run on.
pub trait NewEventLoop: Surroundings {
    /// Why there is no loop.
    type Error;

    /// The platform's `new_event_loop()`.
    ///
    /// # Errors
    ///
    /// The platform's.
    fn new_event_loop() -> Result<LoopRef, Self::Error>;
}

/// A loop on which main futures run, one after the other, and which is cleared
/// up when the last is through.
///
/// On desktops and in WASI modules `molen::Runner` is this with the platform's
/// surroundings, and `Runner::new()` makes the loop. On microcontrollers the
/// loop is a static: `Runner::with_loop(LOOP.start(&BOARD)?)`.
///
/// Closing it runs the loop, so it may take as long as the tasks that are left
/// take to end: a task that refuses to be cancelled keeps it waiting, for ever
/// if it wants, as it keeps asyncio's. Dropping the runner closes it.
///
/// asyncio: `asyncio.Runner`.
pub struct Runner<S: Surroundings = ()> {
    event_loop: LoopRef,
    surroundings: S,
    /// What main futures have set in it.
    #[cfg(feature = "alloc")]
    context: Option<Context>,
}

impl<S: NewEventLoop> Runner<S> {
    /// A runner with a new loop of the platform's.
    ///
    /// asyncio: `Runner()`; it makes its loop when it is first used.
    ///
    /// # Errors
    ///
    /// The platform's, when it has no loop to give.
    pub fn new() -> Result<Runner<S>, S::Error> {
        Runner::with_loop_factory(S::new_event_loop)
    }
}

impl<S: Surroundings> Runner<S> {
    /// A runner with the loop that `factory` makes: on a backend of one's own,
    /// say.
    ///
    /// asyncio: `Runner(loop_factory=…)`.
    ///
    /// # Errors
    ///
    /// The factory's.
    pub fn with_loop_factory<E>(
        factory: impl FnOnce() -> Result<LoopRef, E>,
    ) -> Result<Runner<S>, E> {
        factory().map(Runner::with_loop)
    }

    /// A runner with `event_loop`, which it will close.
    pub fn with_loop(event_loop: LoopRef) -> Runner<S> {
        Runner {
            event_loop,
            surroundings: S::default(),
            #[cfg(feature = "alloc")]
            context: None,
        }
    }

    /// The loop on which it runs.
    ///
    /// asyncio: `Runner.get_loop()`.
    ///
    /// # Errors
    ///
    /// [`RunError::Closed`].
    pub fn get_loop(&self) -> Result<LoopRef, RunError> {
        if self.event_loop.is_closed() {
            return Err(RunError::Closed);
        }
        Ok(self.event_loop.clone())
    }

    /// Runs `main` to its end; tasks that it leaves go on in the next run, and
    /// what it sets in its context (a
    /// [`ContextVar`](crate::task)) is still set there.
    ///
    /// asyncio: `Runner.run()`.
    ///
    /// # Errors
    ///
    /// As [`run_until_complete`](crate::EventLoop::run_until_complete):
    /// [`RunError::AlreadyRunning`] inside of a loop,
    /// [`RunError::Cancelled`] when the main task was cancelled. With Ctrl-C,
    /// [`RunError::Interrupted`].
    ///
    /// # Cancellation
    ///
    /// The task of `main` is cancelled like any other.
    pub fn run<F: Future>(&mut self, main: F) -> Result<F::Output, RunError> {
        #[cfg(not(feature = "alloc"))]
        let result = self.surroundings.run_main(&self.event_loop, main, &mut |_task| ());
        #[cfg(feature = "alloc")]
        let result = {
            let Runner { event_loop, surroundings, context } = self;
            let mut task = None;
            let result = surroundings.run_main(event_loop, main, &mut |main| {
                // A context makes creating tasks dearer: none is given before
                // something was set in one.
                if let Some(context) = context.clone() {
                    main.share_context(context);
                }
                task = Some(main.clone());
            });
            *context = task.and_then(|task| task.context()).or(context.take());
            result
        };
        result
    }

    /// [`run`](Self::run) in a context of the caller's, which the main future
    /// shares.
    ///
    /// asyncio: `Runner.run(…, context=…)`.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Cancellation
    ///
    /// As [`run`](Self::run).
    #[cfg(feature = "alloc")]
    pub fn run_in<F: Future>(&mut self, context: &Context, main: F) -> Result<F::Output, RunError> {
        self.surroundings.run_main(&self.event_loop, main, &mut |main| {
            main.share_context(context.clone());
        })
    }

    /// Cancels the tasks that are left, waits for them, and closes the loop.
    /// Closing again does nothing.
    ///
    /// A panic of a task that has no handle goes to the exception handler, and
    /// the error of one that was detached for it
    /// (`Task::detach_reporting`). What they start meanwhile is not waited for:
    /// closing the loop drops it.
    ///
    /// asyncio: `Runner.close()`.
    ///
    /// # Errors
    ///
    /// [`RunError::AlreadyRunning`] while the loop runs, and then it is not
    /// closed. Else it is closed, whatever is returned:
    /// [`RunError::AlreadyRunning`] when another loop runs on this thread, so
    /// that this one could not turn, [`RunError::NothingToWaitFor`] when a
    /// task that refused to be cancelled waits for nothing,
    /// [`RunError::Select`].
    pub fn close(&mut self) -> Result<(), RunError> {
        if self.event_loop.is_closed() {
            return Ok(());
        }
        if self.event_loop.is_running() {
            return Err(RunError::AlreadyRunning);
        }
        let cleared = self.clear_up();
        self.event_loop.close()?;
        self.surroundings.closed();
        cleared
    }

    fn clear_up(&mut self) -> Result<(), RunError> {
        let ended = end_tasks(&self.event_loop);
        ended.and(self.surroundings.shut_down(&self.event_loop))
    }
}

/// Cancels every unfinished task of `event_loop`, once, and turns the loop until
/// they have ended and their done callbacks have run.
///
/// What they start meanwhile is neither cancelled, for it may be what they
/// clean up with, nor waited for. A `stop` does not end this.
///
/// For hosts that turn a loop themselves; a [`Runner`] does it when it closes.
///
/// asyncio: `runners._cancel_all_tasks`.
///
/// # Errors
///
/// As [`turn`](crate::EventLoop::turn).
pub fn end_tasks(event_loop: &EventLoop) -> Result<(), RunError> {
    let mut left = Left::of(event_loop);
    while left.is_some(event_loop) {
        event_loop.clear_stopping();
        event_loop.turn(None)?;
    }
    event_loop.clear_stopping();
    Ok(())
}

/// The tasks that were left.
#[cfg(feature = "alloc")]
struct Left {
    tasks: alloc::vec::Vec<TaskRef>,
    /// They have ended; what that made ready, their done callbacks, has its turn.
    ended: bool,
}

#[cfg(feature = "alloc")]
impl Left {
    fn of(event_loop: &EventLoop) -> Left {
        let tasks = event_loop.all_tasks();
        for task in &tasks {
            task.cancel();
        }
        Left { tasks, ended: false }
    }

    fn is_some(&mut self, event_loop: &EventLoop) -> bool {
        while self.tasks.pop_if(|task| task.done()).is_some() {}
        let ended = core::mem::replace(&mut self.ended, self.tasks.is_empty());
        !self.ended || (!ended && event_loop.has_ready())
    }
}

/// The tasks that were left. Without an allocator they are told from newer
/// ones by the cancel that stands against them; so one that takes it back
/// ([`TaskRef::uncancel`]) is not waited for here.
#[cfg(not(feature = "alloc"))]
struct Left;

#[cfg(not(feature = "alloc"))]
impl Left {
    fn of(event_loop: &EventLoop) -> Left {
        // In the order of creation, as with an allocator. Cancelling changes
        // nothing in the list.
        event_loop.tasks.turn_round();
        event_loop.for_each_task(|task| {
            task.cancel();
        });
        event_loop.tasks.turn_round();
        Left
    }

    fn is_some(&mut self, event_loop: &EventLoop) -> bool {
        let mut some = false;
        event_loop.for_each_task(|task| some |= task.cancelling() > 0);
        some
    }
}

impl<S: Surroundings> Drop for Runner<S> {
    fn drop(&mut self) {
        // Who wants to know calls `close`.
        let _ = self.close();
    }
}

impl<S: Surroundings> fmt::Debug for Runner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.event_loop).finish()
    }
}
