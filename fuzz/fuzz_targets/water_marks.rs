//! `cargo +nightly fuzz run water_marks`: see `molen_fuzz::water_marks`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| molen_fuzz::water_marks::check(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!(
        "built without a fuzzer: cargo +nightly fuzz run water_marks, or cargo run -- --only water_marks"
    );
}
