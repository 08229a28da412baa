//! `cargo xtask demo`: one application, three machines, the same conversation.

mod client;
mod conversation;
mod stages;

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;

use self::client::{Server, Transcript};
use self::conversation::{ALONE, Conversation, TOGETHER};
use self::stages::{Connections, STAGES, Stage};
use crate::process::{self, Running};
use crate::setup::{self, LibraryOrigin, Need, Outcome};
use crate::table::Table;

/// Shows the same application natively, in WebAssembly and on an emulated microcontroller.
///
/// Sets up what is missing for it, builds the application for each machine, starts it, lets a
/// client hold the same conversation with each, and shows the transcripts side by side. Exits 0
/// only if every machine answered correctly.
#[derive(clap::Args)]
pub struct Arguments {
    /// Show this machine only; may be repeated.
    #[arg(long = "platform", value_name = "PLATFORM", value_parser = names())]
    platforms: Vec<String>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STAGES.iter().map(|stage| stage.platform))
}

/// `cargo xtask demo`.
///
/// # Errors
/// When the set-up cannot be tried. What fails on a machine is in its transcript and the exit code.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let stages: Vec<&Stage> = STAGES
        .iter()
        .filter(|stage| {
            arguments.platforms.is_empty()
                || arguments.platforms.iter().any(|name| name == stage.platform)
        })
        .collect();
    let mut needs: Vec<Need> = stages.iter().flat_map(|stage| stage.needs()).collect();
    needs.sort_unstable();
    needs.dedup();
    let machine = setup::ensure(&needs, LibraryOrigin::RustupOrSources)?;
    let mut alone = Vec::new();
    let mut together = Vec::new();
    for stage in stages {
        let program = stage
            .needs()
            .iter()
            .try_for_each(|need| machine.path(*need).map(drop))
            .and_then(|()| stage.build().run());
        match program {
            Ok(program) => {
                alone.push((stage.name, show(stage, &machine, &program, &ALONE)));
                if stage.connections() == Connections::Many {
                    together.push((stage.name, show(stage, &machine, &program, &TOGETHER)));
                }
            }
            Err(error) => {
                let failure = Some(format!("{error:#}"));
                alone.push((
                    stage.name,
                    Transcript { lines: vec!["✗ not started".to_owned()], failure },
                ));
            }
        }
    }
    let mut correct = true;
    for (conversation, transcripts) in [(&ALONE, &alone), (&TOGETHER, &together)] {
        if transcripts.is_empty() {
            continue;
        }
        println!("\n{}\n\n{}", conversation.title, side_by_side(transcripts));
        for (name, transcript) in transcripts {
            if let Some(why) = &transcript.failure {
                println!("{name}: {why}");
                correct = false;
            }
        }
    }
    if correct {
        println!(
            "the same conversation on each of {} machines: all answered correctly",
            alone.len()
        );
        Ok(ExitCode::SUCCESS)
    } else {
        println!("not every machine answered correctly");
        Ok(ExitCode::FAILURE)
    }
}

/// Starts the application, holds the conversation with it and ends it.
fn show(
    stage: &Stage,
    machine: &Outcome,
    program: &Path,
    conversation: &Conversation,
) -> Transcript {
    eprintln!("demo: {}: {}", stage.name, conversation.title);
    converse(stage, machine, program, conversation).unwrap_or_else(|error| Transcript {
        lines: vec!["✗ not started".to_owned()],
        failure: Some(format!("{error:#}")),
    })
}

fn converse(
    stage: &Stage,
    machine: &Outcome,
    program: &Path,
    conversation: &Conversation,
) -> Result<Transcript> {
    let address = stages::free_address()?;
    let mut command = stage.command(machine, program, address)?;
    eprintln!("    $ {}", process::show(&command));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Running::start(&mut command)
        .with_context(|| format!("start the application: {}", stage.name))?;
    let output = server.take_stdout().map(process::collect_all);
    let errors = server.take_stderr().map(process::collect_all);
    let mut transcript = client::hold(conversation, address, &mut server);
    server.end();
    if let Some(failure) = &mut transcript.failure {
        for pipe in [output, errors].into_iter().flatten() {
            if let Ok(text) = pipe.join() {
                failure.push_str(&process::tail(&text, 40));
            }
        }
    }
    Ok(transcript)
}

impl Server for Running {
    fn require_alive(&mut self) -> Result<()> {
        match self.ended()? {
            Some(status) => bail!("the application ended with {status}"),
            None => Ok(()),
        }
    }

    fn require_end(&mut self, limit: Duration) -> Result<()> {
        match self.wait(limit)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the application ended with {status}"),
            None => bail!("the application still runs after {} s", limit.as_secs()),
        }
    }
}

/// One column for each machine, one row for each step.
fn side_by_side(transcripts: &[(&str, Transcript)]) -> String {
    let mut table = Table::new(transcripts.iter().map(|(name, _)| *name), usize::MAX);
    let steps = transcripts.iter().map(|(_, transcript)| transcript.lines.len()).max().unwrap_or(0);
    for step in 0..steps {
        table.row(
            transcripts
                .iter()
                .map(|(_, transcript)| transcript.lines.get(step).map_or("", String::as_str)),
        );
    }
    let verdicts =
        transcripts.iter().map(|(_, transcript)| if transcript.is_correct() { "✓" } else { "✗" });
    table.row(verdicts);
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcripts_stand_side_by_side_also_when_one_ended_early() {
        let full = Transcript { lines: vec!["a < hi".into(), "a > x".into()], failure: None };
        let short = Transcript { lines: vec!["a ✗ no".into()], failure: Some("no".into()) };
        assert_eq!(
            side_by_side(&[("native", full), ("wasm", short)]),
            "native  wasm\n──────  ──────\na < hi  a ✗ no\na > x\n✓       ✗\n"
        );
    }
}
