//! Where the application is shown: how it is built and started on each of the three machines.
//!
//! To move the application or to change a board, change the constants and [`STAGES`] only.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo_build::Build;
use crate::platforms::MPS2_AN386;
use crate::setup::{Need, Outcome};

/// The folder of the application where there are sockets.
const KV: &str = "examples/kv";

/// The folder of the application for a microcontroller, which may have a linker script of its own.
const KV_BARE: &str = "examples/bare";

/// What builds it.
const BUILD: &[&str] = &["--release", "--bin", "kv"];

/// One machine.
#[derive(Debug)]
pub struct Stage {
    /// The head of its column.
    pub name: &'static str,
    /// Its name on the command line.
    pub platform: &'static str,
    directory: &'static str,
    target: Option<&'static str>,
    build: &'static [&'static str],
    start: Start,
}

/// How the application is started so that a client reaches it at a TCP port of this machine.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// The address to listen at is the program's argument.
    Native,
    /// The same, in a component that may use the network.
    Wasmtime,
    /// The board's UART is the other end of a connection that QEMU listens for. The board starts
    /// when the client is there, so that no greeting is lost.
    Uart { board: &'static [&'static str] },
}

/// How many clients can talk to a stage at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// A UART has two ends.
    One,
    /// A listening socket.
    Many,
}

/// The three machines, in the order of the columns.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "native",
        platform: "native",
        directory: KV,
        target: None,
        build: BUILD,
        start: Start::Native,
    },
    Stage {
        name: "WASI 0.2 under wasmtime",
        platform: "wasip2",
        directory: KV,
        target: Some("wasm32-wasip2"),
        build: BUILD,
        start: Start::Wasmtime,
    },
    Stage {
        name: "Cortex-M4 under QEMU (UART)",
        platform: "thumbv7em",
        directory: KV_BARE,
        target: Some("thumbv7em-none-eabihf"),
        build: BUILD,
        start: Start::Uart { board: MPS2_AN386 },
    },
];

impl Stage {
    /// What must be on the machine.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = self.target.map(Need::Target).into_iter().collect();
        match self.start {
            Start::Native => {}
            Start::Wasmtime => needs.push(Need::Wasmtime),
            Start::Uart { .. } => needs.push(Need::QemuArm),
        }
        needs
    }

    /// How many clients can talk to it at once.
    pub fn connections(&self) -> Connections {
        match self.start {
            Start::Native | Start::Wasmtime => Connections::Many,
            Start::Uart { .. } => Connections::One,
        }
    }

    /// How cargo builds its program.
    pub fn build(&self) -> Build {
        Build::new(self.directory, self.target, self.build)
    }

    /// The command that starts `program` so that a client reaches it at `address`.
    ///
    /// # Errors
    /// When the engine cannot be had.
    pub fn command(
        &self,
        machine: &Outcome,
        program: &Path,
        address: SocketAddr,
    ) -> Result<Command> {
        Ok(match self.start {
            Start::Native => {
                let mut command = Command::new(program);
                command.arg(address.to_string());
                command
            }
            Start::Wasmtime => {
                let mut command = Command::new(machine.path(Need::Wasmtime)?);
                command
                    .args(["run", "-S", "inherit-network"])
                    .arg(program)
                    .arg(address.to_string());
                command
            }
            Start::Uart { board } => {
                let mut command = Command::new(machine.path(Need::QemuArm)?);
                command
                    .args(board)
                    .args(["-display", "none", "-monitor", "none"])
                    .args(["-serial", &format!("tcp:{address},server=on,wait=on,nodelay=on")])
                    .args(["-semihosting-config", "enable=on,target=native"])
                    .arg("-kernel")
                    .arg(program);
                command
            }
        })
    }
}

/// A port of this machine that is free now.
///
/// # Errors
/// When the system gives none.
pub fn free_address() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("find a free TCP port on the loopback")
}
