//! Molen beside its peers and the bare kernel, in one run.
//!
//! # Run
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -- run
//! cargo run --release --manifest-path benches/Cargo.toml -- run --rounds 7 --json samples.jsonl
//! cargo run --release --manifest-path benches/Cargo.toml -- run --rows spawn_join,echo_64 --peers molen,tokio-ct,raw-lt
//! cargo run --release --manifest-path benches/Cargo.toml -- list
//! ```
//!
//! The Markdown report goes to standard output, progress to standard error.
//! One round of everything takes a few minutes, the first a few more, as it
//! holds the rows that count instead of timing (`calls`, `heap`, `idle_10k`).
//! Nothing but Linux and a compiler is needed; the `calls` rows also want
//! `strace`, the column `libuv` wants `libuv.so.1`, and stay empty without:
//! `cargo xtask setup --bench-peers` gets both. `idle_10k` needs some 10 100
//! descriptors (`ulimit -Hn`). All traffic stays on 127.0.0.1, and every row is bounded in
//! time or count. `--no-default-features --features tokio,…` leaves peers out.
//!
//! # Method
//!
//! Each sample is a process of its own: this program starts itself as
//! `sample COLUMN ROW`, or as `serve COLUMN` and `client ROW …` for TCP. The
//! loop under test is bound to CPU 0; the client and threads that wake the
//! loop to CPU 1. All cells of the table take turns within a round, in an
//! order that is shuffled each round, so that a slow minute hits everybody.
//! Before each sample the run waits (`--wait`) for a quiet machine, and marks
//! the sample clean when others used next to nothing meanwhile, or when its
//! wall time shows that the busy thread was alone on its CPU.
//!
//! A cell shows `median / best`: the median of the clean samples if there are
//! three of them, else the quartile on the good side of all, since what a
//! neighbour does only makes a figure worse. Three quiet rounds are the least
//! for numbers that are to be quoted.
//!
//! # How to read the table
//!
//! * `ns CPU` is CPU time of the whole process for each operation: helper
//!   threads count, being descheduled does not. For echo it is the server's
//!   CPU time per request, by the clock of its process.
//! * Figures of two runs on a shared machine do not compare: the ratios of
//!   one run do. The second table has them, relative to the fastest *peer*.
//! * `floor` is a scheduler with no atomics, no timers and unsound wakers;
//!   `raw-lt`, `raw-et` and `mio` are echo servers with no scheduler. They are
//!   bounds and not peers: no ratio is taken to them, except that the echo
//!   bar is `raw-lt`, the level-triggered epoll server.
//! * Loopback TCP costs the kernel 5 to 8 µs per request, so `echo` ratios
//!   hide most of what a loop adds: look at the best samples' distance, and at
//!   `calls`, the system calls per request of a server that gets to wait
//!   between two of them.
//! * Molen serves in four ways: `molen` is a task with a socket for each
//!   connection, as tokio's and smol's servers are; `molen-protocol` and
//!   `molen-buffered` are asyncio's protocols, without a task; `molen-streams`
//!   is `start_server` with a reader and a writer. Each is held against the
//!   bars by itself; none of them counts as a peer.
//! * `churn` is per connection: accept, one message, its answer, the end.
//!   Buffers there are 1 KiB, as taking them from the heap is not its subject.
//! * `idle_10k` is what a connection adds to the server's anonymous memory
//!   after one message. Where a task or a buffered protocol brings a buffer,
//!   1 KiB of it is that: compare tasks with tokio and smol, and the protocol
//!   with libuv, which have the same.
//! * `echo_sleepers` is `echo_64` beside 10 000 tasks (libuv: timers) that
//!   sleep a second on average; their waking is part of the CPU time.
//! * Of `udp_…` and `echo_…` rates, only those of clean samples mean something:
//!   the client shares the machine. CPU time per request bears a neighbour.
//! * `pipe_64k` is one write and its reading in one loop, by a task at each end;
//!   `pipe_64k_protocol` is the same with Molen's protocols beside tokio's
//!   tasks: what a full pipe does not take, a transport has to copy. `process_…` is `/bin/true`, from its
//!   start to its end.
//! * `timer_insert`, `timer_cancel` are per timer, with the number outstanding
//!   in the name; `timer_churn` is an insert and a cancel of one more timer
//!   while so many are outstanding (with one it is a pair only, as one timer
//!   is too short to time its halves). `fire` is the CPU time of a sleep from
//!   its start to its wake-up, spawning included in `fire_1m`; `late` is how
//!   long after its deadline it came. Loops that are late by a millisecond
//!   spend less, because one wake-up serves many: `fire_1` and `fire_1k` are
//!   judged among punctual loops only.
//! * Rows about channels (`queue_…`, `oneshot_own`, `signal`, `channel_…`) run
//!   each library's channels on Molen's loop, so that the loop is the same. The first
//!   three take what the library has for one thread, if it has that.
//!   Not all of them do the same: Molen's `Queue` is asyncio's, with any number
//!   of getters and putters in order of arrival, `join` and `shutdown`;
//!   embassy-sync's `Channel` has one place for a waker at each end, so two
//!   who wait wake each other in turns, and cannot be shut down; tokio's and
//!   futures' `mpsc` have one receiver, and their wakers may cross threads.
//! * The verdict holds one column (`--judge`, by default `molen`) against the
//!   bars that the project set itself.
//!
//! # Add a column
//!
//! 1. `src/peers/NAME.rs`: implement [`peer::Peer`], with `SERVE` if the loop
//!    has sockets and `lacks` for rows that it cannot do, saying why.
//! 2. One line in `src/peers/mod.rs`, a feature in `Cargo.toml`.
//!
//! # Add a row
//!
//! A variant of [`row::Row`] with its figures and bars, and a function in
//! `src/rows/` that is generic over [`peer::Peer`].

#[cfg(feature = "channels")]
mod channels;
mod child;
mod client;
mod floors;
mod load;
mod measure;
mod peer;
mod peers;
mod quiet;
mod report;
mod row;
mod rows;
mod run;
mod sample;
mod server;
mod sync;

use crate::measure::{LOOP_CPU, pin};
use crate::peer::{Column, Kind};
use crate::report::Reader;
use crate::row::Row;
use crate::run::{Outcome, Plan};
use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Molen beside its peers and the bare kernel, in one run.
#[derive(Parser)]
#[command(name = "benches", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every column in turn and prints the tables as Markdown
    Run(RunArgs),
    /// Prints the tables of samples that earlier runs appended
    Report {
        /// Files written by `run --json`
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        judge: Judge,
    },
    /// Lists the rows and the columns
    List,
    /// One sample, in this process
    #[command(hide = true)]
    Sample { column: String, row: Row },
    /// An echo server, until standard input ends
    #[command(hide = true)]
    Serve { column: String, row: Row },
    /// The client of an echo row
    #[command(hide = true)]
    Client { row: Row, port: u16, pid: i32, share: f64 },
}

#[derive(Args)]
struct RunArgs {
    /// Turns of the whole table
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Only these rows, separated by commas; see `list`
    #[arg(long, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Only these columns, separated by commas; see `list`
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Appends every sample to this file, one JSON object per line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seconds to wait for a quiet machine before each sample
    #[arg(long, default_value_t = 2.0)]
    wait: f64,
    #[command(flatten)]
    judge: Judge,
}

#[derive(Args)]
struct Judge {
    /// The columns that are held against the bars, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "molen,molen-protocol,molen-buffered,molen-streams"
    )]
    judge: Vec<String>,
    /// How much slower than the fastest peer still counts as no slower
    #[arg(long, default_value_t = 0.03)]
    tolerance: f64,
}

fn main() -> Result<()> {
    let columns = peers::columns();
    match Cli::parse().command {
        Command::Run(args) => run_all(&columns, args),
        Command::Report { files, judge } => {
            let mut outcome = Outcome::default();
            for file in &files {
                outcome.samples.extend(read_samples(file)?);
            }
            print_report(Row::value_variants(), &columns, &judge, &outcome);
            Ok(())
        }
        Command::List => {
            list(&columns);
            Ok(())
        }
        Command::Sample { column, row } => {
            let column = find(&columns, &column)?;
            if let Some(why) = column.missing(row) {
                bail!("{} has no {}: {why}", column.name, row.name());
            }
            pin(LOOP_CPU);
            let Some(micro) = column.run(row).filter(|_| row.load().is_none()) else {
                bail!("{} is run by `serve` and `client`", row.name());
            };
            micro(row);
            Ok(())
        }
        Command::Serve { column, row } => server::serve(find(&columns, &column)?, row),
        Command::Client { row, port, pid, share } => {
            client::run(row, client::Target { port, pid }, share)
        }
    }
}

fn find<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column> {
    let Some(column) = columns.iter().find(|c| c.name == name) else {
        let known: Vec<&str> = columns.iter().map(|c| c.name).collect();
        bail!("no column called {name:?} was compiled in; there are {}", known.join(", "));
    };
    Ok(column)
}

fn run_all(columns: &[Column], args: RunArgs) -> Result<()> {
    let chosen = if args.peers.is_empty() {
        columns.to_vec()
    } else {
        let found: Result<Vec<Column>> =
            args.peers.iter().map(|n| find(columns, n).copied()).collect();
        found?
    };
    let rows = if args.rows.is_empty() { Row::value_variants().to_vec() } else { args.rows };
    let wait = Duration::try_from_secs_f64(args.wait)
        .with_context(|| format!("--wait {} is no length of time", args.wait))?;
    let plan = Plan { rounds: args.rounds, rows, columns: chosen, wait };
    let outcome = run::run(&plan, args.json.as_deref())?;
    print_report(&plan.rows, &plan.columns, &args.judge, &outcome);
    if outcome.samples.is_empty() {
        bail!("no sample was taken");
    }
    Ok(())
}

fn print_report(rows: &[Row], columns: &[Column], judge: &Judge, outcome: &Outcome) {
    let columns: Vec<(&'static str, Kind)> = columns.iter().map(|c| (c.name, c.kind)).collect();
    let reader =
        Reader { rows, columns: &columns, judged: &judge.judge, tolerance: judge.tolerance };
    print!("{}", reader.markdown(outcome));
    if let Some(version) = peers::libuv_version() {
        println!("\nlibuv is {version}; the versions of the others are in Cargo.lock.");
    }
}

fn read_samples(file: &Path) -> Result<Vec<sample::Sample>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("read samples from {}", file.display()))?;
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}, line {}: no sample", file.display(), at + 1))
        })
        .collect()
}

fn list(columns: &[Column]) {
    println!("rows:");
    for row in Row::value_variants() {
        let help = row.to_possible_value();
        let help = help.as_ref().and_then(|v| v.get_help());
        let what = help.map(ToString::to_string).unwrap_or_default();
        println!("  {:<12} {what}", row.name());
    }
    println!("columns:");
    for column in columns {
        println!("  {:<12} {:?}", column.name, column.kind);
    }
}
