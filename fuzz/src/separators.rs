//! Separators and bytes of few kinds, so that they meet, and where they do.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Bytes of four kinds, of which one ends lines.
#[derive(Clone, Debug)]
pub struct Bytes(pub Vec<u8>);

impl<'a> Arbitrary<'a> for Bytes {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Bytes> {
        let length = u.int_in_range(0..=12)?;
        let kinds = u.bytes(length)?;
        Ok(Bytes(kinds.iter().map(|kind| b"ab\r\n"[usize::from(kind % 4)]).collect()))
    }
}

/// Up to four separators; none, and empty ones, among them.
#[derive(Clone, Debug)]
pub struct Separators(pub Vec<Vec<u8>>);

impl<'a> Arbitrary<'a> for Separators {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Separators> {
        let count = u.int_in_range(0..=4)?;
        let separator = |_| {
            let mut bytes = Bytes::arbitrary(u)?.0;
            bytes.truncate(4);
            Ok(bytes)
        };
        Ok(Separators((0..count).map(separator).collect::<Result<_>>()?))
    }
}

impl Separators {
    /// As the readers take them.
    pub fn slices(&self) -> Vec<&[u8]> {
        self.0.iter().map(Vec::as_slice).collect()
    }

    /// Whether one can look for these.
    pub fn are_some(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|separator| !separator.is_empty())
    }
}

/// Where the first separator that ends in `data` begins and ends, looking at
/// each end in turn.
pub fn first(data: &[u8], separators: &[&[u8]]) -> Option<(usize, usize)> {
    (0..=data.len()).find_map(|end| {
        let here = separators.iter().filter(|separator| data[..end].ends_with(separator));
        here.map(|separator| (end - separator.len(), end)).min()
    })
}

/// How many bytes surely belong to what is read: no separator begins in them.
pub fn passed(data: &[u8], separators: &[&[u8]]) -> usize {
    let longest = separators.iter().map(|separator| separator.len()).max().unwrap_or(0);
    (data.len() + 1).saturating_sub(longest)
}
