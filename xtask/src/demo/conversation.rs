//! What the clients say and what they must hear. The same on every machine.
//!
//! In an expected line `*` stands for any text, for what is not the same each time.

/// One step of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It sends this line.
    Says(&'static str),
    /// The next line that it receives is this.
    Hears(&'static str),
    /// It closes its connection.
    Leaves,
    /// The server closes its connection.
    IsLetGo,
}

/// A conversation: who does what, in order. A client connects with its first step.
#[derive(Debug)]
pub struct Conversation {
    /// What it shows.
    pub title: &'static str,
    /// Client and step.
    pub steps: &'static [(&'static str, Step)],
}

use Step::{Hears, IsLetGo, Leaves, Says};

/// Held on every machine, also over a UART, which has one client.
pub const ALONE: Conversation = Conversation {
    title: "one client",
    steps: &[
        ("ada", Hears("* molen chat *")),
        ("ada", Says("NICK ada")),
        ("ada", Hears("* ada joined")),
        ("ada", Says("hello, wheel")),
        ("ada", Hears("<ada> hello, wheel")),
        ("ada", Says("QUIT")),
        ("ada", Hears("* bye")),
    ],
};

/// Held where several clients can be connected.
pub const TOGETHER: Conversation = Conversation {
    title: "two clients",
    steps: &[
        ("ada", Hears("* molen chat *")),
        ("ada", Says("NICK ada")),
        ("ada", Hears("* ada joined")),
        ("ben", Hears("* molen chat *")),
        ("ben", Says("NICK ben")),
        ("ben", Hears("* ben joined")),
        ("ada", Hears("* ben joined")),
        ("ben", Says("hello, ada")),
        ("ada", Hears("<ben> hello, ada")),
        ("ben", Hears("<ben> hello, ada")),
        ("ben", Leaves),
        ("ada", Hears("* ben left")),
        ("ada", Says("QUIT")),
        ("ada", Hears("* bye")),
        ("ada", IsLetGo),
    ],
};

/// Whether `line` is as `expected`, where `*` stands for any text.
pub fn fits(expected: &str, line: &str) -> bool {
    let Some((before, rest)) = expected.split_once('*') else {
        return expected == line;
    };
    let Some(after) = line.strip_prefix(before) else {
        return false;
    };
    (0..=after.len()).any(|from| after.is_char_boundary(from) && fits(rest, &after[from..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("* ada joined", "* ada joined"));
        assert!(fits("up * s, * turns", "up 12 s, 40 turns"));
        assert!(fits("*", ""));
        assert!(!fits("* ada joined", "* ada joined twice"));
        assert!(!fits("<ada> *", "<ben> hello"));
        assert!(!fits("exact", "exactly"));
    }

    #[test]
    fn over_a_uart_there_is_one_client_and_no_end_of_a_connection() {
        assert!(ALONE.steps.iter().all(|(who, _)| *who == ALONE.steps[0].0));
        assert!(ALONE.steps.iter().all(|(_, step)| !matches!(step, Leaves | IsLetGo)));
    }
}
