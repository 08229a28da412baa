//! An IRC client of lines, for a terminal and for scripts.
//!
//! ```sh
//! cargo run --release -p molen-example-irc-client -- --tls irc.libera.chat --nick molen --join '#molen-test'
//! uptime | irc irc.example.org --nick watcher --join '#status'
//! ```
//!
//! What is written to it is said in the channel; `/help` tells more. At the
//! end of its input it says what is left, and quits. It ends with 0 when it
//! was to, and with 1 when it was refused, or lost the server with `--once`.
//!
//! What it shows: standard input and output as streams, and a connection as
//! streams, waited for together in one loop without a task for each; time
//! limits for everything that others may never do; a sans-I/O state machine
//! in the middle, which its tests need no network for.
//!
//! | file | what it is |
//! |---|---|
//! | `conversation` | one connection: what comes, what is typed, what is late |
//! | `session` | the state machine: nick, channels, what to show and to answer |
//! | `message` | lines of IRC |
//! | `text` | long ones split, colours stripped |
//! | `input` | what the user asks for |
//! | `link` | what to connect to, and how |
//! | `pace` | no faster than servers like it |
//! | `screen` | lines to the standard output |

mod conversation;
mod input;
mod link;
mod message;
mod pace;
mod screen;
mod session;
mod text;

use clap::Parser;
use conversation::{Conversation, End};
use link::Link;
use molen::net::PullReader;
use molen::signals::{Signal, SignalEventLoop};
use molen::timeouts::timeout;
use molen::{Duration, Event, create_task, get_running_loop, pipe, select, sleep};
use screen::Screen;
use session::Session;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

/// The longest line that is read from the standard input, in bytes.
const LONGEST_INPUT: usize = 1 << 16;

/// The longest wait before a new attempt to connect.
const LONGEST_DELAY: Duration = Duration::from_secs(120);

/// How long the last lines may take to be written to who does not read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What asks a program to end.
#[cfg(unix)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::TERM];
#[cfg(windows)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::BREAK];

/// An IRC client of lines, for terminals and for scripts.
#[derive(Parser)]
#[command(name = "irc")]
pub struct Arguments {
    /// Whom to connect to: a name or an address, with a port or without.
    server: String,

    /// Encrypt, and check that the server is who it says.
    #[arg(long)]
    tls: bool,

    /// Take the word of these authorities for that (a file of PEM), not of those that the system
    /// trusts.
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,

    /// What to be called. If that is somebody else's, something like it.
    #[arg(long, short, value_parser = word)]
    nick: String,

    /// Channels to join. May be repeated.
    #[arg(long, short, value_name = "CHANNEL", value_delimiter = ',', value_parser = word)]
    join: Vec<String>,

    /// The server's password.
    #[arg(long, env = "IRC_PASSWORD", hide_env_values = true)]
    password: Option<String>,

    /// Who one really is, for those who ask.
    #[arg(long, default_value = "a Molen example")]
    real_name: String,

    /// How long the server may be silent when it has to answer.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,

    /// How often to ask the server whether it is there.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    ping: Duration,

    /// How long to wait before connecting again; then twice as long each time.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    delay: Duration,

    /// Do not connect again.
    #[arg(long)]
    once: bool,

    /// How many messages a second to send, after five at once.
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = rate)]
    rate: f64,
}

/// What a command of IRC takes as one parameter.
fn word(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.starts_with(':') || text.contains([' ', '\r', '\n', '\0']) {
        return Err("it must be one word");
    }
    Ok(text.to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 => Ok(rate),
        Ok(_) => Err("it must be more than 0".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[molen::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("irc: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether it ended as it was asked to.
async fn run(arguments: Arguments) -> Result<bool, Box<dyn Error>> {
    let quit = Rc::new(Event::new());
    for signal in ENDING {
        let quit = quit.clone();
        get_running_loop()?.add_signal_handler(signal, move || {
            // Whoever asks twice does not want to wait for the server.
            if quit.is_set() {
                std::process::exit(1);
            }
            quit.set();
        })?;
    }
    let screen = Screen::new();
    let showing = create_task(screen.clone().write()).map_err(|error| error.to_string())?;
    let well = talk_again_and_again(&arguments, &screen, &quit).await?;
    screen.end();
    match timeout(LAST_LINES, showing).await {
        Ok(Ok(written)) => written?,
        Ok(Err(error)) => return Err(error.into()),
        // Nobody reads them.
        Err(_elapsed) => {}
    }
    Ok(well)
}

async fn talk_again_and_again(
    arguments: &Arguments,
    screen: &Screen,
    quit: &Event,
) -> Result<bool, Box<dyn Error>> {
    let link = Link::new(arguments).await?;
    let stdin = pipe::stdin()?;
    let mut room = vec![0; LONGEST_INPUT];
    let mut input = PullReader::new(&stdin, &mut room);
    let mut session = Session::new(&arguments.nick, &arguments.join);
    let mut delay = arguments.delay;
    loop {
        session.begin();
        let mut conversation = Conversation::new(arguments, &link, &mut session, screen, quit);
        match conversation.run(&mut input).await {
            End::Quit => return Ok(true),
            End::Refused(why) => {
                screen.show(&format!("* refused: {why}"));
                return Ok(false);
            }
            End::Impossible(why) => {
                screen.show(&format!("* {why}"));
                return Ok(false);
            }
            End::Lost(why) => screen.show(&format!("* {why}")),
        }
        if arguments.once {
            return Ok(false);
        }
        if session.was_ready() {
            delay = arguments.delay;
        }
        screen.show(&format!("* connecting again in {:.1} s", delay.as_secs_f64()));
        // Not all who were lost together come back together.
        let jitter = delay.mul_f64(f64::from(std::process::id() % 100) / 400.0);
        if let molen::combine::Either::First(()) =
            select((quit.wait(), sleep(delay + jitter))).await
        {
            return Ok(true);
        }
        delay = (delay * 2).min(LONGEST_DELAY);
    }
}
