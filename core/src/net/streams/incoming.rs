//! Bytes that have come and were not read yet: where a line ends, what is too
//! long, and what an early end leaves.

use crate::io::source::SourceError;
use crate::net::error::ConnectionError;
use core::fmt;

/// How long a line may be, unless told otherwise, in bytes.
///
/// asyncio: 64 KiB.
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// Why a read did not bring what was asked for. `P` is what an early end
/// leaves: the bytes, or how many there are.
#[derive(Clone, Debug)]
pub enum ReadError<P> {
    /// The end came first.
    ///
    /// asyncio: `IncompleteReadError`.
    Incomplete {
        /// What came before the end.
        partial: P,
        /// How many bytes were asked for, if it was a number.
        expected: Option<usize>,
    },
    /// More came than the limit allows, with or without a separator.
    ///
    /// asyncio: `LimitOverrunError`; from `readline`, `ValueError`.
    LimitOverrun {
        /// Whether the separator is there, but too far away.
        found: bool,
        /// How many bytes come before the separator, or surely belong to what
        /// is read.
        consumed: usize,
    },
    /// There was no separator to look for, or an empty one.
    ///
    /// asyncio: `ValueError`.
    NoSeparator,
    /// The connection failed.
    Lost(ConnectionError),
}

impl<P> From<SourceError> for ReadError<P> {
    fn from(error: SourceError) -> ReadError<P> {
        ReadError::Lost(ConnectionError::Source(error))
    }
}

impl<P> fmt::Display for ReadError<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Incomplete { expected: Some(count), .. } => {
                write!(f, "the stream ended before {count} bytes had been read")
            }
            ReadError::Incomplete { .. } => f.write_str("the stream ended before a separator"),
            ReadError::LimitOverrun { found: true, consumed } => {
                write!(f, "the separator comes after {consumed} bytes, which is over the limit")
            }
            ReadError::LimitOverrun { consumed, .. } => {
                write!(f, "no separator in {consumed} bytes, which is over the limit")
            }
            ReadError::NoSeparator => f.write_str("cannot read until an empty separator"),
            ReadError::Lost(error) => error.fmt(f),
        }
    }
}

impl<P: fmt::Debug> core::error::Error for ReadError<P> {}

/// How far looking for separators has come.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Scan {
    /// No separator begins before this.
    offset: usize,
}

/// What looking for separators found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// What is read is so long, with the separator.
    Until(usize),
    /// Nothing yet.
    More,
    /// More came than the limit allows.
    Overrun { found: bool, consumed: usize },
}

impl Scan {
    /// Looks for the separator that ends first, in `data` from its beginning.
    ///
    /// Goes on where it stopped: each byte is looked at once, but for as many
    /// as the longest separator has.
    pub(crate) fn look(&mut self, data: &[u8], separators: &[&[u8]], limit: usize) -> Found {
        let longest = separators.iter().map(|separator| separator.len()).max().unwrap_or(0);
        let shortest = separators.iter().map(|separator| separator.len()).min().unwrap_or(0);
        if data.len() < self.offset + shortest {
            return Found::More;
        }
        let ends = separators.iter().filter_map(|separator| {
            let start = self.offset + find(&data[self.offset..], separator)?;
            Some((start + separator.len(), start))
        });
        if let Some((end, start)) = ends.min() {
            return match start > limit {
                true => Found::Overrun { found: true, consumed: start },
                false => Found::Until(end),
            };
        }
        self.offset = (data.len() + 1).saturating_sub(longest).max(self.offset);
        match self.offset > limit {
            true => Found::Overrun { found: false, consumed: self.offset },
            false => Found::More,
        }
    }
}

/// Where `needle` begins.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| byte == first) {
        let start = from + at;
        if haystack[start + 1..].starts_with(rest) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

/// Whether one can look for these.
pub(crate) fn are_separators(separators: &[&[u8]]) -> bool {
    !separators.is_empty() && separators.iter().all(|separator| !separator.is_empty())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// The end of the separator that ends first, looking at everything.
    fn model(data: &[u8], separators: &[&[u8]]) -> Option<usize> {
        (0..=data.len()).find(|end| separators.iter().any(|s| data[..*end].ends_with(s)))
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_are_found_as_the_whole_is(
            pieces in proptest::collection::vec(proptest::collection::vec(0..3u8, 0..5), 0..12),
            separators in proptest::collection::vec(proptest::collection::vec(0..3u8, 1..4), 1..4),
        ) {
            let separators: Vec<&[u8]> = separators.iter().map(|s| s.as_slice()).collect();
            let mut scan = Scan::default();
            let mut data = Vec::new();
            for piece in pieces {
                data.extend(piece);
                match scan.look(&data, &separators, usize::MAX) {
                    Found::Until(end) => {
                        // Two that begin apart may end apart: the first end wins.
                        prop_assert_eq!(Some(end), model(&data, &separators));
                        return Ok(());
                    }
                    found => {
                        prop_assert_eq!(found, Found::More);
                        prop_assert_eq!(model(&data, &separators), None);
                    }
                }
            }
        }
    }
}
