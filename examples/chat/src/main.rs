//! A chat server that any `nc` or `telnet` can talk to.
//!
//! ```sh
//! cargo run --release -p molen-example-chat -- --listen 127.0.0.1:7000
//! nc 127.0.0.1 7000          # in as many terminals as you like
//! ```
//!
//! What it shows: a server of streams with a task for each client; telling
//! hundreds of clients something without waiting for any of them; bounds for
//! clients that do not read, say nothing, or say too much; and an end that
//! says goodbye, waits for what is still to be written, and not for ever.
//!
//! | file | what it is |
//! |---|---|
//! | `hall` | who is there, in which room; telling them something |
//! | `conversation` | one client, from its greeting to its end |
//! | `request` | what a line asks for |

mod conversation;
mod hall;
mod request;

use clap::Parser;
use conversation::converse;
use hall::Hall;
use molen::net::{Server, start_server};
use molen::signals::{Signal, SignalEventLoop};
use molen::{Duration, Event, get_running_loop, race};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::rc::Rc;

/// The longest line that a client may say, in bytes.
const LONGEST_LINE: usize = 1024;

/// How many may come at the same moment.
const BACKLOG: u32 = 1024;

/// What asks a program to end.
#[cfg(unix)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::TERM];
#[cfg(windows)]
const ENDING: [Signal; 2] = [Signal::INT, Signal::BREAK];

/// A chat server for nc and telnet.
#[derive(Parser)]
struct Arguments {
    /// Where to listen: a name or an address, and a port; 0 is any free one. May be repeated.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7000")]
    listen: Vec<String>,

    #[command(flatten)]
    limits: Limits,

    /// How long to wait at the end until clients have read their goodbye.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    deadline: u64,
}

/// What clients may do.
#[derive(clap::Args)]
struct Limits {
    /// How many clients there may be.
    #[arg(long, value_name = "NUMBER", default_value = "1000")]
    clients: NonZero<usize>,

    /// How many bytes may wait for a client that does not read; it is left then.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 18)]
    unread: usize,

    /// After how much silence a client is left.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    idle: u64,

    /// How many lines a second a client may say, after five times as many at
    /// once; more are read later.
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    rate: u32,
}

#[molen::main]
async fn main() -> ExitCode {
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let asked = Rc::new(Asked::default());
    for signal in ENDING {
        let asked = asked.clone();
        get_running_loop()?.add_signal_handler(signal, move || asked.once_more())?;
    }
    let hall = Rc::new(Hall::new(arguments.limits));
    let handler = {
        let hall = hall.clone();
        move |reader, writer| converse(hall.clone(), reader, writer)
    };
    let server =
        start_server(arguments.listen, handler).limit(LONGEST_LINE).backlog(BACKLOG).await?;
    for address in server.addresses() {
        say(format_args!("listening on {address}"));
    }
    asked.to_end.wait().await;
    say(format_args!("saying goodbye to {} clients", server.client_count()));
    end(&server, &hall, Duration::from_secs(arguments.deadline), &asked).await;
    say("bye");
    Ok(())
}

/// Says `what` to whoever reads the standard output. A server goes on if nobody does.
fn say(what: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "chat: {what}");
}

/// Leaves the clients when they have read what was said to them, or at the
/// deadline, or when asked again.
async fn end(server: &Server, hall: &Hall, deadline: Duration, asked: &Asked) {
    hall.tell_everybody("* The server ends. Goodbye.");
    let orderly = server.shutdown(deadline);
    let impatient = async {
        asked.at_once.wait().await;
        let left = server.client_count();
        server.abort_clients();
        server.wait_closed().await;
        left
    };
    match race((orderly, impatient)).await {
        0 => {}
        left => say(format_args!("{left} clients have not read all")),
    }
}

/// How often the server was asked to end.
#[derive(Default)]
struct Asked {
    times: Cell<u32>,
    to_end: Event,
    at_once: Event,
}

impl Asked {
    fn once_more(&self) {
        self.times.set(self.times.get() + 1);
        self.to_end.set();
        if self.times.get() > 1 {
            self.at_once.set();
        }
    }
}
