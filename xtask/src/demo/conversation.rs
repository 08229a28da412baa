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
    /// The server closes its connection.
    IsLetGo,
    /// It lets this many milliseconds pass.
    Waits(u64),
    /// The server, told to, ends by itself and reports success.
    SeesTheServerEnd,
}

/// A conversation: who does what, in order. A client connects with its first step.
#[derive(Debug)]
pub struct Conversation {
    /// What it shows.
    pub title: &'static str,
    /// Client and step.
    pub steps: &'static [(&'static str, Step)],
}

use Step::{Hears, IsLetGo, Says, SeesTheServerEnd, Waits};

/// Held on every machine, also over a UART, which has one client: answers, a timer that takes a
/// key away, a command that is none, and a clean end.
pub const ALONE: Conversation = Conversation {
    title: "one client",
    steps: &[
        ("ada", Says("PING")),
        ("ada", Hears("+PONG")),
        ("ada", Says("SET wind west by north")),
        ("ada", Hears("+OK")),
        ("ada", Says("GET wind")),
        ("ada", Hears("=west by north")),
        ("ada", Says("SET gust 7")),
        ("ada", Hears("+OK")),
        ("ada", Says("COUNT")),
        ("ada", Hears(":2")),
        ("ada", Says("EXPIRE gust 200")),
        ("ada", Hears(":1")),
        ("ada", Waits(600)),
        ("ada", Says("GET gust")),
        ("ada", Hears("-NIL")),
        ("ada", Says("COUNT")),
        ("ada", Hears(":1")),
        ("ada", Says("TURN")),
        ("ada", Hears("-ERR unknown command")),
        ("ada", Says("DEL wind")),
        ("ada", Hears(":1")),
        ("ada", Says("SHUTDOWN")),
        ("ada", Hears("+BYE")),
        ("ada", SeesTheServerEnd),
    ],
};

/// Held where several clients can be connected.
pub const TOGETHER: Conversation = Conversation {
    title: "several clients",
    steps: &[
        ("ada", Says("CLIENTS")),
        ("ada", Hears(":1")),
        ("ben", Says("CLIENTS")),
        ("ben", Hears(":2")),
        ("ada", Says("SET wind west")),
        ("ada", Hears("+OK")),
        ("ben", Says("GET wind")),
        ("ben", Hears("=west")),
        ("ben", Says("QUIT")),
        ("ben", Hears("+BYE")),
        ("ben", IsLetGo),
        ("ada", Says("CLIENTS")),
        ("ada", Hears(":1")),
        ("cleo", Says("GET wind")),
        ("cleo", Hears("=west")),
        ("cleo", Says("SHUTDOWN")),
        ("cleo", Hears("+BYE")),
        ("ada", Hears("-CLOSING")),
        ("ada", IsLetGo),
        ("ada", SeesTheServerEnd),
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
        assert!(ALONE.steps.iter().all(|(_, step)| *step != IsLetGo));
    }
}
