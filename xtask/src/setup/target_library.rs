//! The standard library of each target, in the compiler's sysroot.
//!
//! rustup delivers them ready-made. Where its server does not answer, the installed compiler can
//! build them, since it lacks nothing but these libraries: an empty crate is built with
//! `-Zbuild-std`, and the rlibs of that build are what rustup would have brought. From then on
//! plain stable `cargo build --target …` works; nothing else in the project uses unstable flags.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::builder::PossibleValuesParser;

use super::library_source::{self, remove_folder};
use super::wasi_libc::WasiLibc;
use super::{LibraryOrigin, Need, step};
use crate::process;
use crate::workspace::{self, Compiler};

/// After this rustup is taken for unreachable.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// A target that can be set up.
#[derive(Debug)]
pub struct Target {
    /// Its triple.
    pub name: &'static str,
    /// What links and runs its programs.
    pub engines: &'static [Need],
    /// The libraries it has.
    libraries: Libraries,
}

/// What a target's standard library consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Libraries {
    /// `core` and `alloc`, with the memory functions that no libc provides.
    Bare,
    /// All of `std` on wasi-libc, and libtest.
    Wasi,
    /// All of `std` with unwinding, libtest, and what procedural macros are built from.
    Hosted,
    /// The same, but not optimised: programs are checked against it, and never linked with it.
    Checked,
}

/// What `-Zbuild-std` builds of a hosted library.
const HOSTED: &str = "-Zbuild-std=std,panic_unwind,panic_abort,test,proc_macro";

/// All targets, in the order of the platforms.
pub const TARGETS: &[Target] = &[
    Target { name: "wasm32-wasip1", engines: &[Need::Wasmtime], libraries: Libraries::Wasi },
    Target { name: "wasm32-wasip2", engines: &[Need::Wasmtime], libraries: Libraries::Wasi },
    Target { name: "thumbv7em-none-eabihf", engines: &[Need::QemuArm], libraries: Libraries::Bare },
    Target { name: "thumbv6m-none-eabi", engines: &[Need::QemuArm], libraries: Libraries::Bare },
    Target {
        name: "riscv32imac-unknown-none-elf",
        engines: &[Need::QemuRiscv32],
        libraries: Libraries::Bare,
    },
    Target {
        name: "x86_64-pc-windows-gnu",
        engines: &[Need::Mingw, Need::Wine],
        libraries: Libraries::Hosted,
    },
    Target { name: "x86_64-apple-darwin", engines: &[], libraries: Libraries::Checked },
    Target { name: "aarch64-apple-darwin", engines: &[], libraries: Libraries::Checked },
    Target { name: "x86_64-unknown-freebsd", engines: &[], libraries: Libraries::Checked },
    Target { name: "thumbv7m-none-eabi", engines: &[], libraries: Libraries::Bare },
    Target { name: "wasm32-unknown-unknown", engines: &[], libraries: Libraries::Bare },
];

impl Target {
    /// Whether it is set up when nobody says which: if programs run on it, or are checked for it.
    pub fn is_default(&self) -> bool {
        !self.engines.is_empty() || self.libraries == Libraries::Checked
    }
}

/// Accepts the names of the table.
pub fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(TARGETS.iter().map(|target| target.name))
}

/// The folder of a target whose libraries are complete.
pub fn find(target: &str, compiler: &Compiler) -> Option<PathBuf> {
    let target = TARGETS.iter().find(|known| known.name == target)?;
    let folder = compiler.target_folder(target.name).join("lib");
    let complete =
        has_core(&folder) && (target.libraries != Libraries::Wasi || has_wasi_libc(&folder));
    complete.then_some(folder)
}

fn has_core(folder: &Path) -> bool {
    folder.read_dir().is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with("libcore-") && name.ends_with(".rlib")
            })
        })
    })
}

fn has_wasi_libc(folder: &Path) -> bool {
    folder.join("self-contained/crt1-command.o").is_file()
}

/// Gets the libraries of `targets`, each with its own outcome.
pub fn get(
    targets: &[&'static str],
    compiler: &Compiler,
    origin: LibraryOrigin,
) -> Vec<(&'static str, Result<PathBuf>)> {
    if targets.is_empty() {
        return Vec::new();
    }
    if origin == LibraryOrigin::RustupOrSources
        && let Err(error) = from_rustup(targets)
    {
        step(&format!(
            "rustup does not deliver, so the libraries are built from sources: {error:#}"
        ));
    }
    let mut sources = Prepared::default();
    targets
        .iter()
        .map(|&name| {
            let result = match find(name, compiler) {
                Some(path) => Ok(path),
                None => sources.build(name, compiler),
            };
            (name, result)
        })
        .collect()
}

fn from_rustup(targets: &[&str]) -> Result<()> {
    step(&format!("asking rustup for the standard libraries of {}", targets.join(", ")));
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add"])
        .args(targets)
        .current_dir(workspace::root())
        // Two tries tell an unreachable server from a lost packet; the default's many do not.
        .env("RUSTUP_MAX_RETRIES", "1");
    process::capture(&mut rustup, RUSTUP_LIMIT)?.require_success()?;
    Ok(())
}

/// What the builds of several targets share, got when the first of them needs it.
#[derive(Default)]
struct Prepared {
    sources: Option<Result<(), String>>,
    wasi_libc: Option<Result<WasiLibc, String>>,
}

impl Prepared {
    fn build(&mut self, name: &str, compiler: &Compiler) -> Result<PathBuf> {
        let target =
            TARGETS.iter().find(|known| known.name == name).context("not a target of the table")?;
        let folder = compiler.target_folder(name);
        let place = folder.join("lib");
        if has_core(&place) {
            step(&format!(
                "{name} has Rust's libraries but no wasi-libc, which its programs are linked with"
            ));
            self.wasi_libc()?.install(name, &place.join("self-contained"))?;
            return find(name, compiler)
                .context("it is still incomplete after wasi-libc was added");
        }
        self.sources(compiler)?;
        let began = Instant::now();
        step(&format!("building the standard library of {name} (15 to 60 s on two cores)"));
        let fresh = folder.join("lib.new");
        remove_folder(&fresh)?;
        fs::create_dir_all(&fresh)
            .with_context(|| format!("make the folder {}", fresh.display()))?;
        build_libraries(target, &fresh)?;
        if target.libraries == Libraries::Wasi {
            self.wasi_libc()?.install(name, &fresh.join("self-contained"))?;
        }
        // A compiler that finds libraries of two builds side by side refuses both, so the folder
        // is replaced as a whole, and what was built against the old one goes with it.
        remove_folder(&place)?;
        fs::rename(&fresh, &place)
            .with_context(|| format!("move the libraries to {}", place.display()))?;
        let stale = workspace::target_directory()?.join(name);
        if stale.exists() {
            step(&format!("removing {}, which was built against another library", stale.display()));
            remove_folder(&stale)?;
        }
        step(&format!(
            "built the standard library of {name} in {:.0} s",
            began.elapsed().as_secs_f32()
        ));
        find(name, compiler)
            .with_context(|| format!("the build of {name} brought no complete library"))
    }

    fn sources(&mut self, compiler: &Compiler) -> Result<()> {
        self.sources
            .get_or_insert_with(|| {
                library_source::ensure(compiler).map_err(|error| format!("{error:#}"))
            })
            .clone()
            .map_err(|error| anyhow!(error))
    }

    fn wasi_libc(&mut self) -> Result<&WasiLibc> {
        self.wasi_libc
            .get_or_insert_with(|| WasiLibc::get().map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!(error.clone()))
    }
}

/// The name of the empty crate, whose own rlib is no part of a library.
const SEED: &str = "molen_sysroot_seed";

/// A profile by its name, and the folder where cargo puts what it builds by it.
struct Profile {
    option: &'static str,
    folder: &'static str,
}

/// Builds an empty crate with the libraries of `target` and copies these to `place`.
fn build_libraries(target: &Target, place: &Path) -> Result<()> {
    // Outside the checkout: a workspace or a .cargo/config.toml above it would take part.
    let scratch = tempfile::tempdir().context("make a scratch folder")?;
    let crate_folder = scratch.path();
    let manifest = format!(
        "[package]\nname = \"{SEED}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n"
    );
    fs::write(crate_folder.join("Cargo.toml"), manifest).context("write the empty crate")?;
    fs::write(crate_folder.join("lib.rs"), "#![no_std]\n").context("write the empty crate")?;
    let mut cargo = Command::new("cargo");
    let profile = match target.libraries {
        Libraries::Checked => Profile { option: "dev", folder: "debug" },
        Libraries::Bare | Libraries::Wasi | Libraries::Hosted => {
            Profile { option: "release", folder: "release" }
        }
    };
    cargo.current_dir(crate_folder);
    cargo.args(["build", "--profile", profile.option, "--target", target.name]);
    match target.libraries {
        Libraries::Bare => cargo
            .arg("-Zbuild-std=core,alloc,panic_abort")
            .arg("-Zbuild-std-features=compiler-builtins-mem"),
        Libraries::Wasi => cargo.arg("-Zbuild-std=std,panic_abort,test"),
        Libraries::Hosted | Libraries::Checked => cargo.arg(HOSTED),
    };
    // What the caller has set for its own build must not change this one.
    for variable in
        ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS", "RUSTC_WRAPPER"]
    {
        cargo.env_remove(variable);
    }
    cargo
        .env("CARGO_TARGET_DIR", crate_folder.join("target"))
        // Lets stable cargo know -Z for this one build.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        // Without bitcode in the libraries a program with LTO fails: "Can't find section .llvmbc".
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    let doing = format!("build the standard library of {} from sources", target.name);
    process::run_streamed(&mut cargo, &doing)?;
    let built = crate_folder.join("target").join(target.name).join(profile.folder).join("deps");
    let mut copied = 0;
    for entry in
        fs::read_dir(&built).with_context(|| format!("{doing}: read {}", built.display()))?
    {
        let path = entry.with_context(|| format!("{doing}: read {}", built.display()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".rlib") && !name.starts_with(&format!("lib{SEED}")) {
            fs::copy(&path, place.join(name)).with_context(|| format!("{doing}: copy {name}"))?;
            copied += 1;
        }
    }
    if copied == 0 {
        bail!("{doing}: cargo left no rlib in {}", built.display());
    }
    Ok(())
}
