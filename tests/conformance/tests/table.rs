//! `cargo test`: the same table as the program prints, and fails as it does.

#[path = "../src/main.rs"]
mod runner;

fn main() -> std::process::ExitCode {
    runner::main()
}
