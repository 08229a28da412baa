//! All programs: started in order, reloaded, looked at, stopped in reverse.

use crate::config::Config;
use crate::output::Output;
use crate::program::{Program, State, reap_strays_of};
use molen::timeouts::timeout;
use molen::{Duration, Event, create_task};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// There is no program of this name.
pub struct NoSuchProgram(pub String);

/// A program's status.
fn line_of(program: &Rc<Program>) -> String {
    let process = program.pid().map_or(String::new(), |pid| format!(", process {pid}"));
    let (name, state, restarts) = (program.name(), program.state(), program.restarts());
    format!("{name}: {state}{process}, restarts {restarts}\n")
}

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
    /// otherwise now, started. What has failed for good has another chance;
    /// what has finished, or somebody has stopped, stays as it is.
    ///
    /// # Cancellation
    ///
    /// Some are stopped, and perhaps others not started yet.
    pub async fn change_to(self: &Rc<Fleet>, config: Config) {
        self.stop_within.set(config.stop_within);
        let stays = |program: &Rc<Program>| {
            let failed = matches!(program.state(), State::Failed(_));
            config.programs.contains(&program.config) && !failed
        };
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
            self.begin(program);
        }
        self.changed.set();
    }

    /// Begins a program's life.
    fn begin(self: &Rc<Fleet>, program: Rc<Program>) {
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

    fn by_name(&self, name: &str) -> Result<Rc<Program>, NoSuchProgram> {
        let programs = self.programs.borrow();
        let found = programs.iter().find(|program| program.name() == name);
        found.cloned().ok_or_else(|| NoSuchProgram(name.to_owned()))
    }

    /// Stops one program, which stays stopped until it is started; its status.
    ///
    /// # Cancellation
    ///
    /// It goes on being stopped.
    pub async fn stop_one(&self, name: &str) -> Result<String, NoSuchProgram> {
        let program = self.by_name(name)?;
        program.stop();
        program.over().await;
        Ok(line_of(&program))
    }

    /// Starts one program if it does not run; its status.
    pub fn start_one(self: &Rc<Fleet>, name: &str) -> Result<String, NoSuchProgram> {
        let before = self.by_name(name)?;
        if !before.is_over() {
            return Ok(line_of(&before));
        }
        let program = before.again();
        for place in self.programs.borrow_mut().iter_mut() {
            if Rc::ptr_eq(place, &before) {
                *place = program.clone();
            }
        }
        self.begin(program.clone());
        self.changed.set();
        Ok(line_of(&program))
    }

    /// Waits until every program is over by itself; whether they all ended well.
    /// One that somebody has stopped may be started again.
    pub async fn is_over(&self) -> bool {
        loop {
            self.changed.clear();
            let programs = self.programs();
            let by_itself =
                |program: &Rc<Program>| program.is_over() && program.state() != State::Stopped;
            if programs.iter().all(by_itself) {
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
        self.programs().iter().map(line_of).collect()
    }

    /// Reaps orphans that no program's group has any more.
    pub fn reap_strays(&self) {
        reap_strays_of(&self.programs.borrow());
    }
}
