//! The state machine of a client: what it answers, what it shows, who it is.
//!
//! ```text
//!  begin ─▶ registering ──001──▶ registered ──376, 422──▶ joining ──JOIN, or refused──▶ ready
//!              │    ▲                                        (each channel that is wanted)
//!              └433─┘ another nick
//! ```
//!
//! No I/O and no clock: lines go in, [`Step`]s come out.

use crate::message::{LONGEST, Message};
use crate::text::{pieces, plain};
use std::collections::BTreeSet;

/// The longest nick that every server allows.
const SHORT_NICK: usize = 9;

/// How many other nicks are tried.
const OTHER_NICKS: u32 = 9;

/// What may stand before a line that a server hands on, beside the nick:
/// `:nick!user@host `, with the longest user and host.
const PREFIX: usize = 1 + 1 + 10 + 1 + 63 + 1;

/// What is to be done.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// To send a line, at once.
    Send(String),
    Show(String),
    /// The server has answered the question with this token.
    Pong(String),
    /// The server does not want us, and will not.
    Refused(String),
}

/// Who one is, and where.
pub struct Session {
    wanted_nick: String,
    nick: String,
    /// How many nicks were refused.
    refused_nicks: u32,
    /// Channels to be in.
    channels: Vec<String>,
    /// Those of which the server has not said yet whether we are in.
    asked: BTreeSet<String>,
    /// Where what is said is said.
    current: Option<String>,
    registered: bool,
    greeted: bool,
}

impl Session {
    pub fn new(nick: &str, channels: &[String]) -> Session {
        Session {
            wanted_nick: nick.to_owned(),
            nick: nick.to_owned(),
            refused_nicks: 0,
            channels: channels.to_vec(),
            asked: BTreeSet::new(),
            current: channels.last().cloned(),
            registered: false,
            greeted: false,
        }
    }

    /// A new connection: everything is to be done again.
    pub fn begin(&mut self) {
        self.nick = self.wanted_nick.clone();
        self.refused_nicks = 0;
        self.asked.clear();
        self.registered = false;
        self.greeted = false;
    }

    /// What to send first.
    pub fn registration(&self, password: Option<&str>, real_name: &str) -> Vec<String> {
        let pass = password.map(|password| format!("PASS {password}"));
        let user = format!("USER molen 0 * :{real_name}");
        pass.into_iter().chain([format!("NICK {}", self.nick), user]).collect()
    }

    pub fn is_registered(&self) -> bool {
        self.registered
    }

    /// Whether it is in the channels that it was to join, as far as it may.
    pub fn is_ready(&self) -> bool {
        self.greeted && self.asked.is_empty()
    }

    /// Whether the last connection came so far.
    pub fn was_ready(&self) -> bool {
        self.is_ready()
    }

    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The user wants to be in `channel`, and speak there.
    pub fn join(&mut self, channel: &str) -> String {
        if !self.channels.iter().any(|other| other.eq_ignore_ascii_case(channel)) {
            self.channels.push(channel.to_owned());
        }
        self.current = Some(channel.to_owned());
        format!("JOIN {channel}")
    }

    /// Lines that say `text` to `target`, each of which fits wherever it is handed on.
    pub fn say(&self, target: &str, text: &str, action: Said) -> Vec<String> {
        let (before, after) = match action {
            Said::Words => ("", ""),
            Said::Action => ("\x01ACTION ", "\x01"),
        };
        let frame = format!("PRIVMSG {target} :{before}{after}\r\n");
        let room = LONGEST.saturating_sub(PREFIX + self.nick.len() + frame.len()).max(1);
        let line = |piece: &str| format!("PRIVMSG {target} :{before}{piece}{after}");
        pieces(text, room).into_iter().map(line).collect()
    }

    fn is_me(&self, nick: &str) -> bool {
        nick.eq_ignore_ascii_case(&self.nick)
    }

    /// Another nick, like the one that is wanted.
    fn another_nick(&mut self) -> Option<String> {
        self.refused_nicks += 1;
        if self.refused_nicks > OTHER_NICKS {
            return None;
        }
        let end = match self.refused_nicks {
            1 => "_".to_owned(),
            number => number.to_string(),
        };
        let most = self.wanted_nick.floor_char_boundary(SHORT_NICK - end.len());
        self.nick = format!("{}{end}", &self.wanted_nick[..most]);
        Some(self.nick.clone())
    }

    /// A line has come.
    pub fn receive(&mut self, message: &Message) -> Vec<Step> {
        let (nick, target, last) = (message.nick(), message.parameter(0), message.last());
        let show = |text: String| vec![Step::Show(plain(&text))];
        match message.command.as_str() {
            "PING" => vec![Step::Send(format!("PONG :{last}"))],
            "PONG" => vec![Step::Pong(last.to_owned())],
            "PRIVMSG" => self.said(nick, target, last),
            "NOTICE" if last.starts_with('\x01') => Vec::new(),
            "NOTICE" => show(format!("-{nick}- {last}")),
            "JOIN" => {
                if self.is_me(nick) {
                    self.asked.remove(&target.to_ascii_lowercase());
                }
                show(format!("* {nick} joins {target}"))
            }
            "PART" => {
                if self.is_me(nick) {
                    self.leave(target);
                }
                show(format!("* {nick} leaves {target}{}", reason(message, 1)))
            }
            "KICK" => {
                let who = message.parameter(1);
                if self.is_me(who) {
                    self.leave(target);
                }
                show(format!("* {nick} throws {who} out of {target}{}", reason(message, 2)))
            }
            "QUIT" => show(format!("* {nick} quits{}", reason(message, 0))),
            "NICK" => {
                if self.is_me(nick) {
                    self.nick = last.to_owned();
                    self.wanted_nick = last.to_owned();
                }
                show(format!("* {nick} is now {last}"))
            }
            "TOPIC" => show(format!("* {nick} sets the topic of {target}: {last}")),
            "ERROR" => show(format!("* the server says: {last}")),
            command => match command.parse() {
                Ok(number) => self.numeric(number, message),
                Err(_) => Vec::new(),
            },
        }
    }

    fn said(&self, nick: &str, target: &str, text: &str) -> Vec<Step> {
        let private = self.is_me(target);
        let line = match text.strip_prefix('\x01') {
            None if private => format!("[{nick}] {text}"),
            None => format!("{target} <{nick}> {text}"),
            Some(request) => match request.strip_prefix("ACTION ") {
                Some(action) if private => format!("[* {nick}] {action}"),
                Some(action) => format!("{target} * {nick} {action}"),
                // Other requests of CTCP are for programs that answer anybody.
                None => return Vec::new(),
            },
        };
        vec![Step::Show(plain(&line))]
    }

    fn leave(&mut self, channel: &str) {
        self.channels.retain(|other| !other.eq_ignore_ascii_case(channel));
        self.asked.remove(&channel.to_ascii_lowercase());
        if self.current.as_ref().is_some_and(|current| current.eq_ignore_ascii_case(channel)) {
            self.current = self.channels.last().cloned();
        }
    }

    fn numeric(&mut self, number: u16, message: &Message) -> Vec<Step> {
        // What stands before the text, but for our own nick.
        let about = || {
            let words = message.parameters.get(1..).unwrap_or_default();
            words.join(" ")
        };
        let show = |text: String| Step::Show(plain(&text));
        match number {
            // Welcome. The server may have shortened the nick.
            1 => {
                self.registered = true;
                self.nick = message.parameter(0).to_owned();
                vec![show(format!("* connected to {} as {}", message.prefix, self.nick))]
            }
            // The end of the message of the day, or there is none.
            376 | 422 if !self.greeted => {
                self.greeted = true;
                self.asked = self.channels.iter().map(|name| name.to_ascii_lowercase()).collect();
                self.channels.iter().map(|name| Step::Send(format!("JOIN {name}"))).collect()
            }
            // The nick is no nick, somebody else's, or lost to another server's.
            432 | 433 | 436 if !self.registered => match self.another_nick() {
                Some(nick) => {
                    vec![show(format!("* {}", about())), Step::Send(format!("NICK {nick}"))]
                }
                None => vec![Step::Refused(about())],
            },
            // No such channel, too many, full, invited only, banned, key, mask, registered only.
            403 | 405 | 471 | 473..=477 => {
                self.leave(message.parameter(1));
                vec![show(format!("* {}", about()))]
            }
            // No permission, wrong password, banned, going to be banned.
            463..=466 => vec![Step::Refused(about())],
            331 | 332 | 353 => vec![show(format!("* {}", about()))],
            400..=599 => vec![show(format!("* {}", about()))],
            _ => Vec::new(),
        }
    }
}

/// What is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Words,
    /// What one does.
    Action,
}

/// A reason, in brackets, if there is one.
fn reason(message: &Message, number: usize) -> String {
    match message.parameter(number) {
        "" => String::new(),
        text => format!(" ({text})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(session: &mut Session, lines: &[&str]) -> Vec<Step> {
        let messages = lines.iter().filter_map(|line| Message::parse(line.as_bytes()));
        messages.flat_map(|message| session.receive(&message)).collect()
    }

    fn sent(steps: &[Step]) -> Vec<&str> {
        let mut lines = Vec::new();
        for step in steps {
            if let Step::Send(line) = step {
                lines.push(line.as_str());
            }
        }
        lines
    }

    #[test]
    fn it_registers_and_joins() {
        let mut session = Session::new("ada", &["#a".into(), "#B".into()]);
        session.begin();
        assert_eq!(session.registration(Some("x"), "A")[..2], ["PASS x", "NICK ada"]);
        let steps = after(&mut session, &["PING :1", ":s 001 ada :hi", ":s 376 ada :end"]);
        assert_eq!(sent(&steps), ["PONG :1", "JOIN #a", "JOIN #B"]);
        assert!(!session.is_ready());
        after(&mut session, &[":ada!a@h JOIN #A", ":s 474 ada #b :you are banned"]);
        assert!(session.is_ready());
        assert_eq!(session.current(), Some("#a"));
    }

    #[test]
    fn a_nick_in_use_is_changed_and_at_last_given_up() {
        let mut session = Session::new("adalovelace", &[]);
        session.begin();
        let in_use = ":s 433 * nick :in use";
        assert_eq!(sent(&after(&mut session, &[in_use])), ["NICK adalovel_"]);
        assert_eq!(sent(&after(&mut session, &[in_use])), ["NICK adalovel2"]);
        let steps = after(&mut session, &[in_use; 8]);
        assert_eq!(steps.last(), Some(&Step::Refused("nick in use".into())));
        session.begin();
        after(&mut session, &[":s 001 adalovela :hi"]);
        assert!(session.is_me("AdaLoveLa"), "the server has shortened it");
    }

    #[test]
    fn what_is_said_is_shown_and_ctcp_is_not_answered() {
        let mut session = Session::new("ada", &[]);
        let steps = after(
            &mut session,
            &[
                ":bob!b@h PRIVMSG #a :\x0304hi\x03 there",
                ":bob!b@h PRIVMSG ada :psst",
                ":bob!b@h PRIVMSG #a :\x01ACTION waves\x01",
                ":bob!b@h PRIVMSG ada :\x01VERSION\x01",
                ":bob!b@h NOTICE ada :\x01VERSION x\x01",
            ],
        );
        let shown = ["#a <bob> hi there", "[bob] psst", "#a * bob waves"];
        assert_eq!(steps, shown.map(|line| Step::Show(line.into())));
    }

    #[test]
    fn long_lines_are_split_so_that_they_fit() {
        let mut session = Session::new("ada", &[]);
        session.begin();
        let lines = session.say("#channel", &"é ".repeat(700), Said::Words);
        assert!(lines.len() >= 5, "{}", lines.len());
        for line in lines {
            let handed_on = format!(":ada!{}@{} {line}\r\n", "u".repeat(10), "h".repeat(63));
            assert!(handed_on.len() <= LONGEST, "{handed_on}");
        }
        let lines = session.say("#c", "waves", Said::Action);
        assert_eq!(lines, ["PRIVMSG #c :\x01ACTION waves\x01"]);
    }

    #[test]
    fn who_is_thrown_out_speaks_elsewhere() {
        let mut session = Session::new("ada", &["#a".into(), "#b".into()]);
        after(&mut session, &[":op!o@h KICK #b ada :out"]);
        assert_eq!(session.current(), Some("#a"));
        session.join("#c");
        after(&mut session, &[":ada!a@h PART #c"]);
        assert_eq!(session.current(), Some("#a"));
    }
}
