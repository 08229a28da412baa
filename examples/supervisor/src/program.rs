//! One program's life.
//!
//! ```text
//!             those it is after are ready
//!  waiting ──────────────────────────────▶ running ──its end──▶ finished, failed
//!     │                                    ▲  │ │ │                 (for good)
//!     │                     after a delay  │  │ │ └─ to be restarted, too often ─▶ given up
//!     │                                    │  │ └─── to be restarted ─▶ delayed
//!     │                                    └──┼──────────────────────────┘ │
//!     └──────────── stop ─────────────────────┼────────────────────────────┤
//!                                             ▼ signal, time, kill         ▼
//!                                          stopping ──────────────────▶ stopped
//! ```

use crate::config::{ProgramConfig, Restart};
use crate::group::{Group, reap_strays};
use crate::output::Output;
use molen::combine::{Either, Either3};
use molen::subprocess::{Command, Process, Redirect, create_subprocess_exec};
use molen::{Duration, Event, Instant, create_task, current_time, select, sleep};
use nix::sys::signal::Signal;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::rc::Rc;

/// How long the last lines of a killed program may take to be written to who does not read.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program, whether it runs or not.
pub struct Program {
    pub config: ProgramConfig,
    /// Those it is started after.
    after: Vec<Rc<Program>>,
    output: Rc<Output>,
    state: RefCell<State>,
    group: Cell<Option<Group>>,
    pid: Cell<Option<u32>>,
    started: Cell<u32>,
    ready: Event,
    stop: Event,
    kill: Event,
    over: Event,
}

/// Where a program stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    Waiting,
    Running {
        since: Instant,
    },
    Delayed,
    Stopping,
    Stopped,
    /// Ended well, and is not restarted.
    Finished,
    /// Ended badly, and is not restarted; why.
    Failed(String),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Waiting => f.write_str("waiting"),
            State::Running { since } => {
                write!(f, "running for {} s", (current_time() - *since).as_secs())
            }
            State::Delayed => f.write_str("to be restarted"),
            State::Stopping => f.write_str("stopping"),
            State::Stopped => f.write_str("stopped"),
            State::Finished => f.write_str("finished"),
            State::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// How one run ended.
enum End {
    /// By itself, or somebody's hand.
    Exited(ExitStatus),
    NotStarted(String),
    /// Because it was stopped.
    Stopped,
}

impl Program {
    pub fn new(config: ProgramConfig, after: Vec<Rc<Program>>, output: &Rc<Output>) -> Rc<Program> {
        Rc::new(Program {
            config,
            after,
            output: output.clone(),
            state: RefCell::new(State::Waiting),
            group: Cell::new(None),
            pid: Cell::new(None),
            started: Cell::new(0),
            ready: Event::new(),
            stop: Event::new(),
            kill: Event::new(),
            over: Event::new(),
        })
    }

    /// The same program with its life before it.
    pub fn again(&self) -> Rc<Program> {
        Program::new(self.config.clone(), self.after.clone(), &self.output)
    }

    pub fn name(&self) -> &str {
        &self.config.name
    }

    pub fn pid(&self) -> Option<u32> {
        self.pid.get()
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// How often it was started again.
    pub fn restarts(&self) -> u32 {
        self.started.get().saturating_sub(1)
    }

    /// Asks it to stop. Its end is waited for with [`over`](Self::over).
    pub fn stop(&self) {
        self.stop.set();
    }

    /// Asks it to stop, and gives it no time for it.
    pub fn kill(&self) {
        self.kill.set();
        self.stop.set();
    }

    /// Waits until it has ended and is not going to be started again.
    pub async fn over(&self) {
        self.over.wait().await;
    }

    pub fn is_over(&self) -> bool {
        self.over.is_set()
    }

    fn enter(&self, state: State) {
        self.state.replace(state);
    }

    fn tell(&self, text: &str) {
        self.output.tell("supervisor", &format!("{} {text}", self.name()));
    }

    /// Its whole life, from waiting for others to its last end.
    pub async fn live(self: Rc<Program>) {
        let state = match self.wait_for_others().await {
            Ok(()) => self.run_again_and_again().await,
            Err(state) => state,
        };
        if let State::Failed(why) = &state {
            self.tell(&format!("has failed: {why}"));
        }
        self.enter(state);
        self.over.set();
    }

    /// `Err` when there is nothing to wait for any more.
    async fn wait_for_others(&self) -> Result<(), State> {
        for other in &self.after {
            match select((self.stop.wait(), other.ready.wait(), other.over.wait())).await {
                Either3::First(()) => return Err(State::Stopped),
                Either3::Second(()) => {}
                Either3::Third(()) if other.ready.is_set() => {}
                Either3::Third(()) => {
                    return Err(State::Failed(format!("{} is not ready", other.name())));
                }
            }
        }
        Ok(())
    }

    async fn run_again_and_again(&self) -> State {
        let mut restarts = Restarts::new(&self.config);
        loop {
            let begin = current_time();
            let (ended_well, how) = match self.run_once().await {
                End::Stopped => return State::Stopped,
                End::Exited(status) => (status.success(), describe(status)),
                End::NotStarted(why) => (false, why),
            };
            let again = match self.config.restart {
                Restart::Always => true,
                Restart::OnFailure => !ended_well,
                Restart::Never => false,
            };
            if !again && ended_well {
                self.ready.set();
                self.tell("has finished");
                return State::Finished;
            } else if !again {
                return State::Failed(how);
            }
            let Some(delay) = restarts.next(begin, current_time()) else {
                return State::Failed(format!("{how}, too often"));
            };
            self.enter(State::Delayed);
            self.tell(&format!("{how}; it is restarted in {:.1} s", delay.as_secs_f64()));
            if let Either::First(()) = select((self.stop.wait(), sleep(delay))).await {
                return State::Stopped;
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = match (&self.config.shell, self.config.command.split_first()) {
            (Some(script), _) => Command::shell(script),
            (None, Some((program, arguments))) => {
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
            (None, None) => Command::shell(""),
        };
        command.stdin(Redirect::Null).stdout(Redirect::Pipe).stderr_to_stdout();
        if let Some(directory) = &self.config.directory {
            command.current_dir(directory);
        }
        for (name, value) in &self.config.environment {
            command.env(name, value);
        }
        command.process_group();
        command
    }

    async fn run_once(&self) -> End {
        let mut process = match create_subprocess_exec(&mut self.command()).await {
            Ok(process) => process,
            Err(error) => return End::NotStarted(error.to_string()),
        };
        let group = Group::of_leader(process.pid());
        self.group.set(group);
        self.pid.set(Some(process.pid()));
        self.started.set(self.started.get() + 1);
        self.enter(State::Running { since: current_time() });
        self.tell(&format!("is started, process {}", process.pid()));
        let ended = Rc::new(Event::new());
        let reading = process.stdout.take().and_then(|pipe| {
            let (output, name, ended) =
                (self.output.clone(), self.name().to_owned(), ended.clone());
            // Refused only by a loop that closes.
            create_task(async move { output.follow(&name, &pipe, &ended).await }).ok()
        });
        let end = self.watch(&process).await;
        self.pid.set(None);
        if let Some(group) = group {
            // What it has left behind.
            self.enter(State::Stopping);
            group.signal(Signal::SIGTERM);
            select((group.is_over_within(self.config.stop_within), self.kill.wait())).await;
            group.is_over_within(Duration::ZERO).await;
        }
        self.group.set(None);
        ended.set();
        if let Some(reading) = reading {
            // All of it is said first, unless nobody listens and time presses.
            let task = reading.task_ref();
            let pressing = async {
                self.kill.wait().await;
                sleep(LAST_WORDS).await;
            };
            select((reading, pressing)).await;
            task.cancel();
        }
        end
    }

    /// Waits for the end of the child itself, and brings it about when asked to.
    async fn watch(&self, process: &Process) -> End {
        let ready = async {
            match (self.config.ready_after, self.config.restart) {
                // When it has ended well.
                (None, Restart::Never) => {}
                (time, _) => {
                    sleep(time.unwrap_or_default()).await;
                    self.ready.set();
                }
            }
            std::future::pending::<Infallible>().await
        };
        match select((process.wait(), self.stop.wait(), ready)).await {
            Either3::First(Ok(status)) => End::Exited(status),
            // The loop is closing.
            Either3::First(Err(error)) => End::NotStarted(error.to_string()),
            Either3::Second(()) => {
                self.end(process).await;
                End::Stopped
            }
            Either3::Third(never) => match never {},
        }
    }

    /// Stops it: the signal, some time, and the kill.
    async fn end(&self, process: &Process) {
        self.enter(State::Stopping);
        if !self.kill.is_set() {
            self.signal_group(self.config.stop_signal);
            let patience = async {
                select((sleep(self.config.stop_within), self.kill.wait())).await;
            };
            if let Either::First(ended) = select((process.wait(), patience)).await {
                if let Ok(status) = ended {
                    self.tell(&format!("is stopped: it {}", describe(status)));
                }
                return;
            }
        }
        self.tell(&format!("does not stop on {}: it is killed", self.config.stop_signal));
        self.signal_group(Signal::SIGKILL);
        // The loop is closing when this fails.
        let _ = process.wait().await;
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(group) = self.group.get() {
            group.signal(signal);
        }
    }
}

/// In words that fit behind the name.
fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("has ended with {code}"),
        (None, Some(signal)) => match Signal::try_from(signal) {
            Ok(signal) => format!("was ended by {signal}"),
            Err(_) => format!("was ended by signal {signal}"),
        },
        (None, None) => format!("has ended: {status}"),
    }
}

/// When to restart, and when no more.
struct Restarts<'a> {
    config: &'a ProgramConfig,
    delay: Duration,
    lately: VecDeque<Instant>,
}

impl<'a> Restarts<'a> {
    fn new(config: &'a ProgramConfig) -> Restarts<'a> {
        Restarts { config, delay: config.first_delay, lately: VecDeque::new() }
    }

    /// How long to wait after a run from `begin` to `end`; `None`: it is given up.
    fn next(&mut self, begin: Instant, end: Instant) -> Option<Duration> {
        if end - begin > self.config.longest_delay {
            self.delay = self.config.first_delay;
        }
        while self.lately.front().is_some_and(|t| end - *t > self.config.within) {
            self.lately.pop_front();
        }
        if self.lately.len() >= self.config.restarts {
            return None;
        }
        self.lately.push_back(end);
        let delay = self.delay;
        self.delay = (delay * 2).min(self.config.longest_delay);
        Some(delay)
    }
}

/// Reaps what has strayed from the groups of `programs`.
pub fn reap_strays_of(programs: &[Rc<Program>]) {
    let is_child = |pid| programs.iter().any(|program| program.pid() == Some(pid));
    reap_strays(is_child);
}
