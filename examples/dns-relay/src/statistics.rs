//! What has happened, counted.

use std::cell::Cell;
use std::fmt::{self, Display, Write};
use std::net::SocketAddr;

/// A number that only grows.
#[derive(Default)]
pub struct Counter(Cell<u64>);

impl Counter {
    pub fn count(&self) {
        self.0.set(self.0.get() + 1);
    }
}

impl Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get().fmt(f)
    }
}

/// What became of questions.
#[derive(Default)]
pub struct Statistics {
    pub questions: Counter,
    /// Of these, by TCP.
    pub by_tcp: Counter,
    /// Answered from the cache.
    pub remembered: Counter,
    /// Waited for the answer to somebody else's same question.
    pub shared: Counter,
    /// Nobody could answer.
    pub failed: Counter,
    /// Too many at once.
    pub overloaded: Counter,
    /// No question at all.
    pub nonsense: Counter,
    /// Clients that asked too much.
    pub dropped: Counter,
}

/// What became of the questions to one upstream.
#[derive(Default)]
pub struct UpstreamStatistics {
    pub asked: Counter,
    pub answered: Counter,
    pub timed_out: Counter,
    /// Nobody listens there, or there is no way.
    pub unreachable: Counter,
    /// It could not answer.
    pub refused: Counter,
    /// Something came that was no answer to the question.
    pub strange: Counter,
    /// The answer was too long for UDP.
    pub truncated: Counter,
}

impl Statistics {
    pub fn show(&self, remembered: usize) -> String {
        format!(
            "questions {}, by tcp {}, from cache {}, shared {}, failed {}, overloaded {}, nonsense {}, \
             dropped {}; answers in cache {remembered}\n",
            self.questions,
            self.by_tcp,
            self.remembered,
            self.shared,
            self.failed,
            self.overloaded,
            self.nonsense,
            self.dropped,
        )
    }
}

impl UpstreamStatistics {
    pub fn show(&self, text: &mut String, address: SocketAddr) {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "upstream {address}: asked {}, answered {}, timed out {}, unreachable {}, refused {}, strange {}, \
             truncated {}",
            self.asked,
            self.answered,
            self.timed_out,
            self.unreachable,
            self.refused,
            self.strange,
            self.truncated,
        );
    }
}
