//! Bytes that nobody would send never do more than end a TLS connection.
#![cfg(all(any(target_os = "linux", windows), feature = "tls-ring"))]

#[path = "local/tls_record.rs"]
mod entry;

use entry::tls_record;
use proptest::prelude::*;

#[test]
fn an_unchanged_conversation_is_none_of_them() {
    for first in 0..4 {
        assert!(tls_record(&[first]) > Some(0), "nothing came through");
    }
}

#[test]
fn one_changed_bit_of_the_first_record_is_one_of_them() {
    // The first record's middle; an engine that did not look would go on.
    for first in 0..2 {
        assert_eq!(tls_record(&[first, 0, 128, 1]), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn changed_records_end_the_connection(data in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = tls_record(&data);
    }
}
