//! Lines of IRC (RFC 2812, section 2.3.1): `:prefix COMMAND one two :the rest`.

/// The longest line, with its end.
pub const LONGEST: usize = 512;

/// A line, taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// Who says it.
    pub prefix: String,
    pub command: String,
    pub parameters: Vec<String>,
}

impl Message {
    /// Takes a line apart; `None` when nothing is in it. What is not UTF-8 is
    /// read as well as possible.
    pub fn parse(line: &[u8]) -> Option<Message> {
        let text = String::from_utf8_lossy(line);
        let mut rest = text.trim_end_matches(['\r', '\n']);
        let mut message = Message::default();
        if rest.starts_with('@') {
            // Tags of IRCv3, which were not asked for.
            rest = rest.split_once(' ')?.1.trim_start();
        }
        if let Some(prefixed) = rest.strip_prefix(':') {
            let (prefix, behind) = prefixed.split_once(' ')?;
            message.prefix = prefix.to_owned();
            rest = behind.trim_start();
        }
        let (command, mut rest) = word(rest);
        message.command = command.to_ascii_uppercase();
        while !rest.is_empty() {
            if let Some(last) = rest.strip_prefix(':') {
                message.parameters.push(last.to_owned());
                break;
            }
            let (parameter, behind) = word(rest);
            message.parameters.push(parameter.to_owned());
            rest = behind;
        }
        (!message.command.is_empty()).then_some(message)
    }

    /// A parameter; empty when it is not there.
    pub fn parameter(&self, number: usize) -> &str {
        self.parameters.get(number).map_or("", String::as_str)
    }

    /// The last parameter.
    pub fn last(&self) -> &str {
        self.parameters.last().map_or("", String::as_str)
    }

    /// The nick of who says it, or the server's name.
    pub fn nick(&self) -> &str {
        self.prefix.split(['!', '@']).next().unwrap_or_default()
    }
}

/// The first word, and what is behind it.
fn word(text: &str) -> (&str, &str) {
    match text.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start_matches(' ')),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let message = Message::parse(b":ada!a@host.example privmsg #x  y :hello : there \r\n");
        let message = message.expect("a message");
        assert_eq!((message.nick(), &*message.command), ("ada", "PRIVMSG"));
        assert_eq!(message.parameters, ["#x", "y", "hello : there "]);
        let message = Message::parse(b"@time=1 PING x\n").expect("a message");
        assert_eq!((&*message.command, message.last(), message.nick()), ("PING", "x", ""));
        assert_eq!(message.parameter(7), "");
        assert_eq!(Message::parse(b"A :\n").expect("a message").parameters, [""]);
    }

    #[test]
    fn what_is_no_message_is_none() {
        for line in [&b""[..], b"\r\n", b":prefix", b":prefix ", b"@tags", b" "] {
            assert_eq!(Message::parse(line), None, "{line:?}");
        }
        assert!(Message::parse(b"\xff\xfe\n").is_some());
    }
}
