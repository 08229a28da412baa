//! `cargo +nightly fuzz run read_until`: see `molen_fuzz::read_until`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| molen_fuzz::read_until::check(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!(
        "built without a fuzzer: cargo +nightly fuzz run read_until, or cargo run -- --only read_until"
    );
}
