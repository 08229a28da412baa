//! What happened, in order.

use core::cell::Cell;
use core::fmt;

/// A log of up to `N` events, to be compared as a whole sequence.
///
/// Membership alone hides most mistakes of a scheduler; the whole sequence
/// hides none. Events beyond `N` are counted, and make every check fail.
pub struct EventLog<const N: usize> {
    events: [Cell<&'static str>; N],
    count: Cell<usize>,
}

impl<const N: usize> EventLog<N> {
    /// Nothing has happened.
    pub const fn new() -> EventLog<N> {
        EventLog { events: [const { Cell::new("") }; N], count: Cell::new(0) }
    }

    /// Notes that `event` happened.
    pub fn add(&self, event: &'static str) {
        if let Some(place) = self.events.get(self.count.get()) {
            place.set(event);
        }
        self.count.set(self.count.get().saturating_add(1));
    }

    /// How many events there were, kept or not.
    pub fn len(&self) -> usize {
        self.count.get()
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.count.get() == 0
    }

    /// Forgets all events.
    pub fn clear(&self) {
        self.count.set(0);
    }

    /// The events that were kept.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.events.iter().take(self.count.get()).map(Cell::get)
    }

    /// Compares the whole log with `expected`.
    ///
    /// # Errors
    ///
    /// The [`Difference`], which shows both sequences and where they part.
    pub fn check<'a>(&'a self, expected: &'a [&'static str]) -> Result<(), Difference<'a>> {
        if self.count.get() <= N && self.iter().eq(expected.iter().copied()) {
            return Ok(());
        }
        let kept = self.count.get().min(N);
        Err(Difference { expected, found: &self.events[..kept], lost: self.count.get() - kept })
    }
}

impl<const N: usize> Default for EventLog<N> {
    fn default() -> Self {
        EventLog::new()
    }
}

impl<const N: usize> fmt::Debug for EventLog<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// How a log differs from what was expected.
#[derive(Clone, Copy)]
pub struct Difference<'a> {
    expected: &'a [&'static str],
    found: &'a [Cell<&'static str>],
    lost: usize,
}

impl Difference<'_> {
    /// The number of the first event that is not as expected, from 0.
    pub fn at(&self) -> usize {
        let same = |(expected, found): &(&&str, &Cell<&'static str>)| **expected == found.get();
        self.expected.iter().zip(self.found).take_while(same).count()
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at();
        let name = |event: Option<&'static str>| event.unwrap_or("(the end)");
        write!(
            f,
            "event {at} is {}, not {}; expected {:?}, found [",
            name(self.found.get(at).map(Cell::get)),
            name(self.expected.get(at).copied()),
            self.expected,
        )?;
        for (index, event) in self.found.iter().enumerate() {
            write!(f, "{}{:?}", if index == 0 { "" } else { ", " }, event.get())?;
        }
        f.write_str("]")?;
        if self.lost > 0 {
            write!(f, " and {} more than the log can hold", self.lost)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Difference<'_> {}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_difference_shows_both_sequences_and_where_they_part() {
        let log = EventLog::<4>::new();
        log.add("a");
        log.add("c");
        assert!(log.check(&["a", "c"]).is_ok());
        let difference = log.check(&["a", "b", "c"]).unwrap_err();
        assert_eq!(
            difference.to_string(),
            r#"event 1 is c, not b; expected ["a", "b", "c"], found ["a", "c"]"#
        );
        let end = log.check(&["a"]).unwrap_err().to_string();
        assert!(end.starts_with("event 1 is c, not (the end)"), "{end}");
    }

    #[test]
    fn an_overfull_log_never_passes() {
        let log = EventLog::<1>::new();
        log.add("a");
        log.add("b");
        let difference = log.check(&["a"]).unwrap_err().to_string();
        assert!(difference.ends_with("and 1 more than the log can hold"), "{difference}");
    }
}
