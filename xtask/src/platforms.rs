//! The platforms: what is built for each, what it needs, and how it is started. All in one table.
//!
//! To add a platform or to change a board, a profile or a time limit, change [`PLATFORMS`] only.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::cargo_build::Build;
use crate::setup::{Need, Outcome, wine};
use crate::workspace;

/// The package whose program runs the cases on machines that have `std`.
const CONFORMANCE: &str = "tests/conformance";

/// The package whose program runs the cases on bare metal.
const CONFORMANCE_BARE: &str = "tests/conformance-bare";

/// The scripted preview-1 host: a native program that runs a module on a host of every kind.
const WASI_HOST: &str = "tests/wasi-host";

/// A Cortex-M4 with FPU. `-icount` keeps the board's clock right when the host is busy: without it
/// SysTick loses the time that QEMU is held up for. One instruction is one nanosecond.
pub const MPS2_AN386: &[&str] = &["-M", "mps2-an386", "-icount", "shift=0"];

/// A Cortex-M3 that runs the programs of the smaller Cortex-M0, with the memory of its sister above:
/// the cases have outgrown the boards that are sold with a Cortex-M0.
const MPS2_AN385: &[&str] = &["-M", "mps2-an385", "-icount", "shift=0"];

/// A 32-bit RISC-V, without firmware.
pub const VIRT: &[&str] = &["-M", "virt", "-bios", "none"];

/// One platform.
#[derive(Debug)]
pub struct Platform {
    /// Its name on the command line and in the table.
    pub name: &'static str,
    /// Platforms of one suite have the same cases; a case that one of them lacks is a failure.
    pub suite: &'static str,
    /// The folder where cargo builds the runner.
    directory: &'static str,
    /// `None`: the machine itself.
    target: Option<&'static str>,
    /// What follows `cargo build --target …`.
    build: &'static [&'static str],
    /// How the runner is started.
    engine: Engine,
    /// Packages whose own tests run here too: those that have code of their own for it, and a
    /// few of the tools that people would use there.
    pub tested: &'static [&'static str],
    /// After this the run is ended and has failed.
    pub limit: Duration,
}

/// How a program of a platform is started.
#[derive(Debug, Clone, Copy)]
pub enum Engine {
    /// By itself.
    Native,
    /// `wasmtime run`, with these flags.
    Wasmtime(&'static [&'static str]),
    /// `qemu-system-arm`, with this machine and these flags.
    QemuArm(&'static [&'static str]),
    /// `qemu-system-riscv32`, with this machine and these flags.
    QemuRiscv32(&'static [&'static str]),
    /// `wine`.
    Wine,
    /// A native program that runs the module that this builds, its first argument, on many hosts.
    HostOf { directory: &'static str, target: &'static str, build: &'static [&'static str] },
}

/// Every platform, in the order of the table's columns.
pub const PLATFORMS: &[Platform] = &[
    Platform {
        name: "native",
        suite: "behaviours",
        directory: CONFORMANCE,
        target: None,
        build: &["--release"],
        engine: Engine::Native,
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "windows",
        suite: "behaviours",
        directory: CONFORMANCE,
        target: Some("x86_64-pc-windows-gnu"),
        build: &["--release"],
        engine: Engine::Wine,
        tested: &[
            "molen-std",
            "molen-example-chat",
            "molen-example-dns-relay",
            "molen-example-fetch",
            "molen-example-http-file-server",
        ],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "wasip1",
        suite: "behaviours",
        directory: CONFORMANCE,
        target: Some("wasm32-wasip1"),
        build: &["--release"],
        engine: Engine::Wasmtime(&[]),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "wasip2",
        suite: "behaviours",
        directory: CONFORMANCE,
        target: Some("wasm32-wasip2"),
        // With a heap, and still without threads; preview 1 has neither.
        build: &["--release", "--features", "alloc"],
        engine: Engine::Wasmtime(&["-S", "inherit-network,allow-ip-name-lookup"]),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "thumbv7em",
        suite: "behaviours",
        directory: CONFORMANCE_BARE,
        target: Some("thumbv7em-none-eabihf"),
        build: &["--release"],
        engine: Engine::QemuArm(MPS2_AN386),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "thumbv6m",
        suite: "behaviours",
        directory: CONFORMANCE_BARE,
        target: Some("thumbv6m-none-eabi"),
        build: &["--release"],
        engine: Engine::QemuArm(MPS2_AN385),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "riscv32",
        suite: "behaviours",
        directory: CONFORMANCE_BARE,
        target: Some("riscv32imac-unknown-none-elf"),
        build: &["--release"],
        engine: Engine::QemuRiscv32(VIRT),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    // The same cases in loops that can be observed: whatever holds without the feature holds with it.
    Platform {
        name: "native+trace",
        suite: "behaviours",
        directory: CONFORMANCE,
        target: None,
        build: &["--release", "--features", "trace"],
        engine: Engine::Native,
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "wasip1+trace",
        suite: "behaviours",
        directory: CONFORMANCE,
        target: Some("wasm32-wasip1"),
        build: &["--release", "--features", "trace"],
        engine: Engine::Wasmtime(&[]),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "thumbv7em+trace",
        suite: "behaviours",
        directory: CONFORMANCE_BARE,
        target: Some("thumbv7em-none-eabihf"),
        build: &["--release", "--features", "trace"],
        engine: Engine::QemuArm(MPS2_AN386),
        tested: &[],
        limit: Duration::from_secs(300),
    },
    Platform {
        name: "wasi-host",
        suite: "behaviours",
        directory: WASI_HOST,
        target: None,
        build: &["--release", "--bin", "every-lie"],
        engine: Engine::HostOf {
            directory: CONFORMANCE,
            target: "wasm32-wasip1",
            build: &["--release"],
        },
        tested: &[],
        limit: Duration::from_secs(300),
    },
];

impl Platform {
    /// What must be on the machine.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = self.target.map(Need::Target).into_iter().collect();
        needs.extend(self.engine.needs());
        needs
    }

    /// Builds the runner and returns the command that runs it with `filters`.
    ///
    /// # Errors
    /// When something that it needs cannot be had, or the build fails.
    pub fn prepare(&self, machine: &Outcome, filters: &[String]) -> Result<Command> {
        for need in self.needs() {
            machine.path(need)?;
        }
        let program = Build::new(self.directory, self.target, self.build).run()?;
        self.command(machine, &program, filters)
    }

    /// Whether its runner reports one run for each of several hosts.
    pub fn has_many_hosts(&self) -> bool {
        matches!(self.engine, Engine::HostOf { .. })
    }

    /// `cargo test` for [`tested`](Self::tested), here.
    ///
    /// # Errors
    /// When something that it needs cannot be had.
    pub fn cargo_test(&self, machine: &Outcome) -> Result<Command> {
        for need in self.needs() {
            machine.path(need)?;
        }
        let mut cargo = workspace::cargo();
        cargo.current_dir(workspace::root()).args(["test", "--no-fail-fast"]);
        for package in self.tested {
            cargo.args(["--package", package]);
        }
        if let (Some(target), Engine::Wine) = (self.target, self.engine) {
            cargo.args(["--target", target]).envs(wine::environment()?);
            let variable = target.to_uppercase().replace('-', "_");
            cargo.env(format!("CARGO_TARGET_{variable}_RUNNER"), machine.path(Need::Wine)?);
        }
        Ok(cargo)
    }

    /// Ends what a runner that had to be ended may have left running.
    pub fn end_leftovers(&self, machine: &Outcome) {
        if let (Engine::Wine, Ok(wine)) = (self.engine, machine.path(Need::Wine)) {
            // Without Wine nothing can be left.
            let _ = wine::end_all(wine);
        }
    }

    /// Whether it runs programs of `target`.
    pub fn runs_target(&self, target: &str) -> bool {
        self.target == Some(target)
    }

    /// The command that runs `program` here with `arguments`.
    ///
    /// # Errors
    /// When the engine cannot be had or a guest not be built.
    pub fn command(
        &self,
        machine: &Outcome,
        program: &Path,
        arguments: &[String],
    ) -> Result<Command> {
        self.engine.command(machine, program, arguments)
    }
}

impl Engine {
    /// What must be on the machine.
    pub fn needs(self) -> Vec<Need> {
        match self {
            Self::Native => Vec::new(),
            Self::Wasmtime(_) => vec![Need::Wasmtime],
            Self::QemuArm(_) => vec![Need::QemuArm],
            Self::QemuRiscv32(_) => vec![Need::QemuRiscv32],
            Self::Wine => vec![Need::Mingw, Need::Wine],
            Self::HostOf { target, .. } => vec![Need::Target(target)],
        }
    }

    /// The command that runs `program` with `arguments`.
    ///
    /// # Errors
    /// When the engine cannot be had or a guest not be built.
    pub fn command(
        self,
        machine: &Outcome,
        program: &Path,
        arguments: &[String],
    ) -> Result<Command> {
        Ok(match self {
            Self::Native => {
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
            Self::Wasmtime(flags) => {
                let mut command = Command::new(machine.path(Need::Wasmtime)?);
                command.arg("run").args(flags).arg(program).args(arguments);
                command
            }
            Self::QemuArm(board) => {
                let mut command = Command::new(machine.path(Need::QemuArm)?);
                command.args(board).arg("-nographic");
                with_semihosting(&mut command, program, arguments);
                command
            }
            Self::QemuRiscv32(board) => {
                let mut command = Command::new(machine.path(Need::QemuRiscv32)?);
                command.args(board).arg("-nographic");
                with_semihosting(&mut command, program, arguments);
                command
            }
            Self::Wine => {
                let mut command = wine::command(machine.path(Need::Wine)?)?;
                command.arg(program).args(arguments);
                command
            }
            Self::HostOf { directory, target, build } => {
                let guest = Build::new(directory, Some(target), build).run()?;
                let mut command = Command::new(program);
                command.arg(guest).args(arguments);
                command
            }
        })
    }
}

/// Adds the kernel and the semihosting command line, whose first word is a program's name, as
/// everywhere. QEMU splits the option at commas, so a comma in a word is doubled.
fn with_semihosting(command: &mut Command, program: &Path, arguments: &[String]) {
    let mut option = String::from("enable=on,target=native,arg=molen");
    for argument in arguments {
        option.push_str(",arg=");
        option.push_str(&argument.replace(',', ",,"));
    }
    command.arg("-semihosting-config").arg(option).arg("-kernel").arg(program);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn each_platform_has_a_name_of_its_own() {
        for (index, platform) in PLATFORMS.iter().enumerate() {
            assert!(
                PLATFORMS[..index].iter().all(|other| other.name != platform.name),
                "{}",
                platform.name
            );
        }
    }

    #[test]
    fn filters_reach_a_bare_metal_program_by_the_semihosting_command_line() {
        let mut command = Command::new("qemu");
        with_semihosting(&mut command, Path::new("a.elf"), &["call_soon".into(), "1,2".into()]);
        assert_eq!(
            process::show(&command),
            "qemu -semihosting-config enable=on,target=native,arg=molen,arg=call_soon,arg=1,,2 -kernel a.elf"
        );
    }
}
