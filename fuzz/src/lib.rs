//! What arbitrary bytes do to Molen, one module for each target.
//!
//! Each has one function, `check(data: &[u8])`, which reads a program out of
//! the bytes, runs it beside a model that is written in the plainest way, and
//! panics where they differ. Who has nightly and cargo-fuzz runs
//! `cargo +nightly fuzz run NAME`; `cargo run --release`, on stable and in
//! `cargo xtask test`, does the same for some seconds each, from the corpus and
//! by mutations that a seed decides.
//!
//! | target | what | beside |
//! |---|---|---|
//! | `read_until` | `StreamReader`: until, line, exactly, some; limits, several separators | a vector |
//! | `pull_reader` | the same of a `PullReader`, whose reads go on where they stopped | a vector |
//! | `water_marks` | flow control of a transport over a source that takes so much | three numbers |
//! | `transport` | a connection over a faulty wire, all calls of its user and its peer | what a protocol may see |
//!
//! To add one: a module with `check`, its line in [`TARGETS`], a file in
//! `fuzz_targets` with its `[[bin]]`, and an input or two in `corpus/NAME`.

pub mod pull_reader;
pub mod read_until;
pub mod transport;
pub mod water_marks;

mod separators;

/// One thing to check.
pub struct Target {
    /// Its name, which is that of its corpus as well.
    pub name: &'static str,
    /// Panics where something is wrong.
    pub check: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "read_until", check: read_until::check },
    Target { name: "pull_reader", check: pull_reader::check },
    Target { name: "water_marks", check: water_marks::check },
    Target { name: "transport", check: transport::check },
];
