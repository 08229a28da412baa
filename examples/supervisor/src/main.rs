//! Keeps programs running.
//!
//! ```sh
//! cargo run -p molen-example-supervisor -- examples/supervisor/example.toml
//! kill -USR1 …    # what runs?  Or, with --control PATH: supervisor --control PATH --ask status
//! kill -HUP …     # read the file again, and start and stop what has changed
//! kill …          # or Ctrl-C: stop all, the last started first; again: at once
//! ```
//!
//! It ends with 0 when it was asked to, or when all programs have ended well
//! and are not to be restarted; with 1 when one of them has failed for good,
//! and with 2 when it has not understood its file.
//!
//! What it shows: children with their pipes, waits for several things at once,
//! signals as callbacks, time limits around other time limits, and back pressure
//! from our output to theirs.
//!
//! | file | what it is |
//! |---|---|
//! | `config` | the file |
//! | `control` | a Unix socket at which it is asked |
//! | `fleet` | all programs: order, reload, status, end |
//! | `program` | one program's life |
//! | `group` | a program and all that it has started |
//! | `output` | lines with names |
#![cfg(unix)]

mod config;
mod control;
mod fleet;
mod group;
mod output;
mod program;

use clap::Parser;
use config::Config;
use fleet::Fleet;
use molen::combine::Either3;
use molen::signals::{Signal, SignalEventLoop};
use molen::timeouts::timeout;
use molen::{Duration, Event, create_task, get_running_loop, select};
use output::Output;
use std::cell::Cell;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

/// How long the last lines may take to be written to who does not read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Keeps programs running.
#[derive(Parser)]
struct Arguments {
    /// What to run; see examples/supervisor/example.toml.
    #[arg(required_unless_present = "ask")]
    config: Option<PathBuf>,

    /// A Unix socket at which to be asked, or to ask at.
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,

    /// Ask the supervisor at the socket: "status", "stop NAME", "start NAME", "restart NAME" or
    /// "reload".
    #[arg(long, value_name = "REQUEST", requires = "control")]
    ask: Option<String>,

    /// Only say whether the file is understood.
    #[arg(long)]
    check: bool,
}

#[molen::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let control = arguments.control.as_deref();
    let done = match (&arguments.config, &arguments.ask, control) {
        (_, Some(request), Some(path)) => control::ask(path, request).await.map(|answer| {
            match writeln!(io::stdout(), "{answer}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("supervisor: cannot write the answer: {error}");
                    ExitCode::FAILURE
                }
            }
        }),
        (Some(path), ..) => match Config::read(path) {
            Ok(_) if arguments.check => return ExitCode::SUCCESS,
            Ok(config) => supervise(path, config, control).await,
            Err(error) => {
                eprintln!("supervisor: {error}");
                return ExitCode::from(2);
            }
        },
        // Refused with the arguments.
        (None, ..) => return ExitCode::from(2),
    };
    done.unwrap_or_else(|error| {
        eprintln!("supervisor: {error}");
        ExitCode::FAILURE
    })
}

/// What signals, and others, ask for.
#[derive(Default)]
struct Asked {
    times: Cell<u32>,
    to_stop: Event,
    to_reload: Event,
}

async fn supervise(
    path: &Path,
    config: Config,
    control: Option<&Path>,
) -> Result<ExitCode, Box<dyn Error>> {
    let output = Output::new();
    let writing = create_task(output.clone().write()).map_err(|error| error.to_string())?;
    let fleet = Fleet::new(&output);
    group::adopt_orphans();
    let asked = listen(&fleet, &output)?;
    let control = match control {
        Some(path) => Some(control::listen(path, &fleet, &asked).await?),
        None => None,
    };
    fleet.change_to(config).await;
    let well = loop {
        match select((asked.to_stop.wait(), asked.to_reload.wait(), fleet.is_over())).await {
            Either3::First(()) => {
                fleet.stop().await;
                break true;
            }
            Either3::Second(()) => {
                asked.to_reload.clear();
                reload(path, &fleet, &output, &asked).await;
            }
            Either3::Third(well) => break well,
        }
    };
    if let Some(control) = control {
        control.close();
        control.close_clients();
    }
    output.say("all is over");
    output.end();
    match timeout(LAST_LINES, writing).await {
        Ok(Ok(written)) => written?,
        Ok(Err(error)) => return Err(error.into()),
        // Nobody reads them.
        Err(_elapsed) => {}
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the file again. One that is not understood changes nothing.
async fn reload(path: &Path, fleet: &Rc<Fleet>, output: &Output, asked: &Asked) {
    match Config::read(path) {
        Ok(config) => {
            // What is being stopped goes on stopping when this is dropped.
            select((fleet.change_to(config), asked.to_stop.wait())).await;
            output.say("reloaded");
        }
        Err(error) => output.say(&format!("not reloaded: {error}")),
    }
}

/// Listens to signals.
fn listen(fleet: &Rc<Fleet>, output: &Rc<Output>) -> Result<Rc<Asked>, Box<dyn Error>> {
    let event_loop = get_running_loop()?;
    let asked = Rc::new(Asked::default());
    for signal in [Signal::INT, Signal::TERM] {
        let (asked, fleet) = (asked.clone(), fleet.clone());
        event_loop.add_signal_handler(signal, move || {
            asked.times.set(asked.times.get() + 1);
            asked.to_stop.set();
            if asked.times.get() > 1 {
                fleet.kill();
            }
        })?;
    }
    let reload = asked.clone();
    event_loop.add_signal_handler(Signal::HUP, move || reload.to_reload.set())?;
    let (shown, output) = (fleet.clone(), output.clone());
    event_loop.add_signal_handler(Signal::USR1, move || output.say(&shown.status()))?;
    let reaping = fleet.clone();
    event_loop.add_signal_handler(Signal::CHLD, move || reaping.reap_strays())?;
    Ok(asked)
}
