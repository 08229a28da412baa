//! A backend whose time and events are the test's.

use super::step::{Mismatch, Step};
use super::text::Text;
use crate::io::{Clock, PollBudget, Ready, Registration, SelectError, Selector, Wait};
use crate::schedule::{EventLoop, ExceptionContext, HandlerFailed};
use crate::time::{Duration, Instant};
use core::cell::{Cell, Ref, RefCell};

/// How many sources a [`TestBackend`] has for scripts to make ready.
pub const SOURCES: usize = 4;

/// How many waits and reports a [`TestBackend`] remembers.
const WAITS: usize = 16;
const REPORTS: usize = 4;
const REPORT_BYTES: usize = 128;

/// A hand-advanced clock and a scripted selector in one.
///
/// ```text
///   select(wait) ─▶ a step of the script is left? ─ yes ─▶ compare, then do as it says
///                          │ no
///                          ▼
///        No: return     Until(t): it is t now     Forever: nothing to wait for
/// ```
///
/// It never waits and never calls the platform, and what the loop reports it
/// keeps instead of printing it.
pub struct TestBackend {
    now: Cell<Instant>,
    budget: Cell<PollBudget>,
    script: Cell<&'static [Step]>,
    next: Cell<usize>,
    mismatch: Cell<Option<Mismatch>>,
    waits: [Cell<Wait>; WAITS],
    selects: Cell<usize>,
    sources: [Registration; SOURCES],
    reports: [RefCell<Text<REPORT_BYTES>>; REPORTS],
    report_count: Cell<usize>,
    failing_reports: Cell<usize>,
}

impl TestBackend {
    /// A backend whose clock shows [`Instant::ZERO`], without a script.
    pub const fn new() -> TestBackend {
        TestBackend {
            now: Cell::new(Instant::ZERO),
            budget: Cell::new(PollBudget::DEFAULT),
            script: Cell::new(&[]),
            next: Cell::new(0),
            mismatch: Cell::new(None),
            waits: [const { Cell::new(Wait::No) }; WAITS],
            selects: Cell::new(0),
            sources: [const { Registration::new() }; SOURCES],
            reports: [const { RefCell::new(Text::new()) }; REPORTS],
            report_count: Cell::new(0),
            failing_reports: Cell::new(0),
        }
    }

    /// Makes it as new, for another test: no loop may be running on it.
    pub fn reset(&self) {
        self.now.set(Instant::ZERO);
        self.budget.set(PollBudget::DEFAULT);
        self.script(&[]);
        self.selects.set(0);
        for source in &self.sources {
            source.clear(Ready::BOTH);
            source.forget(Ready::BOTH);
        }
        self.report_count.set(0);
        self.failing_reports.set(0);
    }

    /// Moves the clock on; at the far end of time it stays.
    pub fn advance(&self, by: Duration) {
        self.now.set(self.now.get().saturating_add(by));
    }

    /// Moves the clock on to `when`; it does not go back.
    pub fn advance_to(&self, when: Instant) {
        self.now.set(self.now.get().max(when));
    }

    /// How often a busy loop looks at the selector from its next run on.
    pub fn set_poll_budget(&self, budget: PollBudget) {
        self.budget.set(budget);
    }

    /// Has the next calls of the selector follow `script`, in place of what
    /// was left of the script before.
    pub fn script(&self, script: &'static [Step]) {
        self.script.set(script);
        self.next.set(0);
        self.mismatch.set(None);
    }

    /// Whether all calls were as the script says, and none is missing.
    ///
    /// # Errors
    ///
    /// The first [`Mismatch`].
    pub fn check_script(&self) -> Result<(), Mismatch> {
        if let Some(mismatch) = self.mismatch.get() {
            return Err(mismatch);
        }
        let next = self.next.get();
        if next < self.script.get().len() { Err(Mismatch::Unused { next }) } else { Ok(()) }
    }

    /// How often the selector was called.
    pub fn selects(&self) -> usize {
        self.selects.get()
    }

    /// What the selector was asked for in its call `number` (from 0); the
    /// first 16 are kept.
    pub fn wait(&self, number: usize) -> Option<Wait> {
        (number < self.selects.get()).then(|| self.waits.get(number).map(Cell::get)).flatten()
    }

    /// The sources that scripts make ready.
    pub fn sources(&self) -> &[Registration; SOURCES] {
        &self.sources
    }

    /// How many failures were reported.
    pub fn report_count(&self) -> usize {
        self.report_count.get()
    }

    /// What was reported as number `number` (from 0); the first 4 are kept,
    /// up to 128 bytes each. What came as the last resort begins so.
    pub fn reported(&self, number: usize) -> Option<Ref<'_, str>> {
        if number >= self.report_count.get() {
            return None;
        }
        self.reports.get(number).map(|report| Ref::map(report.borrow(), Text::as_str))
    }

    /// Makes the default exception handler fail the next `count` times.
    pub fn fail_reports(&self, count: usize) {
        self.failing_reports.set(count);
    }

    fn keep_report(&self, report: impl core::fmt::Display) {
        if let Some(place) = self.reports.get(self.report_count.get()) {
            *place.borrow_mut() = Text::of(report);
        }
        self.report_count.set(self.report_count.get() + 1);
    }

    fn keep_wait(&self, wait: Wait) {
        if let Some(place) = self.waits.get(self.selects.get()) {
            place.set(wait);
        }
        self.selects.set(self.selects.get().saturating_add(1));
    }

    fn next_step(&self, wait: Wait) -> Option<Step> {
        let number = self.next.get();
        let step = *self.script.get().get(number)?;
        self.next.set(number + 1);
        if let Some(expected) = step.expected
            && expected != wait
            && self.mismatch.get().is_none()
        {
            self.mismatch.set(Some(Mismatch::OtherWait { number, expected, found: wait }));
        }
        Some(step)
    }

    fn sleep(&self, wait: Wait) -> Result<(), SelectError> {
        match wait {
            Wait::No => Ok(()),
            Wait::Until(when) => {
                self.advance_to(when);
                Ok(())
            }
            Wait::Forever => Err(SelectError::NothingToWaitFor),
        }
    }
}

impl Default for TestBackend {
    fn default() -> Self {
        TestBackend::new()
    }
}

impl Clock for TestBackend {
    fn now(&self) -> Instant {
        self.now.get()
    }
}

impl Selector for TestBackend {
    fn select(&self, event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        self.keep_wait(wait);
        let Some(step) = self.next_step(wait) else {
            return self.sleep(wait);
        };
        if let Some(error) = step.fail {
            return Err(error);
        }
        if !step.is_an_event() {
            return self.sleep(wait);
        }
        self.advance(step.advance.unwrap_or(Duration::ZERO));
        if let Some((source, directions)) = step.ready {
            self.sources[source].set_ready(directions);
        }
        if let Some(event) = step.call {
            event(event_loop);
        }
        Ok(())
    }

    fn poll_budget(&self) -> PollBudget {
        self.budget.get()
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        let failing = self.failing_reports.get();
        if failing > 0 {
            self.failing_reports.set(failing - 1);
            return Err(HandlerFailed);
        }
        self.keep_report(context);
        Ok(())
    }

    fn last_resort(&self, text: &str) -> Result<(), HandlerFailed> {
        self.keep_report(format_args!("last resort: {text}"));
        Ok(())
    }
}

/// Where loops are on the heap they keep their backend in an `Rc`; so a `&'static` one can be put there.
#[cfg(feature = "threads")]
impl Clock for &TestBackend {
    fn now(&self) -> Instant {
        TestBackend::now(self)
    }
}

#[cfg(feature = "threads")]
impl Selector for &TestBackend {
    fn select(&self, event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        TestBackend::select(self, event_loop, wait)
    }

    fn poll_budget(&self) -> PollBudget {
        TestBackend::poll_budget(self)
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        TestBackend::report(self, context)
    }

    fn last_resort(&self, text: &str) -> Result<(), HandlerFailed> {
        TestBackend::last_resort(self, text)
    }
}
