//! What cases about streams work with.

use crate::case::Failure;
use crate::wire::wake;
use molen::io::source::SourceError;
use molen::net::{ConnectionError, ReadError};
use molen::testing::FaultSource;
use std::vec::Vec;

pub(super) const RESET: ConnectionError = ConnectionError::Source(SourceError::ConnectionReset);

/// What a read ended with, without its bytes.
pub(super) fn error_of<T>(
    result: Result<T, ReadError<Vec<u8>>>,
) -> Result<ReadError<Vec<u8>>, Failure> {
    result.err().ok_or_else(|| Failure::said("a read did not fail"))
}

/// Feeds the reader one piece after the other, with a batch in between.
pub(super) async fn feed(reader: &FaultSource, count: usize) {
    for _ in 0..count {
        wake(reader).await;
    }
}
