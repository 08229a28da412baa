//! `kv`: a key-value server over TCP, on desktops and in WASI modules.
//! `server.rs` is the program; this opens its door. The door to a UART is
//! `examples/bare/src/bin/kv.rs`.

mod server;
mod tcp;

fn main() -> std::process::ExitCode {
    tcp::main()
}
