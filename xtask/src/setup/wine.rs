//! Wine, which runs Windows programs.
//!
//! Programs run in a *prefix* of their own, a folder that is their drive C: and their registry. It
//! is part of the target folder, so that nothing of a user's own Wine is touched and two checkouts
//! do not meet. Making one takes some 15 s; the file [`READY`] in it says that it is complete.
//!
//! Wine before 9 lacks `bcryptprimitives.dll`, from which Rust's `std` takes its random numbers.
//! Where Wine has none, a DLL of that name and of one function is compiled and put in its place.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::{debian, mingw, step};
use crate::process;
use crate::workspace::{self, QUESTION_LIMIT};

/// The oldest major version whose sockets mio's polling is known to work with.
const OLDEST: u32 = 8;

/// Debian's package; 64 bits are enough, and the font and menu packages that it suggests are not wanted.
const PACKAGES: [&str; 1] = ["wine64"];

/// Making a prefix must not take longer than this.
const PREFIX_LIMIT: Duration = Duration::from_secs(300);

/// Says that a prefix is complete.
const READY: &str = "molen-ready";

/// Where Rust's `std` takes its random numbers from.
const RANDOM: &str = "bcryptprimitives.dll";

/// The one function of [`RANDOM`], by what all versions of Windows and Wine have.
const RANDOM_SOURCE: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) {
    return SystemFunction036(buffer, (ULONG)length);
}
";

/// A new enough Wine, if its prefix is ready too.
pub fn find() -> Option<PathBuf> {
    let wine = program()?;
    prefix().ok()?.join(READY).is_file().then_some(wine)
}

/// The program alone: the one that `WINE` names, else one in `PATH`, else Debian's, which keeps
/// the 64-bit one out of `PATH`.
fn program() -> Option<PathBuf> {
    let named = env::var_os("WINE").filter(|name| !name.is_empty()).map(PathBuf::from);
    let known = ["wine64", "/usr/lib/wine/wine64", "wine"].map(|name| Some(PathBuf::from(name)));
    [named]
        .into_iter()
        .chain(known)
        .flatten()
        .find(|program| major_version(program).is_some_and(|major| major >= OLDEST))
}

fn major_version(program: &Path) -> Option<u32> {
    let said = process::capture(Command::new(program).arg("--version"), QUESTION_LIMIT).ok()?;
    parse_major(&said.require_success().ok()?)
}

/// `wine-8.0 (Debian 8.0~repack-4)` → 8.
fn parse_major(said: &str) -> Option<u32> {
    said.strip_prefix("wine-")?.split(['.', ' ', '-']).next()?.trim().parse().ok()
}

/// The folder of our prefix.
fn prefix() -> Result<PathBuf> {
    Ok(workspace::target_directory()?.join("wine"))
}

/// The command that starts `wine` on our prefix, without Wine's own remarks on what it lacks.
///
/// # Errors
/// When the target folder is not known.
pub fn command(wine: &Path) -> Result<Command> {
    let mut command = Command::new(wine);
    command.envs(environment()?);
    Ok(command)
}

/// What a Windows program is started with, by whomever.
///
/// # Errors
/// When the target folder is not known.
pub fn environment() -> Result<[(&'static str, PathBuf); 3]> {
    Ok([
        ("WINEPREFIX", prefix()?),
        ("WINEDEBUG", "-all".into()),
        // Offers to install Mono and Gecko, and desktop menus, are for people with a screen.
        ("WINEDLLOVERRIDES", "mscoree,mshtml,winemenubuilder.exe=".into()),
    ])
}

/// Ends every Windows program that runs in our prefix. Those that a program of ours started are no
/// members of its process group, because Wine's own server starts them.
///
/// # Errors
/// When Wine cannot be started.
pub fn end_all(wine: &Path) -> Result<()> {
    process::capture(command(wine)?.args(["wineboot", "--kill"]), QUESTION_LIMIT)?;
    Ok(())
}

/// Installs Wine where there is none, and makes the prefix.
///
/// # Errors
/// When that cannot be had; says how to get it by hand.
pub fn get() -> Result<PathBuf> {
    let wine = match program() {
        Some(wine) => wine,
        None => install()?,
    };
    make_prefix(&wine).context("make a folder for Windows programs under Wine")?;
    Ok(wine)
}

fn install() -> Result<PathBuf> {
    step("installing Wine, which runs the Windows programs");
    debian::install(&PACKAGES)
        .and_then(|()| {
            program().ok_or_else(|| {
                anyhow!("no Wine of version {OLDEST} or newer is found after the package was installed")
            })
        })
        .with_context(|| {
            format!(
                "get Wine {OLDEST} or newer; by hand: `apt-get install {}` on Debian and its kin, else from \
                 winehq.org, in PATH or named by WINE",
                PACKAGES.join(" ")
            )
        })
}

fn make_prefix(wine: &Path) -> Result<()> {
    let prefix = prefix()?;
    step(&format!("making {}, in which Windows programs run (about 15 s)", prefix.display()));
    fs::create_dir_all(&prefix).with_context(|| format!("make the folder {}", prefix.display()))?;
    process::capture(command(wine)?.args(["wineboot", "--init"]), PREFIX_LIMIT)?
        .require_success()?;
    let random = prefix.join("drive_c/windows/system32").join(RANDOM);
    if !random.exists() {
        compile_random(&random)?;
    }
    let ready = prefix.join(READY);
    fs::write(&ready, "").with_context(|| format!("write {}", ready.display()))
}

fn compile_random(place: &Path) -> Result<()> {
    step(&format!(
        "compiling {RANDOM} of one function, which this Wine lacks and Rust's std wants"
    ));
    let gcc = mingw::find().context("there is no MinGW-w64 to compile it with")?;
    let scratch = tempfile::tempdir().context("make a scratch folder")?;
    let source = scratch.path().join("random.c");
    fs::write(&source, RANDOM_SOURCE).with_context(|| format!("write {}", source.display()))?;
    let mut command = Command::new(gcc);
    command.args(["-O2", "-shared", "-o"]).arg(place).arg(source).arg("-ladvapi32");
    process::capture(&mut command, QUESTION_LIMIT)?.require_success()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_major("wine-8.0 (Debian 8.0~repack-4)\n"), Some(8));
        assert_eq!(parse_major("wine-10.0\n"), Some(10));
        assert_eq!(parse_major("wine-9.0-rc1\n"), Some(9));
        assert_eq!(parse_major("it looks like wine32 is missing"), None);
    }
}
