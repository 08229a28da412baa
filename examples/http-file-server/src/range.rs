//! `Range: bytes=…`, of one range.
//!
//! A server may ignore ranges (RFC 9110, 14.2). This one does so with several in one request, as
//! the answer would have to be in parts that few clients read, and with what it does not understand.

use std::ops::Range;

/// What is to be sent of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// All of it: 200.
    Whole,
    /// These bytes: 206.
    Bytes(Range<u64>),
    /// None of the range is there: 416.
    Unsatisfiable,
}

/// What `field`, the value of a `Range`, asks for of a file of `length` bytes.
pub fn part(field: Option<&str>, length: u64) -> Part {
    match field.and_then(|field| parse(field, length)) {
        None => Part::Whole,
        Some(range) if range.is_empty() => Part::Unsatisfiable,
        Some(range) => Part::Bytes(range),
    }
}

/// The range, which is empty when it begins behind the end; `None` when it is not understood.
fn parse(field: &str, length: u64) -> Option<Range<u64>> {
    let (unit, range) = field.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    match (first, last) {
        ("", suffix) => {
            let suffix = number(suffix)?;
            Some(length.saturating_sub(suffix)..length)
        }
        (first, "") => Some(number(first)?.min(length)..length),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            let valid = first <= last;
            valid.then(|| first.min(length)..last.saturating_add(1).min(length))
        }
    }
}

/// Digits; more of them than fit mean "to the end".
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_the_end() {
        let bytes = |range| Part::Bytes(range);
        for (field, expected) in [
            ("bytes=0-0", bytes(0..1)),
            ("bytes=0-99", bytes(0..100)),
            ("bytes=0-1000", bytes(0..100)),
            ("bytes=99-", bytes(99..100)),
            ("Bytes = 10-19", bytes(10..20)),
            ("bytes=-1", bytes(99..100)),
            ("bytes=-1000", bytes(0..100)),
            ("bytes=1-99999999999999999999999", bytes(1..100)),
            ("bytes=100-", Part::Unsatisfiable),
            ("bytes=100-100", Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
        ] {
            assert_eq!(part(Some(field), 100), expected, "{field}");
        }
        assert_eq!(part(Some("bytes=-1"), 0), Part::Unsatisfiable);
        assert_eq!(part(Some("bytes=0-"), 0), Part::Unsatisfiable);
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        assert_eq!(part(None, 100), Part::Whole);
        for field in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=1-2,4-5",
            "bytes=+1-2",
            "items=0-1",
            "bytes=1- 2",
        ] {
            assert_eq!(part(Some(field), 100), Part::Whole, "{field}");
        }
    }
}
