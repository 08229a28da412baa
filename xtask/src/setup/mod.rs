//! Makes a machine ready: target libraries, wasmtime, QEMU, Wine, programs to test beside.
//!
//! What a command needs is a set of [`Need`]s. [`ensure`] looks first, which takes a fraction of a
//! second, and only for what is missing takes the machine-wide lock, looks again (another run may
//! just have installed it) and gets it:
//!
//! ```text
//!  looked for ──there──────────────────────────────────────────► ready
//!      │ missing
//!      ▼
//!  lock ─► looked for again ──there────────────────────────────► ready
//!              │ missing
//!              ▼
//!          got: rustup, or built from sources │ cargo install │ apt-get
//!              │                         └─it works when looked at─► ready
//!              ▼
//!          cannot be had: what, why, and how to get it by hand
//! ```
//!
//! One thing that cannot be had does not keep the others from being got: each need has its own
//! outcome, so that `cargo xtask test` can still run the platforms that are ready.

mod archive;
mod bench_peers;
mod debian;
pub mod foreign;
mod library_source;
mod lock;
mod mingw;
mod qemu;
mod target_library;
mod wasi_libc;
mod wasmtime;
pub mod wine;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

pub use target_library::TARGETS;

use crate::workspace::Compiler;

/// Makes this machine ready: target libraries, wasmtime, QEMU, MinGW-w64, Wine, and the programs
/// that the examples are tested beside.
///
/// Does only what is missing, says what and why, and can be repeated at any time.
///
/// Target libraries come from rustup if it answers; else they are built from the compiler's own
/// library sources (MOLEN_RUST_LIBRARY names rust-library-VERSION.tar.xz, or that file is in
/// `offline/` or `shared/offline/` beside the checkout or above it, or Debian's rust-src), for
/// WASI with wasi-libc (MOLEN_WASI_LIBC names wasi-libc-DATE.tar.xz, or the same places, or
/// Debian's). WASMTIME names a wasmtime to use, WINE a Wine.
#[derive(clap::Args)]
pub struct Arguments {
    /// Make ready for this target only, with the engine it runs on; may be repeated.
    #[arg(long = "target", value_name = "TARGET", value_parser = target_library::names())]
    targets: Vec<String>,
    /// Build target libraries from sources without asking rustup for them.
    #[arg(long)]
    from_source: bool,
    /// Make ready for the programs in benches/ only: libuv and strace.
    #[arg(long, conflicts_with_all = ["targets", "from_source"])]
    bench_peers: bool,
}

/// Something that must be on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The standard library of a target.
    Target(&'static str),
    /// `wasmtime`, which runs WASI modules and components.
    Wasmtime,
    /// `qemu-system-arm`.
    QemuArm,
    /// `qemu-system-riscv32`.
    QemuRiscv32,
    /// The GNU tools that link programs for Windows.
    Mingw,
    /// Wine, which runs them, with a folder for them.
    Wine,
    /// libuv, a column of the benches.
    Libuv,
    /// `strace`, which counts system calls for the benches.
    Strace,
    /// A program that an example is tested beside.
    Foreign(&'static str),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => write!(f, "standard library of {target}"),
            Self::Wasmtime => f.write_str("wasmtime"),
            Self::QemuArm => f.write_str("qemu-system-arm"),
            Self::QemuRiscv32 => f.write_str("qemu-system-riscv32"),
            Self::Mingw => f.write_str("MinGW-w64"),
            Self::Wine => f.write_str("Wine"),
            Self::Libuv => f.write_str("libuv"),
            Self::Strace => f.write_str("strace"),
            Self::Foreign(name) => f.write_str(name),
        }
    }
}

/// Where target libraries may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryOrigin {
    /// rustup if it answers, else sources.
    RustupOrSources,
    /// Sources only.
    Sources,
}

/// What came of each need: where it is, or why it cannot be had.
#[derive(Debug, Default)]
pub struct Outcome {
    ready: BTreeMap<Need, PathBuf>,
    missing: BTreeMap<Need, String>,
}

impl Outcome {
    /// The program or folder that answers `need`.
    ///
    /// # Errors
    /// When it could not be had; with the reason.
    pub fn path(&self, need: Need) -> Result<&PathBuf> {
        self.ready.get(&need).ok_or_else(|| match self.missing.get(&need) {
            Some(why) => anyhow::anyhow!("{need} cannot be had: {why}"),
            None => anyhow::anyhow!("{need} was not asked for before it was used"),
        })
    }
}

/// `cargo xtask setup`.
///
/// # Errors
/// When the compiler cannot be asked about itself or the lock not be taken.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut needs: Vec<Need> = Vec::new();
    if arguments.bench_peers {
        needs.extend([Need::Libuv, Need::Strace]);
    }
    for target in TARGETS {
        let wanted = if arguments.bench_peers {
            false
        } else if arguments.targets.is_empty() {
            target.is_default()
        } else {
            arguments.targets.iter().any(|name| name == target.name)
        };
        if wanted {
            needs.push(Need::Target(target.name));
            needs.extend(target.engines);
        }
    }
    if arguments.targets.is_empty() {
        needs.extend(foreign::names().map(Need::Foreign));
    }
    let origin =
        if arguments.from_source { LibraryOrigin::Sources } else { LibraryOrigin::RustupOrSources };
    let outcome = ensure(&needs, origin)?;
    for (need, path) in &outcome.ready {
        println!("ready: {need} ({})", path.display());
    }
    for (need, why) in &outcome.missing {
        println!("MISSING: {need}: {why}");
    }
    Ok(if outcome.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes sure that each of `needs` is on the machine.
///
/// # Errors
/// When the compiler cannot be asked about itself or the lock not be taken. What cannot be had is
/// in the answer.
pub fn ensure(needs: &[Need], origin: LibraryOrigin) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    if needs.is_empty() {
        return Ok(outcome);
    }
    let compiler = Compiler::ask()?;
    let absent = look_for(needs, &compiler, &mut outcome);
    if absent.is_empty() {
        return Ok(outcome);
    }
    let _lock = lock::take()?;
    let absent = look_for(&absent, &compiler, &mut outcome);
    let targets: Vec<&'static str> = absent
        .iter()
        .filter_map(|need| match need {
            Need::Target(target) => Some(*target),
            _ => None,
        })
        .collect();
    // Engines first: they take the longest on the network, and a platform is of no use without.
    let mut got: Vec<(Need, Result<PathBuf>)> = qemu::get(&absent);
    if absent.contains(&Need::Wasmtime) {
        got.push((Need::Wasmtime, wasmtime::get()));
    }
    // MinGW before what is built with it: Windows' standard library, and a DLL for Wine.
    if absent.contains(&Need::Mingw) {
        got.push((Need::Mingw, mingw::get()));
    }
    if absent.contains(&Need::Wine) {
        got.push((Need::Wine, wine::get()));
    }
    got.extend(bench_peers::get(&absent));
    let programs: Vec<&'static str> = absent
        .iter()
        .filter_map(|need| match need {
            Need::Foreign(name) => Some(*name),
            _ => None,
        })
        .collect();
    for (name, result) in foreign::get(&programs) {
        got.push((Need::Foreign(name), result));
    }
    for (target, result) in target_library::get(&targets, &compiler, origin) {
        got.push((Need::Target(target), result));
    }
    for (need, result) in got {
        match result {
            Ok(path) => {
                outcome.ready.insert(need, path);
            }
            Err(error) => {
                step(&format!("could not get {need}: {error:#}"));
                outcome.missing.insert(need, format!("{error:#}"));
            }
        }
    }
    Ok(outcome)
}

/// Notes what is there and returns what is not.
fn look_for(needs: &[Need], compiler: &Compiler, outcome: &mut Outcome) -> Vec<Need> {
    let mut absent = Vec::new();
    for &need in needs {
        let found = match need {
            Need::Target(target) => target_library::find(target, compiler),
            Need::Wasmtime => wasmtime::find(),
            Need::QemuArm | Need::QemuRiscv32 => qemu::find(need),
            Need::Mingw => mingw::find(),
            Need::Wine => wine::find(),
            Need::Libuv | Need::Strace => bench_peers::find(need),
            Need::Foreign(name) => foreign::find(name),
        };
        match found {
            Some(path) => {
                outcome.ready.insert(need, path);
            }
            None if absent.contains(&need) => {}
            None => absent.push(need),
        }
    }
    absent
}

/// Says on standard error what is being done, and why.
fn step(what: &str) {
    eprintln!("setup: {what}");
}
