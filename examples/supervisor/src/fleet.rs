//! All programs: started in order, reloaded, looked at, stopped in reverse.

use crate::config::Config;
use crate::output::Output;
use crate::program::{Program, State, reap_strays_of};
use molen::timeouts::timeout;
use molen::{Duration, Event, create_task};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;

/// All programs of a configuration.
pub struct Fleet {
    output: Rc<Output>,
    /// In the order of their starts.
    programs: RefCell<Vec<Rc<Program>>>,
    stop_within: Cell<Duration>,
    /// Some program is over, or the programs are others.
    changed: Event,
}

impl Fleet {
    pub fn new(output: &Rc<Output>) -> Rc<Fleet> {
        Rc::new(Fleet {
            output: output.clone(),
            programs: RefCell::new(Vec::new()),
            stop_within: Cell::new(Duration::ZERO),
            changed: Event::new(),
        })
    }

    fn programs(&self) -> Vec<Rc<Program>> {
        self.programs.borrow().clone()
    }

    /// Makes it so that the programs of `config` run, and no others: those that
    /// are not in it, or otherwise, are stopped, and those that are new, or
    /// otherwise now, started.
    ///
    /// # Cancellation
    ///
    /// Some are stopped, and perhaps others not started yet.
    pub async fn change_to(self: &Rc<Fleet>, config: Config) {
        self.stop_within.set(config.stop_within);
        let stays =
            |program: &Rc<Program>| config.programs.contains(&program.config) && !program.is_over();
        let (staying, leaving): (Vec<_>, Vec<_>) = self.programs().into_iter().partition(stays);
        for program in leaving.iter().rev() {
            program.stop();
            program.over().await;
        }
        let (mut programs, mut new) = (Vec::<Rc<Program>>::new(), Vec::new());
        for config in config.programs {
            let same = staying.iter().find(|program| program.config == config);
            let program = same.cloned().unwrap_or_else(|| {
                let is_before =
                    |other: &&Rc<Program>| config.after.iter().any(|n| n == other.name());
                let after = programs.iter().filter(is_before).cloned().collect();
                let program = Program::new(config, after, &self.output);
                new.push(program.clone());
                program
            });
            programs.push(program);
        }
        self.programs.replace(programs);
        for program in new {
            let fleet = self.clone();
            let life = async move {
                program.live().await;
                fleet.reap_strays();
                fleet.changed.set();
            };
            match create_task(life) {
                Ok(task) => task.detach(),
                Err(error) => self.output.say(&format!("a program cannot be watched: {error}")),
            }
        }
        self.changed.set();
    }

    /// Waits until every program is over by itself; whether they all ended well.
    pub async fn is_over(&self) -> bool {
        loop {
            self.changed.clear();
            let programs = self.programs();
            if programs.iter().all(|program| program.is_over()) {
                let well = |program: &Rc<Program>| !matches!(program.state(), State::Failed(_));
                return programs.iter().all(well);
            }
            self.changed.wait().await;
        }
    }

    /// Stops all programs, the last started first, and kills those that have
    /// not stopped when the time for all of them is over.
    pub async fn stop(&self) {
        let programs = self.programs();
        let in_order = async {
            for program in programs.iter().rev() {
                program.stop();
                program.over().await;
            }
        };
        if timeout(self.stop_within.get(), in_order).await.is_err() {
            self.output.say("the time to stop is over");
            self.kill();
            for program in programs.iter().rev() {
                program.over().await;
            }
        }
    }

    /// Kills all programs at once.
    pub fn kill(&self) {
        for program in self.programs() {
            program.kill();
        }
    }

    /// A line for each program.
    pub fn status(&self) -> String {
        let mut text = String::new();
        for program in self.programs() {
            let process = program.pid().map_or(String::new(), |pid| format!(", process {pid}"));
            let (name, state, restarts) = (program.name(), program.state(), program.restarts());
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name}: {state}{process}, restarts {restarts}");
        }
        text
    }

    /// Reaps orphans that no program's group has any more.
    pub fn reap_strays(&self) {
        reap_strays_of(&self.programs.borrow());
    }
}
