//! `cargo +nightly fuzz run pull_reader`: see `molen_fuzz::pull_reader`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| molen_fuzz::pull_reader::check(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!(
        "built without a fuzzer: cargo +nightly fuzz run pull_reader, or cargo run -- --only pull_reader"
    );
}
