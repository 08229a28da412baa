//! SHA-256 of many files, as `sha256sum` prints them, in the order in which
//! they were given.
//!
//! ```sh
//! cargo run --release -p molen-example-checksum -- --jobs 4 --timeout 30 *.iso
//! ```
//!
//! What it shows: tasks in a group, a semaphore that limits how many work at
//! once, work that blocks on other threads, a time limit for each file, and a
//! Ctrl-C that ends what runs and says how far it came.

use clap::Parser;
use molen::timeouts::{TimeoutError, timeout};
use molen::{Duration, Semaphore, TaskGroup, catch_cancel, to_thread};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Prints the SHA-256 of files, as sha256sum does.
#[derive(Parser)]
struct Arguments {
    /// How many files to read at once.
    #[arg(long, short, default_value = "4")]
    jobs: NonZero<usize>,

    /// Give a file up after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,

    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Why a file has no checksum.
enum Failure {
    Read(io::Error),
    TimedOut(Duration),
    /// What was to read it could not, or failed.
    Reader(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Read(error) => error.fmt(f),
            Failure::TimedOut(limit) => write!(f, "gave up after {} s", limit.as_secs()),
            Failure::Reader(reason) => write!(f, "not read: {reason}"),
        }
    }
}

/// Set when it is no use to read on: a thread cannot be cancelled.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// The checksum of a file, in hexadecimal. Blocks.
fn checksum(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        if STOPPED.load(Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// [`checksum`] on another thread, with a time limit.
async fn checksum_within(path: PathBuf, limit: Option<Duration>) -> Result<String, Failure> {
    match timeout(limit, to_thread(move || checksum(&path))).await {
        Ok(Ok(read)) => read.map_err(Failure::Read),
        Ok(Err(job)) => Err(Failure::Reader(job.to_string())),
        Err(TimeoutError::Elapsed) => Err(Failure::TimedOut(limit.unwrap_or_default())),
        Err(error) => Err(Failure::Reader(error.to_string())),
    }
}

/// How far it came, on a terminal.
struct Progress {
    done: Cell<usize>,
    of: usize,
    shown: bool,
}

impl Progress {
    fn step(&self) {
        self.done.set(self.done.get() + 1);
        if self.shown {
            eprint!("\r{} of {} files", self.done.get(), self.of);
            if self.done.get() == self.of {
                eprintln!();
            }
        }
    }
}

#[molen::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let progress = Rc::new(Progress {
        done: Cell::new(0),
        of: arguments.files.len(),
        shown: io::stderr().is_terminal(),
    });
    let all = catch_cancel(checksums(arguments, progress.clone())).await;
    match all {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            eprintln!("checksum: {error}");
            ExitCode::FAILURE
        }
        Err(cancelled) => {
            STOPPED.store(true, Relaxed);
            eprintln!("checksum: stopped after {} of {} files", progress.done.get(), progress.of);
            match cancelled.propagate().await {}
        }
    }
}

/// Prints the checksums; whether every file had one.
async fn checksums(
    arguments: Arguments,
    progress: Rc<Progress>,
) -> Result<bool, Box<dyn std::error::Error>> {
    let places = Rc::new(Semaphore::new(arguments.jobs.get()));
    let limit = arguments.timeout.map(Duration::from_secs);
    let group = TaskGroup::<std::convert::Infallible>::new();
    let every_one = group
        .run(async {
            let tasks = arguments.files.iter().map(|path| {
                let (path, places, progress) = (path.clone(), places.clone(), progress.clone());
                let task = async move {
                    let _place = places.acquire().await;
                    let result = checksum_within(path, limit).await;
                    progress.step();
                    Ok(result)
                };
                group.create_task(task).map_err(|refused| Failure::Reader(refused.to_string()))
            });
            let tasks: Vec<_> = tasks.collect();
            let mut every_one = true;
            for (path, task) in arguments.files.iter().zip(tasks) {
                let result = match task {
                    Ok(task) => task.await.map_err(|error| Failure::Reader(error.to_string())),
                    Err(failure) => Err(failure),
                };
                every_one &= print(path, result.flatten());
            }
            Ok(every_one)
        })
        .await?;
    Ok(every_one.unwrap_or(false))
}

/// Prints what became of a file; whether it has a checksum.
fn print(path: &Path, result: Result<String, Failure>) -> bool {
    match result {
        Ok(sum) => match writeln!(io::stdout(), "{sum}  {}", path.display()) {
            Ok(()) => true,
            Err(error) => {
                eprintln!("checksum: cannot write the sum of {}: {error}", path.display());
                false
            }
        },
        Err(failure) => {
            eprintln!("checksum: {}: {failure}", path.display());
            false
        }
    }
}
