//! One connection, from its beginning to its end.
//!
//! Whatever comes first is done: a line of the server, a line of the user, the
//! next line's turn to be sent, a time that is over. What waits is not lost when
//! something else comes first: reading is cancelled without loss.
//!
//! ```text
//!  the user's lines ─▶ outbox ──pace──▶ server        (answers to pings go before)
//!      ▲ read only when the outbox is empty: a long paste waits in the pipe
//! ```

use crate::Arguments;
use crate::input::{HELP, Input, input};
use crate::link::Link;
use crate::message::Message;
use crate::pace::Pace;
use crate::screen::Screen;
use crate::session::{Said, Session, Step};
use molen::combine::Either;
use molen::io::source::ByteSource;
use molen::net::{HostFailure, PullReader, ReadError, StreamReader, StreamWriter};
use molen::{Duration, Event, Instant, current_time, select, sleep, sleep_until};
use std::collections::VecDeque;

/// How late an answer is that the user is told of.
const LAG: Duration = Duration::from_secs(5);

/// How a connection ended.
pub enum End {
    /// As the user wanted it.
    Quit,
    /// The server does not want us.
    Refused(String),
    /// Another attempt would fail in the same way.
    Impossible(String),
    /// Otherwise: why.
    Lost(String),
}

/// How far it is with the end.
#[derive(Clone, Copy, PartialEq)]
enum Leaving {
    No,
    /// When all that waits has been said.
    WhenAllIsSaid,
    /// Goodbye was said: the server closes.
    Said,
}

pub struct Conversation<'a> {
    arguments: &'a Arguments,
    link: &'a Link,
    session: &'a mut Session,
    screen: &'a Screen,
    quit: &'a Event,
    outbox: VecDeque<String>,
    pace: Pace,
    leaving: Leaving,
    goodbye: String,
    /// When the last question was asked that has no answer yet.
    asked: Option<Instant>,
    /// How long the last answer took.
    lag: Option<Duration>,
    next_ping: Instant,
    /// When the server will have been silent for too long.
    patience: Instant,
}

impl<'a> Conversation<'a> {
    pub fn new(
        arguments: &'a Arguments,
        link: &'a Link,
        session: &'a mut Session,
        screen: &'a Screen,
        quit: &'a Event,
    ) -> Conversation<'a> {
        Conversation {
            arguments,
            link,
            session,
            screen,
            quit,
            outbox: VecDeque::new(),
            pace: Pace::new(arguments.rate),
            leaving: Leaving::No,
            goodbye: "goodbye".into(),
            asked: None,
            lag: None,
            next_ping: Instant::FAR_FUTURE,
            patience: current_time() + arguments.timeout,
        }
    }

    /// Connects, and talks until the end.
    pub async fn run<S: ByteSource>(&mut self, input: &mut PullReader<'_, S>) -> End {
        let connected = select((self.quit.wait(), self.link.connect())).await;
        let (mut reader, writer) = match connected {
            Either::First(()) => return End::Quit,
            Either::Second(Ok(streams)) => streams,
            Either::Second(Err(error)) => {
                return match error.cause {
                    HostFailure::NotHostAndPort => End::Impossible(error.to_string()),
                    _ => End::Lost(error.to_string()),
                };
            }
        };
        let password = self.arguments.password.as_deref();
        for line in self.session.registration(password, &self.arguments.real_name) {
            send(&writer, &line);
        }
        self.patience = current_time() + self.arguments.timeout;
        let end = loop {
            if let Some(end) = self.step(&mut reader, &writer, input).await {
                break end;
            }
        };
        // What is left is a server that does not read.
        writer.transport().abort();
        end
    }

    /// Does what comes first; how it ended if it did.
    async fn step<S: ByteSource>(
        &mut self,
        reader: &mut StreamReader,
        writer: &StreamWriter,
        input: &mut PullReader<'_, S>,
    ) -> Option<End> {
        let takes_input =
            self.session.is_ready() && self.outbox.is_empty() && self.leaving == Leaving::No;
        let (wait, sends) = (self.pace.wait(current_time()), !self.outbox.is_empty());
        let late = sleep_until(self.patience.min(self.next_ping));
        // Of several that are ready the first comes first: the server, which may
        // talk without an end, is the last.
        select! {
            () = self.quit.wait(), if self.leaving != Leaving::Said => {
                self.outbox.clear();
                self.leaving = Leaving::WhenAllIsSaid;
                self.screen.show("* saying goodbye to the server; a second time does not wait");
            }
            () = late => return self.time_is_over(writer),
            () = sleep(wait), if sends => {
                if let Some(line) = self.outbox.pop_front() {
                    send(writer, &line);
                    self.pace.sent(current_time());
                }
            }
            line = input.readline(), if takes_input => self.typed(line),
            line = reader.readline() => return self.received(line, writer),
        }
        if self.leaving == Leaving::WhenAllIsSaid && self.outbox.is_empty() {
            send(writer, &format!("QUIT :{}", self.goodbye));
            if !self.session.is_registered() {
                // It has not said a word yet, and need not say goodbye.
                return Some(End::Quit);
            }
            self.leaving = Leaving::Said;
            self.patience = current_time() + self.arguments.timeout.min(LAG);
        }
        None
    }

    fn received(
        &mut self,
        line: Result<Vec<u8>, ReadError<Vec<u8>>>,
        writer: &StreamWriter,
    ) -> Option<End> {
        let left = self.leaving == Leaving::Said;
        let line = match line {
            Ok(line) if line.is_empty() && left => return Some(End::Quit),
            Ok(line) if line.is_empty() => {
                return Some(End::Lost("the server closed the connection".into()));
            }
            Ok(line) => line,
            // A server that sends lines of 64 KiB, which is none.
            Err(ReadError::LimitOverrun { .. }) => return None,
            Err(_) if left => return Some(End::Quit),
            Err(error) => return Some(End::Lost(format!("the server is lost: {error}"))),
        };
        let was_registered = self.session.is_registered();
        for step in Message::parse(&line).map(|m| self.session.receive(&m)).unwrap_or_default() {
            match step {
                Step::Send(line) => send(writer, &line),
                Step::Show(line) => self.screen.show(&line),
                Step::Pong(token) => self.answered(&token),
                Step::Refused(why) => return Some(End::Refused(why)),
            }
        }
        if !left && self.session.is_registered() {
            if !was_registered {
                self.next_ping = current_time() + self.arguments.ping;
            }
            // It is there, and must answer only what it is asked.
            self.patience = self.asked.map_or(Instant::FAR_FUTURE, |t| t + self.arguments.timeout);
        }
        None
    }

    /// The server answers the question with the time at which it was asked.
    fn answered(&mut self, token: &str) {
        let Some(asked) = self.asked.filter(|asked| token == asked.as_nanos().to_string()) else {
            return;
        };
        let lag = current_time() - asked;
        let was_late = self.lag.is_some_and(|lag| lag > LAG);
        if lag > LAG || was_late {
            self.screen.show(&format!("* the server takes {:.1} s to answer", lag.as_secs_f64()));
        }
        self.lag = Some(lag);
        self.asked = None;
        self.next_ping = current_time() + self.arguments.ping;
    }

    fn time_is_over(&mut self, writer: &StreamWriter) -> Option<End> {
        if current_time() >= self.patience {
            let silence = self.arguments.timeout.as_secs_f64();
            return Some(match self.leaving {
                // It was told; that it does not close is its own affair.
                Leaving::Said => End::Quit,
                _ => End::Lost(format!("no answer from the server for {silence:.1} s")),
            });
        }
        let asked = current_time();
        send(writer, &format!("PING :{}", asked.as_nanos()));
        self.asked = Some(asked);
        self.next_ping = Instant::FAR_FUTURE;
        self.patience = asked + self.arguments.timeout;
        None
    }

    fn typed(&mut self, line: Result<&[u8], ReadError<usize>>) {
        let line = match line {
            // The end of the input. What it cannot read any more ends as well.
            Ok([]) => {
                self.leaving = Leaving::WhenAllIsSaid;
                return;
            }
            Ok(line) => line,
            Err(ReadError::LimitOverrun { .. }) => {
                self.screen.show("* that line was too long");
                return;
            }
            Err(_) => {
                self.leaving = Leaving::WhenAllIsSaid;
                return;
            }
        };
        match input(line) {
            Input::Say(text) => self.say(&text, Said::Words),
            Input::Act(text) => self.say(&text, Said::Action),
            Input::Tell(whom, text) => {
                self.outbox.extend(self.session.say(&whom, &text, Said::Words));
            }
            Input::Raw(line) => self.outbox.push_back(line),
            Input::Join(channel) => self.outbox.push_back(self.session.join(&channel)),
            Input::Part(channel) => {
                let channel = Some(channel).filter(|channel| !channel.is_empty());
                match channel.as_deref().or(self.session.current()) {
                    Some(channel) => self.outbox.push_back(format!("PART {channel}")),
                    None => self.screen.show("* you are in no channel"),
                }
            }
            Input::Quit(text) => {
                if !text.is_empty() {
                    self.goodbye = text;
                }
                self.leaving = Leaving::WhenAllIsSaid;
            }
            Input::Lag => match self.lag {
                Some(lag) => {
                    let millis = lag.as_secs_f64() * 1e3;
                    self.screen.show(&format!("* the server took {millis:.0} ms to answer"));
                }
                None => self.screen.show("* the server was not asked yet"),
            },
            Input::Help => HELP.iter().for_each(|line| self.screen.show(line)),
            Input::Nothing => {}
            Input::Refused(why) => self.screen.show(&format!("* {why}")),
        }
    }

    fn say(&mut self, text: &str, said: Said) {
        match self.session.current() {
            Some(channel) => self.outbox.extend(self.session.say(channel, text, said)),
            None => self.screen.show("* you are in no channel: /join one"),
        }
    }
}

/// Sends a line. If the server is gone, reading says so.
fn send(writer: &StreamWriter, line: &str) {
    let _ = writer.writelines(&[line.as_bytes(), b"\r\n"]);
}
