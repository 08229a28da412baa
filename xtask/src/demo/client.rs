//! A line client: holds a [`Conversation`] with a server and writes down what was said.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::conversation::{Conversation, Step, fits};

/// How long a server may take to listen.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// How long an answer may take. The emulated board is the slowest, and answers in milliseconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What was said, step by step, and whether all was as expected.
#[derive(Debug, Default)]
pub struct Transcript {
    /// One line for each step that was reached.
    pub lines: Vec<String>,
    /// Why it ended early.
    pub failure: Option<String>,
}

impl Transcript {
    /// Whether every step was as expected.
    pub fn is_correct(&self) -> bool {
        self.failure.is_none()
    }
}

/// The program that a conversation is held with.
pub trait Server {
    /// Fails when it has ended.
    ///
    /// # Errors
    /// How it ended.
    fn require_alive(&mut self) -> Result<()>;

    /// Waits for its end for at most `limit`, and fails if there is none, or not a good one.
    ///
    /// # Errors
    /// That it still runs, or how it ended.
    fn require_end(&mut self, limit: Duration) -> Result<()>;
}

/// Holds `conversation` with `server` at `address`.
pub fn hold(
    conversation: &Conversation,
    address: SocketAddr,
    server: &mut impl Server,
) -> Transcript {
    let mut clients: BTreeMap<&str, LineClient> = BTreeMap::new();
    let mut transcript = Transcript::default();
    for (who, step) in conversation.steps {
        let outcome = take_step(&mut clients, who, *step, address, server);
        let ended = outcome.is_err();
        let text = outcome.unwrap_or_else(|error| {
            let why = format!("{error:#}");
            transcript.failure = Some(format!("{who}: {why}"));
            format!("✗ {why}")
        });
        transcript.lines.push(format!("{who} {text}"));
        if ended {
            break;
        }
    }
    transcript
}

fn take_step<'a>(
    clients: &mut BTreeMap<&'a str, LineClient>,
    who: &'a str,
    step: Step,
    address: SocketAddr,
    server: &mut impl Server,
) -> Result<String> {
    let client = match clients.entry(who) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(LineClient::connect(address, server)?)
        }
    };
    match step {
        Step::Says(line) => {
            client.say(line)?;
            Ok(format!("> {line}"))
        }
        Step::Hears(expected) => {
            let line = client.hear().with_context(|| format!("expected {expected:?}"))?;
            if !fits(expected, &line) {
                bail!("expected {expected:?}, heard {line:?}");
            }
            Ok(format!("< {line}"))
        }
        Step::Waits(milliseconds) => {
            thread::sleep(Duration::from_millis(milliseconds));
            Ok(format!("waits {milliseconds} ms"))
        }
        Step::SeesTheServerEnd => {
            server.require_end(ANSWER_LIMIT)?;
            Ok("sees the server end".to_owned())
        }
        Step::IsLetGo => match client.lines.recv_timeout(ANSWER_LIMIT) {
            Err(RecvTimeoutError::Disconnected) => Ok("is let go".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                bail!(
                    "expected the end of the connection, and it is open after {} s",
                    ANSWER_LIMIT.as_secs()
                )
            }
            Ok(line) => bail!("expected the end of the connection, heard {line:?}"),
        },
    }
}

/// One connection, whose lines come out of a thread that reads it.
struct LineClient {
    stream: TcpStream,
    lines: Receiver<String>,
}

impl LineClient {
    fn connect(address: SocketAddr, server: &mut impl Server) -> Result<Self> {
        let until = Instant::now() + CONNECT_LIMIT;
        let stream = loop {
            match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
                Ok(stream) if !is_its_own_peer(&stream) => break stream,
                Ok(_) => server.require_alive().with_context(|| format!("connect to {address}"))?,
                Err(error) if Instant::now() >= until => {
                    return Err(error).with_context(|| {
                        format!(
                            "connect to {address}: nobody listened there for {} s",
                            CONNECT_LIMIT.as_secs()
                        )
                    });
                }
                Err(_) => {
                    server.require_alive().with_context(|| format!("connect to {address}"))?;
                    thread::sleep(Duration::from_millis(20));
                }
            }
        };
        let doing = || format!("talk to {address}");
        stream.set_nodelay(true).with_context(doing)?;
        stream.set_write_timeout(Some(ANSWER_LIMIT)).with_context(doing)?;
        let reading = stream.try_clone().with_context(doing)?;
        let (send, lines) = mpsc::channel();
        // It ends with the connection, which our drop shuts down.
        thread::spawn(move || {
            for line in BufReader::new(reading).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { stream, lines })
    }

    fn say(&mut self, line: &str) -> Result<()> {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .with_context(|| format!("send {line:?}"))
    }

    fn hear(&mut self) -> Result<String> {
        self.lines.recv_timeout(ANSWER_LIMIT).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                anyhow::anyhow!("heard nothing for {} s", ANSWER_LIMIT.as_secs())
            }
            RecvTimeoutError::Disconnected => {
                anyhow::anyhow!("the server closed the connection")
            }
        })
    }
}

/// Whether the system connected a socket to itself: it may, when nobody listens at a port that it
/// also gives to clients.
fn is_its_own_peer(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

impl Drop for LineClient {
    fn drop(&mut self) {
        // The server may have closed it already, which is as good.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use Step::{Hears, IsLetGo, Says, SeesTheServerEnd};

    /// A server whose program is as the test says.
    struct Program(Option<&'static str>);

    impl Server for Program {
        fn require_alive(&mut self) -> Result<()> {
            self.0.map_or(Ok(()), |ended| bail!(ended))
        }

        fn require_end(&mut self, _limit: Duration) -> Result<()> {
            self.0.map(drop).context("it still runs")
        }
    }

    /// A server that greets, gives each line back in capitals, and lets go at `END`.
    fn shouting_server() -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || -> std::io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            stream.write_all(b"hello\r\n")?;
            for line in BufReader::new(stream.try_clone()?).lines() {
                let line = line?;
                if line == "END" {
                    break;
                }
                stream.write_all(format!("{}\n", line.to_uppercase()).as_bytes())?;
            }
            Ok(())
        });
        Ok(address)
    }

    #[test]
    fn a_conversation_as_expected_is_written_down_line_by_line() -> Result<()> {
        let conversation = Conversation {
            title: "",
            steps: &[
                ("a", Hears("h*o")),
                ("a", Says("x")),
                ("a", Hears("X")),
                ("a", Says("END")),
                ("a", IsLetGo),
            ],
        };
        let transcript = hold(&conversation, shouting_server()?, &mut Program(None));
        assert!(transcript.is_correct(), "{transcript:?}");
        assert_eq!(transcript.lines, ["a < hello", "a > x", "a < X", "a > END", "a is let go"]);
        Ok(())
    }

    #[test]
    fn a_wrong_answer_and_a_server_that_is_gone_end_it() -> Result<()> {
        let conversation = Conversation {
            title: "",
            steps: &[("a", Hears("hello")), ("a", Says("x")), ("a", Hears("x"))],
        };
        let wrong = hold(&conversation, shouting_server()?, &mut Program(None));
        assert_eq!(wrong.failure.as_deref(), Some("a: expected \"x\", heard \"X\""));
        // A port below 1024, which no other test is given meanwhile.
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let gone = hold(&conversation, nobody, &mut Program(Some("the program has ended")));
        assert!(gone.failure.is_some_and(|why| why.contains("the program has ended")));
        Ok(())
    }

    #[test]
    fn a_server_that_was_told_to_end_and_runs_on_is_a_failure() -> Result<()> {
        let conversation = Conversation {
            title: "",
            steps: &[
                ("a", Hears("hello")),
                ("a", Says("END")),
                ("a", IsLetGo),
                ("a", SeesTheServerEnd),
            ],
        };
        let runs_on = hold(&conversation, shouting_server()?, &mut Program(None));
        assert_eq!(runs_on.failure.as_deref(), Some("a: it still runs"));
        let ends = hold(&conversation, shouting_server()?, &mut Program(Some("ended")));
        assert!(ends.is_correct(), "{ends:?}");
        Ok(())
    }
}
