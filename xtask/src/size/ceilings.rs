//! `sizes.toml`: what is measured, how it is built, and how much it may be.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{counts, sections};
use crate::cargo_build::Build;
use crate::platforms::PLATFORMS;
use crate::setup::{Need, Outcome, TARGETS};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceilings {
    /// Microcontroller programs, by section.
    #[serde(default)]
    pub program: Vec<Program>,
    /// WASI modules, by file size.
    #[serde(default)]
    pub module: Vec<Module>,
    /// Programs that count their instructions, or print sizes.
    #[serde(default)]
    pub count: Vec<Count>,
}

/// What is built, and how.
#[derive(Debug, Deserialize)]
pub struct Source {
    /// What the table calls it.
    pub name: String,
    /// Where cargo runs, relative to the checkout; the root if it is not said.
    #[serde(default = "root")]
    directory: String,
    /// The target.
    pub target: String,
    /// What follows `cargo build --target …`: profile, package, example or binary, features.
    build: Vec<String>,
}

fn root() -> String {
    ".".to_owned()
}

impl Source {
    /// The target's library, if the set-up knows the target.
    pub fn need(&self) -> Option<Need> {
        TARGETS
            .iter()
            .find(|target| target.name == self.target)
            .map(|target| Need::Target(target.name))
    }

    /// How cargo builds it.
    pub fn build(&self) -> Build {
        Build {
            directory: self.directory.clone(),
            target: Some(self.target.clone()),
            arguments: self.build.clone(),
        }
    }
}

/// A microcontroller program and its ceilings, in bytes.
#[derive(Debug, Deserialize)]
pub struct Program {
    /// What is built.
    #[serde(flatten)]
    pub source: Source,
    text: Option<u64>,
    rodata: Option<u64>,
    data: Option<u64>,
    bss: Option<u64>,
    /// Static RAM: data and bss together.
    ram: Option<u64>,
}

/// A module and its ceiling, in bytes of the file.
#[derive(Debug, Deserialize)]
pub struct Module {
    /// What is built.
    #[serde(flatten)]
    pub source: Source,
    bytes: u64,
}

/// A program that prints `count <name> <number>` lines, and their ceilings, in instructions or
/// whatever the program counts.
#[derive(Debug, Deserialize)]
pub struct Count {
    /// What is built.
    #[serde(flatten)]
    pub source: Source,
    /// By the name in the program's line.
    ceilings: BTreeMap<String, u64>,
}

/// One number and the ceiling it is held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// What it is, as in sizes.toml.
    pub what: String,
    /// What it is now.
    pub now: u64,
    /// What it may be; `None` is only reported.
    pub ceiling: Option<u64>,
}

impl Measured {
    /// Whether it is at most its ceiling.
    pub fn is_within(&self) -> bool {
        self.ceiling.is_none_or(|ceiling| self.now <= ceiling)
    }
}

impl Ceilings {
    /// Keeps the entries whose name is wanted.
    pub fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.program.retain(|program| wanted(&program.source.name));
        self.module.retain(|module| wanted(&module.source.name));
        self.count.retain(|count| wanted(&count.source.name));
    }

    /// Whether there is nothing to measure.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty() && self.module.is_empty() && self.count.is_empty()
    }

    /// What must be on the machine to measure it all.
    pub fn needs(&self) -> Vec<Need> {
        let programs = self.program.iter().map(|program| &program.source);
        let modules = self.module.iter().map(|module| &module.source);
        let counts = self.count.iter().map(|count| &count.source);
        let mut needs: Vec<Need> =
            programs.chain(modules).chain(counts).filter_map(Source::need).collect();
        for count in &self.count {
            let platform =
                PLATFORMS.iter().find(|platform| platform.runs_target(&count.source.target));
            needs.extend(platform.into_iter().flat_map(|platform| platform.needs()));
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }
}

impl Program {
    /// Builds it and adds up its sections.
    ///
    /// # Errors
    /// When it cannot be built or its file not be read.
    pub fn measure(&self) -> Result<Vec<Measured>> {
        let sections = sections::of(&self.source.build().run()?)?;
        let measured = |what: &str, now, ceiling| Measured { what: what.to_owned(), now, ceiling };
        Ok(vec![
            measured("text", sections.text, self.text),
            measured("rodata", sections.rodata, self.rodata),
            measured("data", sections.data, self.data),
            measured("bss", sections.bss, self.bss),
            measured("ram", sections.data + sections.bss, self.ram),
            measured("vector_table", sections.vector_table, None),
        ])
    }
}

impl Module {
    /// Builds it and takes its length.
    ///
    /// # Errors
    /// When it cannot be built or its file not be read.
    pub fn measure(&self) -> Result<Vec<Measured>> {
        let path = self.source.build().run()?;
        let now = fs::metadata(&path)
            .with_context(|| format!("take the size of {}", path.display()))?
            .len();
        Ok(vec![Measured { what: "bytes".to_owned(), now, ceiling: Some(self.bytes) }])
    }
}

impl Count {
    /// Builds it, runs it on its emulator and reads its counts.
    ///
    /// # Errors
    /// When it cannot be built or run, or does not print a count that has a ceiling.
    pub fn measure(&self, machine: &Outcome) -> Result<Vec<Measured>> {
        let program = self.source.build().run()?;
        counts::run(&program, &self.source.target, &self.ceilings, machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_entries_are_read() -> Result<()> {
        let ceilings: Ceilings = toml::from_str(
            r#"
            [[program]]
            name = "two timer tasks"
            directory = "examples/bare"
            target = "thumbv7em-none-eabihf"
            build = ["--release", "--bin", "two_timers"]
            text = 1600
            data = 0
            ram = 160

            [[module]]
            name = "hello timer"
            target = "wasm32-wasip1"
            build = ["--release", "-p", "hello"]
            bytes = 4096

            [[count]]
            name = "wakes"
            target = "thumbv7em-none-eabihf"
            build = ["--release"]
            ceilings = { "wake to poll" = 80 }
            "#,
        )?;
        assert_eq!(ceilings.program[0].text, Some(1600));
        assert_eq!(ceilings.program[0].bss, None);
        assert_eq!(ceilings.module[0].bytes, 4096);
        assert_eq!(ceilings.count[0].ceilings["wake to poll"], 80);
        assert_eq!(
            ceilings.needs(),
            [Need::Target("thumbv7em-none-eabihf"), Need::Target("wasm32-wasip1"), Need::QemuArm]
        );
        Ok(())
    }

    #[test]
    fn a_module_without_a_ceiling_is_an_error() {
        let text = "[[module]]\nname = \"a\"\ntarget = \"wasm32-wasip1\"\nbuild = []\n";
        assert!(toml::from_str::<Ceilings>(text).is_err());
    }
}
