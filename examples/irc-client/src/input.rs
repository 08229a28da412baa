//! What the user asks for.

/// What a line of input is.
#[derive(PartialEq, Eq, Debug)]
pub enum Input {
    /// To be said in the channel.
    Say(String),
    /// To be done there.
    Act(String),
    /// To be said to somebody, or in another channel.
    Tell(String, String),
    /// A line for the server as it is.
    Raw(String),
    Join(String),
    Part(String),
    Quit(String),
    Lag,
    Help,
    Nothing,
    /// What cannot be done, and why.
    Refused(&'static str),
}

pub const HELP: [&str; 11] = [
    "* What you write is said in the channel that was joined last. And:",
    "*   /join CHANNEL       go there; it is where you speak then",
    "*   /part [CHANNEL]     leave it",
    "*   /msg WHO TEXT       tell one person, or another channel",
    "*   /me TEXT            do something",
    "*   /nick NAME          be called so",
    "*   /names CHANNEL      who is there",
    "*   /topic CHANNEL [:TEXT]",
    "*   /lag                how long the server takes to answer",
    "*   /raw LINE           a line for the server",
    "*   /quit [TEXT]        goodbye",
];

/// What `line` asks for. Control characters are left out: an end of a line
/// among them would begin another command.
pub fn input(line: &[u8]) -> Input {
    let text = String::from_utf8_lossy(line);
    let text: String = text.chars().filter(|char| !char.is_control()).collect();
    // Two of them say a line that begins with one.
    let command = text.strip_prefix('/').filter(|rest| !rest.starts_with('/'));
    let Some(command) = command else {
        let said = text.strip_prefix('/').unwrap_or(&text);
        return if said.trim().is_empty() { Input::Nothing } else { Input::Say(said.to_owned()) };
    };
    let (word, rest) = split(command);
    let given = |input: fn(String) -> Input, missing| match rest {
        "" => Input::Refused(missing),
        rest => input(rest.to_owned()),
    };
    match word.to_ascii_lowercase().as_str() {
        "join" => given(Input::Join, "to join what? /join CHANNEL"),
        "part" => Input::Part(rest.to_owned()),
        "me" => given(Input::Act, "to do what? /me TEXT"),
        "msg" => match split(rest) {
            (who, text) if !text.is_empty() => Input::Tell(who.to_owned(), text.to_owned()),
            _ => Input::Refused("to say what to whom? /msg WHO TEXT"),
        },
        "nick" | "names" | "topic" => Input::Raw(format!("{} {rest}", word.to_ascii_uppercase())),
        "raw" => given(Input::Raw, "to send what? /raw LINE"),
        "quit" => Input::Quit(rest.to_owned()),
        "lag" => Input::Lag,
        "help" => Input::Help,
        _ => Input::Refused("no such command: /help has them all"),
    }
}

fn split(text: &str) -> (&str, &str) {
    match text.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_and_commands_obeyed() {
        assert_eq!(input(b" hello \r\n"), Input::Say(" hello ".into()));
        assert_eq!(input(b"//etc\n"), Input::Say("/etc".into()));
        assert_eq!(input(b"/JOIN #a\n"), Input::Join("#a".into()));
        assert_eq!(input(b"/msg ada one two\n"), Input::Tell("ada".into(), "one two".into()));
        assert_eq!(input(b"/nick eve\n"), Input::Raw("NICK eve".into()));
        assert_eq!(input(b"\n"), Input::Nothing);
        assert!(matches!(input(b"/msg ada\n"), Input::Refused(_)));
        assert_eq!(input(b"one\rQUIT\n"), Input::Say("oneQUIT".into()), "nothing is smuggled in");
    }
}
