//! What arbitrary bytes do to Molen, one module for each target.
//!
//! Each has one function, `check(data: &[u8])`, which reads a program out of
//! the bytes, runs it beside a model that is written in the plainest way, and
//! panics where they differ. `cargo run --release`, on stable and in `cargo
//! xtask test`, does that for some seconds each, from the corpus and by mutations
//! that a seed decides; libFuzzer, on nightly and with a C++ compiler, is led by
//! what code an input reaches. From the repository's root:
//!
//! ```sh
//! cargo install cargo-fuzz
//! mkdir -p target/fuzz/transport
//! cargo +nightly fuzz run transport target/fuzz/transport fuzz/corpus/transport -- \
//!     -max_total_time=240 -max_len=2000
//! ```
//!
//! New inputs go to the first folder, failing ones to `fuzz/artifacts`; `cargo run
//! --release -- --only transport FILE` runs one again, on stable. Of the new ones
//! the few that together reach what all of them do become part of the corpus
//! (`found-…`):
//!
//! ```sh
//! mkdir -p target/fuzz/few
//! cargo +nightly fuzz run transport target/fuzz/few fuzz/corpus/transport \
//!     target/fuzz/transport -- -set_cover_merge=1 -use_counters=0
//! ```
//!
//! | target | what | beside |
//! |---|---|---|
//! | `read_until` | `StreamReader`: until, line, exactly, some; limits, several separators | a vector |
//! | `pull_reader` | the same of a `PullReader`, whose reads go on where they stopped | a vector |
//! | `water_marks` | flow control of a transport over a source that takes so much | three numbers |
//! | `transport` | a connection over a faulty wire, all calls of its user and its peer | what a protocol may see |
//! | `tls_record` | the records of a TLS peer, cut, changed, doubled, of both sides | one loss, or a typed error |
//!
//! To add one: a module with `check`, its line in [`TARGETS`], a file in
//! `fuzz_targets` with its `[[bin]]`, and an input or two in `corpus/NAME`.

pub mod pull_reader;
pub mod read_until;
pub mod tls_record;
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
    Target { name: "tls_record", check: tls_record::check },
];
