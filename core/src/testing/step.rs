//! The lines of a script.

use super::backend::SOURCES;
use crate::io::{Ready, SelectError, Wait};
use crate::schedule::EventLoop;
use crate::time::Duration;
use core::fmt;

/// One call of the selector: the wait that the loop must ask for, and what
/// happens then.
///
/// If nothing else is said, the wait is over when it was to be over: a
/// [`Wait::Until`] makes it that late, and a [`Wait::Forever`] ends in
/// [`SelectError::NothingToWaitFor`].
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub(super) expected: Option<Wait>,
    pub(super) advance: Option<Duration>,
    pub(super) ready: Option<(usize, Ready)>,
    pub(super) call: Option<fn(&EventLoop)>,
    pub(super) fail: Option<SelectError>,
}

impl Step {
    /// The loop must ask for exactly this wait.
    pub const fn expect(wait: Wait) -> Step {
        Step { expected: Some(wait), ..Step::any() }
    }

    /// The loop may ask for any wait.
    pub const fn any() -> Step {
        Step { expected: None, advance: None, ready: None, call: None, fail: None }
    }

    /// The selector returns `by` later, whatever was asked for. Zero is a
    /// return that is early and without a reason, as selectors may make.
    pub const fn then_advance(self, by: Duration) -> Step {
        Step { advance: Some(by), ..self }
    }

    /// Source number `source` of the backend becomes ready. Unless it is said
    /// otherwise, no time passes.
    ///
    /// # Panics
    ///
    /// In a `const` (that is, when compiled): there is no such source.
    pub const fn then_ready(self, source: usize, directions: Ready) -> Step {
        assert!(source < SOURCES, "a test backend has no source of that number");
        Step { ready: Some((source, directions)), ..self }
    }

    /// Calls `event`, which stands for whatever may happen while the loop
    /// sleeps: an interrupt, a thread. Unless it is said otherwise, no time
    /// passes.
    pub const fn then_call(self, event: fn(&EventLoop)) -> Step {
        Step { call: Some(event), ..self }
    }

    /// The selector fails.
    pub const fn then_fail(self, error: SelectError) -> Step {
        Step { fail: Some(error), ..self }
    }

    /// Whether something ends the wait before its time.
    pub(super) const fn is_an_event(&self) -> bool {
        self.advance.is_some() || self.ready.is_some() || self.call.is_some()
    }
}

/// What the loop asked for was not in the script, or not all of the script
/// was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// Step `number` (from 0) of the script was another wait.
    OtherWait {
        /// Which step.
        number: usize,
        /// The wait in the script.
        expected: Wait,
        /// The wait that the loop asked for.
        found: Wait,
    },
    /// The script has steps from number `next` on that never came.
    Unused {
        /// The first step that did not come.
        next: usize,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::OtherWait { number, expected, found } => {
                write!(
                    f,
                    "step {number} of the script expects {expected:?}, the loop asked for {found:?}"
                )
            }
            Mismatch::Unused { next } => {
                write!(f, "the loop never came to step {next} of the script")
            }
        }
    }
}

impl core::error::Error for Mismatch {}
