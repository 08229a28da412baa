//! `kv`: a key-value server over TCP on desktops and in WASI modules, over a
//! UART on microcontrollers. `server.rs` is the program; this picks its door.

#![cfg_attr(target_os = "none", no_std, no_main)]

mod server;

#[cfg(target_os = "none")]
mod uart;

#[cfg(not(target_os = "none"))]
mod tcp;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    tcp::main()
}
