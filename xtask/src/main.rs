//! Developer tasks of Molen: `cargo xtask setup | test | size | demo`.
//!
//! People and the CI run the same four commands. Each makes sure first that what it needs is on
//! the machine ([`setup`]); what is built for which machine and how it is started stands in one
//! table, [`platforms`]; every program that is started goes through [`process`], which ends it on
//! every way out.

mod cargo_build;
mod demo;
mod platforms;
mod process;
mod setup;
mod size;
mod table;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets a machine up for Molen and runs its demo, its tests and its size tables.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Setup(setup::Arguments),
    Test(test::Arguments),
    Size(size::Arguments),
    Demo(demo::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = process::end_children_on_signals().and_then(|()| match arguments.command {
        Command::Setup(arguments) => setup::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Size(arguments) => size::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
