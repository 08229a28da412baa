//! All targets, for some seconds each, without a fuzzer: first what is in the
//! corpus, then mutations of it and bytes by chance. What a seed does, it does
//! again.

use clap::Parser;
use molen::testing::Chance;
use molen_fuzz::{TARGETS, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs each target on its corpus and on what chance makes of it.
///
/// An input that fails is written beside the corpus, so that it can be run
/// again, alone, and become part of it.
#[derive(Parser)]
struct Options {
    /// How long each target is run on mutations.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// What decides the mutations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this target.
    #[arg(long)]
    only: Option<String>,
    /// Only these inputs, on the one target.
    #[arg(requires = "only")]
    inputs: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut failed = false;
    for target in TARGETS {
        if options.only.as_ref().is_none_or(|only| only == target.name) {
            failed |= !run(target, &options);
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Whether `target` passes.
fn run(target: &Target, options: &Options) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let corpus = match options.inputs.is_empty() {
        true => inputs(&folder),
        false => options.inputs.iter().filter_map(|path| std::fs::read(path).ok()).collect(),
    };
    let mut runs = 0_u64;
    for input in &corpus {
        runs += 1;
        if !passes(target, input) {
            return false;
        }
    }
    let chance = Chance::new(options.seed);
    let length = Duration::try_from_secs_f64(options.seconds).unwrap_or(Duration::ZERO);
    let began = Instant::now();
    while options.inputs.is_empty() && began.elapsed() < length {
        for _ in 0..50 {
            runs += 1;
            let input = mutation(&corpus, &chance);
            if !passes(target, &input) {
                keep(target, &input);
                return false;
            }
        }
    }
    println!("fuzz: {:>9} runs of {}, {} of them its corpus", runs, target.name, corpus.len());
    true
}

fn passes(target: &Target, input: &[u8]) -> bool {
    let ran = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    if ran.is_err() {
        eprintln!("fuzz: {} FAILED on {input:?}", target.name);
    }
    ran.is_ok()
}

fn keep(target: &Target, input: &[u8]) {
    let path = PathBuf::from(format!("failed-{}", target.name));
    match std::fs::write(&path, input) {
        Ok(()) => eprintln!("fuzz: kept as {}", path.display()),
        Err(error) => eprintln!("fuzz: cannot keep it as {}: {error}", path.display()),
    }
}

fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    // The same order on every machine, or a seed would mean nothing.
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// An input by chance, or one of the corpus with some changes.
fn mutation(corpus: &[Vec<u8>], chance: &Chance) -> Vec<u8> {
    let byte = || chance.number() as u8;
    let mut input = match corpus.get(chance.below(corpus.len() * 2 + 1)) {
        Some(input) => input.clone(),
        None => (0..chance.below(400)).map(|_| byte()).collect(),
    };
    for _ in 0..chance.below(8) {
        let at = chance.below(input.len() + 1);
        match chance.below(4) {
            0 => input.insert(at, byte()),
            1 if at < input.len() => input[at] = byte(),
            2 if at < input.len() => drop(input.drain(at..(at + chance.below(8)).min(input.len()))),
            _ => {
                let other = corpus.get(chance.below(corpus.len())).cloned().unwrap_or_default();
                let from = chance.below(other.len());
                input.splice(at..at, other[from..].iter().copied());
            }
        }
    }
    input.truncate(2000);
    input
}
