//! What a line asks for.

/// What a client wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To be heard by its room.
    Say(String),
    /// To be seen doing something.
    Act(String),
    /// To tell one other something.
    Tell(String, String),
    /// Another name.
    Name(String),
    /// Another room.
    Join(String),
    /// The names in a room, this one if there is no other.
    Who(Option<String>),
    Rooms,
    Help,
    Quit,
    /// Nothing at all.
    Nothing,
    /// Something that cannot be had, and why.
    Refused(&'static str),
}

pub const HELP: [&str; 9] = [
    "* What you write is said to your room. And:",
    "*   /nick NAME       be called so",
    "*   /join ROOM       go there",
    "*   /who [ROOM]      who is here, or there",
    "*   /rooms           where somebody is",
    "*   /msg NAME TEXT   tell one alone",
    "*   /me TEXT         do something",
    "*   /help            this",
    "*   /quit            goodbye",
];

/// The longest name of a client or a room.
const LONGEST_NAME: usize = 24;

/// Telnet's escape: one byte of command follows, and for some of them one more.
const INTERPRET_AS_COMMAND: u8 = 255;
/// Telnet's WILL, WONT, DO and DONT, which have an option behind them.
const NEGOTIATION: std::ops::RangeInclusive<u8> = 251..=254;

/// A line as text: without telnet's commands, and without control characters,
/// which would move the cursors of those who read it.
fn text(line: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.iter();
    while let Some(&byte) = rest.next() {
        if byte != INTERPRET_AS_COMMAND {
            bytes.push(byte);
        } else if rest.next().is_some_and(|command| NEGOTIATION.contains(command)) {
            rest.next();
        }
    }
    String::from_utf8_lossy(&bytes).chars().filter(|char| !char.is_control()).collect()
}

/// What `line` asks for.
pub fn request(line: &[u8]) -> Request {
    let text = text(line);
    let text = text.trim();
    let Some(command) = text.strip_prefix('/') else {
        return if text.is_empty() { Request::Nothing } else { Request::Say(text.to_owned()) };
    };
    let (word, rest) = split(command);
    match word.to_ascii_lowercase().as_str() {
        "nick" => named(rest, Request::Name),
        "join" => named(rest, Request::Join),
        "who" if rest.is_empty() => Request::Who(None),
        "who" => named(rest, |room| Request::Who(Some(room))),
        "rooms" => Request::Rooms,
        "msg" => match split(rest) {
            (name, text) if !text.is_empty() => Request::Tell(name.to_owned(), text.to_owned()),
            _ => Request::Refused("to say what to whom: /msg NAME TEXT"),
        },
        "me" if !rest.is_empty() => Request::Act(rest.to_owned()),
        "help" => Request::Help,
        "quit" => Request::Quit,
        _ => Request::Refused("no such command: /help has them all"),
    }
}

fn split(text: &str) -> (&str, &str) {
    match text.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

fn named(name: &str, request: impl FnOnce(String) -> Request) -> Request {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(|char| char.is_alphanumeric() || "-_.#".contains(char));
    if fits {
        request(name.to_owned())
    } else {
        Request::Refused("names have up to 24 bytes of letters, digits and - _ . #")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_said_and_commands_obeyed() {
        assert_eq!(request(b"hello  you \r\n"), Request::Say("hello  you".into()));
        assert_eq!(request(b"/NICK ada\n"), Request::Name("ada".into()));
        assert_eq!(request(b"/msg bob  a b\n"), Request::Tell("bob".into(), "a b".into()));
        assert_eq!(request(b"/who\n"), Request::Who(None));
        assert_eq!(request(b"  \r\n"), Request::Nothing);
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        for line in [&b"/nick two words"[..], b"/nick", b"/join \xff\xff", b"/msg bob", b"/fly"] {
            assert!(matches!(request(line), Request::Refused(_)), "{line:?}");
        }
    }

    #[test]
    fn terminals_are_safe_and_telnet_negotiates_with_nobody() {
        assert_eq!(request(b"a\x1b[31mb\x07\n"), Request::Say("a[31mb".into()));
        assert_eq!(request(b"\xff\xfd\x03\xff\xf1hi\r\n"), Request::Say("hi".into()));
        assert_eq!(request(b"/\xff"), Request::Refused("no such command: /help has them all"));
    }
}
