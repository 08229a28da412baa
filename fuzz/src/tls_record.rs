//! TLS under records that are cut, changed, doubled and slipped in between
//! those of a true peer. std-backend's tests run the same function.
//!
//! The keys differ from run to run: what a seed does to the records it does
//! again, but to other bytes.

#[path = "../../std-backend/tests/local/tls_record.rs"]
mod entry;

/// Runs a handshake and a conversation that `data` disturbs.
pub fn check(data: &[u8]) {
    let _ = entry::tls_record(data);
}
