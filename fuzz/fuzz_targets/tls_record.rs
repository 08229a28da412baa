//! `cargo +nightly fuzz run tls_record`: see `molen_fuzz::tls_record`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| molen_fuzz::tls_record::check(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!(
        "built without a fuzzer: cargo +nightly fuzz run tls_record, or cargo run -- --only tls_record"
    );
}
