//! Answers DNS questions by asking others, and remembers what they said.
//!
//! ```sh
//! cargo run --release -p molen-example-dns-relay -- --listen 127.0.0.1:5353 --upstream 9.9.9.9 --upstream 1.1.1.1
//! dig @127.0.0.1 -p 5353 example.org
//! kill -USR1 …    # how it goes
//! ```
//!
//! What it shows: a datagram protocol that answers from within its callback
//! when it knows the answer, and by a task when it has to ask; connected UDP
//! sockets, of which the system tells when nobody listens at the other end;
//! time limits and failover; one question for many askers, by a promise; and
//! the same questions and answers over TCP.
//!
//! | file | what it is |
//! |---|---|
//! | `relay` | what becomes of a question |
//! | `doors` | the UDP protocol and the TCP server through which questions come |
//! | `upstream` | asking others |
//! | `cache` | what they said, for as long as it holds |
//! | `pace` | how many questions a client may ask |
//! | `statistics` | what has happened |

mod cache;
mod doors;
mod pace;
mod relay;
mod statistics;
mod upstream;

use clap::Parser;
use doors::Doors;
use molen::Duration;
#[cfg(unix)]
use molen::get_running_loop;
#[cfg(unix)]
use molen::signals::SignalEventLoop;
use molen::signals::{self, Signal};
use relay::Relay;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

/// What asks a program to end.
#[cfg(unix)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::TERM];
#[cfg(windows)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::BREAK];

/// Answers DNS questions by asking others, and remembers what they said.
#[derive(Parser)]
struct Arguments {
    /// Where to listen, by UDP and by TCP; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5353")]
    listen: SocketAddr,

    /// Whom to ask, with a port or without; the first first. May be repeated.
    #[arg(long = "upstream", value_name = "ADDRESS", required = true, value_parser = server)]
    upstreams: Vec<SocketAddr>,

    #[command(flatten)]
    limits: Limits,
}

/// How long, how often, how many.
#[derive(clap::Args)]
struct Limits {
    /// How long to wait for an upstream's answer, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,

    /// How often to ask all upstreams before giving up.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    rounds: u32,

    /// How many answers to remember.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    cache: usize,

    /// How many questions to ask upstreams at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    in_flight: usize,

    /// How many questions a second to take from one address, after five times
    /// as many at once; more are dropped.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    rate: u32,

    /// How many TCP connections there may be.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    connections: usize,

    /// After how many seconds of silence a TCP connection is closed.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    idle: u64,
}

impl Limits {
    fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout)
    }

    fn idle(&self) -> Duration {
        Duration::from_secs(self.idle)
    }
}

/// `192.0.2.1`, `192.0.2.1:5300`, `2001:db8::1` or `[2001:db8::1]:5300`.
fn server(text: &str) -> Result<SocketAddr, String> {
    const PORT: u16 = 53;
    let address = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
    address.or_else(|_| text.parse()).map_err(|_| format!("{text} is no address of a server"))
}

#[molen::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dns-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says `what` to whoever reads the standard output. A server goes on if nobody does.
fn say(what: impl fmt::Display) {
    let _ = write!(io::stdout(), "{what}");
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let relay = Relay::new(&arguments.upstreams, arguments.limits);
    let asked_to_end = signals::wait(&ENDING);
    #[cfg(unix)]
    {
        let relay = relay.clone();
        get_running_loop()?.add_signal_handler(Signal::USR1, move || say(relay.statistics()))?;
    }
    let doors = Doors::open(arguments.listen, &relay).await?;
    say(format_args!("dns-relay: listening on {}\n", doors.address()));
    asked_to_end.await?;
    doors.close().await;
    say(relay.statistics());
    Ok(())
}
