//! Ctrl-C while the main future of a runner runs.
//!
//! ```text
//!           main begins              first                  second
//!   default ───────────▶ watching ─────────▶ main is asked ────────▶ the process
//!      ▲                    │                 to end │               ends
//!      └───── main ends ────┴────────────────────────┘
//! ```
//!
//! The first Ctrl-C cancels the main task, which may clean up, or refuse. The
//! second ends the process at once, as if nobody had watched: a program that
//! hangs, be it in a computation that never gives the loop a turn, must obey
//! to it. (asyncio's raises `KeyboardInterrupt` wherever the program is; there is
//! no such thing in Rust.) After the main future has ended, and so while a runner
//! clears up, each Ctrl-C ends the process.
//!
//! `run` ends with [`RunError::Interrupted`] only if the main task was cancelled
//! because of Ctrl-C and nothing else. A main future that catches the cancel and
//! goes on to its end returns its value.
//!
//! It is left alone, as in asyncio,
//! * where SIGINT has a handler or is ignored already,
//! * on other threads than the process's first, which std names `main`,
//! * with a backend that is not molen-std's, which could not be woken.
//!
//! | file | what it is |
//! |---|---|
//! | `press` | what a signal handler and the loop share |
//! | `unix`, `windows` | ending as the system would |
//!
//! Being told by the system is what [`signals`](crate::signals) does. A loop's
//! own handler for SIGINT goes before.
//!
//! asyncio: `Runner._on_sigint`.

mod press;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

#[cfg(unix)]
pub(crate) use press::forget;
pub(crate) use press::{Press, pressed};
pub use system::end_process;

use crate::selector::StdSelector;
use crate::signals::Signal;
use crate::signals::system::Installed;
use molen_core::{LoopRef, RunError, TaskRef};
use press::Listening;
use std::cell::{Cell, RefCell};
use std::future::Future;

/// A selector's part: the main task to cancel when Ctrl-C has woken it.
pub(crate) struct Interrupts {
    main: RefCell<Option<TaskRef>>,
    /// The main task was cancelled.
    asked: Cell<bool>,
}

impl Interrupts {
    pub(crate) fn new() -> Interrupts {
        Interrupts { main: RefCell::new(None), asked: Cell::new(false) }
    }

    /// The selector was woken, maybe by Ctrl-C.
    pub(crate) fn look(&self) {
        let Some(main) = self.main.borrow().clone() else { return };
        if !self.asked.get() && press::heard() {
            self.asked.set(main.cancel());
        }
    }
}

/// Runs `main`; Ctrl-C cancels it.
pub(crate) fn run_main<F: Future>(
    event_loop: &LoopRef,
    main: F,
    begun: &mut dyn FnMut(&TaskRef),
) -> Result<F::Output, RunError> {
    let mut watch = Watch::begin(event_loop);
    let result = event_loop.run_main(main, &mut |task| {
        if let Some(watch) = &watch {
            watch.main_begins(task);
        }
        begun(task);
    });
    if watch.as_mut().is_some_and(|watch| watch.end(&result)) {
        return Err(RunError::Interrupted);
    }
    result
}

/// While it lives, Ctrl-C wakes the loop.
struct Watch<'a> {
    selector: &'a StdSelector,
    // In this order: who may be called is taken back first.
    installed: Option<Installed>,
    listening: Listening,
}

impl<'a> Watch<'a> {
    /// `None` where Ctrl-C is left alone.
    fn begin(event_loop: &'a LoopRef) -> Option<Watch<'a>> {
        let selector = StdSelector::of(event_loop)?;
        if event_loop.is_running() || std::thread::current().name() != Some("main") {
            return None;
        }
        let listening = Listening::begin(selector.wake_up())?;
        let installed = Installed::install_if_default(Signal::INT)?;
        selector.interrupts.asked.set(false);
        Some(Watch { selector, installed: Some(installed), listening })
    }

    fn main_begins(&self, task: &TaskRef) {
        self.selector.interrupts.main.replace(Some(task.clone()));
    }

    /// The main future has ended: whether it was by Ctrl-C.
    fn end<T>(&mut self, result: &Result<T, RunError>) -> bool {
        // From here on Ctrl-C ends the process, so none is overlooked below.
        self.installed = None;
        let main = self.selector.interrupts.main.take();
        let cancelled = matches!(result, Err(RunError::Cancelled));
        if self.selector.interrupts.asked.get() {
            // One cancel was ours; whoever else wanted it gone is told so.
            cancelled && main.is_some_and(|main| main.uncancel() == 0)
        } else {
            // Between the last look and the end: if that was a value, the
            // cancel wins, as it does in a task's last step.
            self.listening.has_heard() && !cancelled
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        drop(self.selector.interrupts.main.take());
    }
}
