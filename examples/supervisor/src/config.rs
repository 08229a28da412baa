//! What is to run, and how: a file in TOML.

use molen::Duration;
use nix::sys::signal::Signal;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The whole file.
#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long all programs together have to stop.
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub stop_within: Duration,
    /// In the order in which they are started: each after those it says.
    #[serde(default, rename = "program")]
    pub programs: Vec<ProgramConfig>,
}

/// One program.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ProgramConfig {
    pub name: String,
    /// The program and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Or a script for the shell.
    pub shell: Option<String>,
    pub directory: Option<PathBuf>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Those which must be ready before it is started.
    #[serde(default)]
    pub after: Vec<String>,
    /// It is ready when it has run for so long. What is never restarted is
    /// ready when it has ended well, unless it says this.
    #[serde(default, deserialize_with = "some_duration")]
    pub ready_after: Option<Duration>,
    #[serde(default)]
    pub restart: Restart,
    /// How long to wait before the first restart; twice as long before each next.
    #[serde(default = "half_a_second", deserialize_with = "duration")]
    pub first_delay: Duration,
    /// The longest wait. A run that is longer begins with the first wait again.
    #[serde(default = "half_a_minute", deserialize_with = "duration")]
    pub longest_delay: Duration,
    /// More restarts than this, and it is given up …
    #[serde(default = "five")]
    pub restarts: usize,
    /// … if they were within so long.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub within: Duration,
    #[serde(default = "sigterm", deserialize_with = "signal")]
    pub stop_signal: Signal,
    /// How long it has to stop before it is killed.
    #[serde(default = "five_seconds", deserialize_with = "duration")]
    pub stop_within: Duration,
}

/// When a program that has ended is started again.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    Always,
    /// When it ended by a signal, or with another code than 0.
    #[default]
    OnFailure,
    Never,
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn half_a_second() -> Duration {
    Duration::from_millis(500)
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

fn five() -> usize {
    5
}

fn sigterm() -> Signal {
    Signal::SIGTERM
}

/// Seconds, with or without a fraction.
fn duration<'a, D: Deserializer<'a>>(from: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(de::Error::custom)
}

fn some_duration<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}

/// A signal's name, with or without `SIG`.
fn signal<'a, D: Deserializer<'a>>(from: D) -> Result<Signal, D::Error> {
    let name = String::deserialize(from)?.to_uppercase();
    let full = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
    Signal::from_str(&full).map_err(|_| de::Error::custom(format!("{full} is no signal")))
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum ConfigError {
    Read(PathBuf, std::io::Error),
    Parse(PathBuf, Box<toml::de::Error>),
    /// What is in it makes no sense.
    Wrong(PathBuf, String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Read(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            ConfigError::Parse(path, error) => {
                write!(f, "cannot understand {}: {error}", path.display())
            }
            ConfigError::Wrong(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a file, and brings its programs in the order of their starts.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Read(path.to_owned(), error))?;
        let mut config: Config = toml::from_str(&text)
            .map_err(|error| ConfigError::Parse(path.to_owned(), Box::new(error)))?;
        config.check().map_err(|why| ConfigError::Wrong(path.to_owned(), why))?;
        Ok(config)
    }

    fn check(&mut self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for program in &self.programs {
            let name = &program.name;
            if name.is_empty() || name.chars().any(|char| char.is_whitespace() || char.is_control())
            {
                return Err(format!("{name:?} is no name for a program: use one word"));
            }
            if !names.insert(name.clone()) {
                return Err(format!("there are two programs of the name {name}"));
            }
            if program.command.is_empty() == program.shell.is_none() {
                return Err(format!("{name} needs either a command or a script for the shell"));
            }
        }
        for program in &self.programs {
            if let Some(unknown) = program.after.iter().find(|name| !names.contains(*name)) {
                return Err(format!("{} is after {unknown}, which is not there", program.name));
            }
        }
        self.bring_in_order()
    }

    /// Each behind those that it is after, and else as they stand in the file.
    fn bring_in_order(&mut self) -> Result<(), String> {
        let mut waiting = std::mem::take(&mut self.programs);
        while !waiting.is_empty() {
            let is_behind = |program: &ProgramConfig| {
                let placed = |name: &String| self.programs.iter().any(|other| other.name == *name);
                program.after.iter().all(placed)
            };
            let Some(next) = waiting.iter().position(is_behind) else {
                let names: Vec<&str> = waiting.iter().map(|program| &*program.name).collect();
                return Err(format!("{} wait for each other in a circle", names.join(", ")));
            };
            self.programs.push(waiting.remove(next));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Config, String> {
        let mut config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map(|()| config)
    }

    #[test]
    fn the_example_is_good() {
        let config = Config::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/example.toml")));
        let config = config.expect("the example can be read");
        assert_eq!(config.stop_within, Duration::from_secs(10));
        let web = &config.programs[2];
        assert_eq!(web.ready_after, Some(Duration::from_millis(500)));
        assert_eq!((web.restart, web.stop_signal), (Restart::Always, Signal::SIGINT));
    }

    #[test]
    fn each_is_behind_those_it_is_after() {
        let config = parsed(
            "[[program]]\nname='c'\nshell='c'\nafter=['a','b']\n[[program]]\nname='a'\nshell='a'\n\
             [[program]]\nname='b'\nshell='b'\nafter=['a']\n[[program]]\nname='d'\nshell='d'",
        );
        let names: Vec<String> =
            config.expect("it is good").programs.into_iter().map(|program| program.name).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, why) in [
            ("[[program]]\nname='a'", "needs either a command or a script"),
            ("[[program]]\nname='a'\nshell='a'\ncommand=['a']", "needs either"),
            ("[[program]]\nname='a b'\nshell='a'", "\"a b\" is no name"),
            ("[[program]]\nname='a'\nshell='a'\nafter=['b']", "after b, which is not there"),
            ("[[program]]\nname='a'\nshell='a'\nafter=['a']", "a wait for each other in a circle"),
            ("[[program]]\nname='a'\nshell='a'\nstop_signal='FOO'", "SIGFOO is no signal"),
            ("[[program]]\nname='a'\nshell='a'\nstop_within=-1", "negative"),
            ("[[program]]\nname='a'\nshell='a'\nrestrat='never'", "restrat"),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
