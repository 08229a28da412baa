//! Shows the tasks of a living process that serves them.

use clap::Parser;
use molen_std::introspect::{self, Question};
use std::process::ExitCode;

/// Shows the tasks of a living process: a line for each, or with --tree who awaits whom.
///
/// The process must have called `molen::introspect::serve()`. Its loops answer
/// between two batches; one that is in a long step is said not to answer.
#[derive(Parser)]
#[command(name = "molen-ps", version)]
struct Arguments {
    /// The process's number.
    #[arg(value_name = "PID")]
    process: u32,
    /// Draw trees, from the tasks that nobody awaits to those that they await.
    #[arg(long)]
    tree: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let question = if arguments.tree { Question::Tree } else { Question::Table };
    match introspect::ask(arguments.process, question) {
        Ok(answer) => {
            print!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("molen-ps: {error}");
            ExitCode::FAILURE
        }
    }
}
