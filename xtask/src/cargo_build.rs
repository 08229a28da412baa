//! Building one program with cargo and finding where cargo put it.

use std::io::BufReader;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use crate::process::{self, Running};
use crate::workspace;

/// How one program is built.
#[derive(Debug, Clone)]
pub struct Build {
    /// Where cargo runs, relative to the checkout's root: a package that has a
    /// `.cargo/config.toml` of its own (a linker script, for one) is only built right from within.
    pub directory: String,
    /// The target; `None` is the machine itself.
    pub target: Option<String>,
    /// What follows `cargo build --target …`: profile, package, binary, features.
    pub arguments: Vec<String>,
}

impl Build {
    /// From the constants of a table.
    pub fn new(directory: &str, target: Option<&str>, arguments: &[&str]) -> Self {
        Self {
            directory: directory.to_owned(),
            target: target.map(str::to_owned),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
        }
    }

    /// Builds the program and returns its path.
    ///
    /// # Errors
    /// When the folder is not there, cargo fails, or the build makes no program or several.
    pub fn run(&self) -> Result<PathBuf> {
        let folder = workspace::root().join(&self.directory);
        if !folder.join("Cargo.toml").is_file() {
            bail!("build {}: there is no package in that folder", self.directory);
        }
        let mut cargo = workspace::cargo();
        cargo.current_dir(&folder).arg("build");
        if let Some(target) = &self.target {
            cargo.args(["--target", target]);
        }
        cargo.args(&self.arguments).arg("--message-format=json-render-diagnostics");
        let shown = process::show(&cargo);
        eprintln!("build: in {}: {shown}", self.directory);
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut running = Running::start(&mut cargo)?;
        let mut programs = Vec::new();
        if let Some(pipe) = running.take_stdout() {
            for message in Message::parse_stream(BufReader::new(pipe)) {
                if let Message::CompilerArtifact(artifact) =
                    message.with_context(|| format!("read what `{shown}` says"))?
                    && let Some(program) = module_or_program(&artifact)
                {
                    programs.push(program);
                }
            }
        }
        let status = loop {
            if let Some(status) = running.wait(std::time::Duration::from_secs(3600))? {
                break status;
            }
        };
        if !status.success() {
            bail!("`{shown}` in {} ended with {status}", self.directory);
        }
        match programs.as_slice() {
            [program] => Ok(program.clone()),
            [] => bail!("`{shown}` in {} made no program", self.directory),
            several => bail!(
                "`{shown}` in {} made several programs ({}): say which by --bin or --example",
                self.directory,
                several
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }
}

/// A program's file, or the module that a `cdylib` is on wasm.
fn module_or_program(artifact: &cargo_metadata::Artifact) -> Option<PathBuf> {
    let module =
        || artifact.filenames.iter().find(|file| file.extension() == Some("wasm")).cloned();
    artifact.executable.clone().or_else(module).map(Into::into)
}
