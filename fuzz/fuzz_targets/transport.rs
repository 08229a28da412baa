//! `cargo +nightly fuzz run transport`: see `molen_fuzz::transport`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| molen_fuzz::transport::check(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!(
        "built without a fuzzer: cargo +nightly fuzz run transport, or cargo run -- --only transport"
    );
}
