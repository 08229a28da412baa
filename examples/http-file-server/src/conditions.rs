//! Conditional requests: `If-Match` and its kind, in the order of RFC 9110, 13.2.2.

use crate::request::Request;
use std::time::{Duration, SystemTime};

/// What is known of a file's version.
#[derive(Clone, Debug)]
pub struct Validators {
    /// The entity tag, with its quotes; a strong one.
    pub etag: String,
    /// When it was changed, in whole seconds as HTTP has them.
    pub modified: Option<SystemTime>,
}

/// What the conditions make of a request for a file that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is answered.
    Send,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

impl Validators {
    /// Of a file that is `length` bytes long and was changed then. The time counts in
    /// nanoseconds here, so that two versions of one second differ.
    pub fn new(length: u64, modified: Option<SystemTime>) -> Validators {
        let since = modified
            .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .unwrap_or_default();
        let etag = format!("\"{length:x}-{:x}.{:x}\"", since.as_secs(), since.subsec_nanos());
        let modified =
            modified.map(|_time| SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs()));
        Validators { etag, modified }
    }

    /// What the conditions of `request` say.
    pub fn check(&self, request: &Request) -> Verdict {
        if let Some(field) = &request.if_match {
            if !self.matches(field, Strength::Strong) {
                return Verdict::Failed;
            }
        } else if let Some(time) = request.if_unmodified_since.as_deref().and_then(date)
            && self.modified.is_some_and(|modified| modified > time)
        {
            return Verdict::Failed;
        }
        if let Some(field) = &request.if_none_match {
            if self.matches(field, Strength::Weak) {
                return Verdict::NotModified;
            }
        } else if let Some(time) = request.if_modified_since.as_deref().and_then(date)
            && self.modified.is_some_and(|modified| modified <= time)
        {
            return Verdict::NotModified;
        }
        Verdict::Send
    }

    /// Whether the range of `request` is of this version: what `If-Range` asks.
    pub fn range_applies(&self, request: &Request) -> bool {
        match request.if_range.as_deref().map(str::trim) {
            None => true,
            Some(field) if field.ends_with('"') => field == self.etag,
            Some(field) => self.modified.is_some() && date(field) == self.modified,
        }
    }

    fn matches(&self, field: &str, strength: Strength) -> bool {
        if field.trim() == "*" {
            return true;
        }
        // Our tags have no comma in them, so none is found in a part of another.
        field.split(',').map(str::trim).any(|tag| match strength {
            Strength::Strong => tag == self.etag,
            Strength::Weak => tag.strip_prefix("W/").unwrap_or(tag) == self.etag,
        })
    }
}

#[derive(Clone, Copy)]
enum Strength {
    Strong,
    Weak,
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In steps of 100 ns, as Windows counts.
    fn at(second: u64, nanos: u32) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::new(second, nanos))
    }

    fn request(fields: &[(&str, &str)]) -> Request {
        let mut head = String::from("GET / HTTP/1.1\r\nHost: a\r\n");
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Request::parse(format!("{head}\r\n").as_bytes()).expect("a request")
    }

    #[test]
    fn tags_come_before_dates() {
        let file = Validators::new(3, at(784_111_777, 500));
        assert_eq!(file.etag, "\"3-2ebc98a1.1f4\"");
        let (tag, weak) = (&*file.etag, &*format!("W/{}", file.etag));
        let several = &*format!("\"x\", {weak}");
        let (then, before) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT");
        for (fields, expected) in [
            (&[][..], Verdict::Send),
            (&[("If-None-Match", tag)], Verdict::NotModified),
            (&[("If-None-Match", weak)], Verdict::NotModified),
            (&[("If-None-Match", several)], Verdict::NotModified),
            (&[("If-None-Match", "*")], Verdict::NotModified),
            (&[("If-None-Match", "\"x\"")], Verdict::Send),
            (&[("If-Modified-Since", then)], Verdict::NotModified),
            (&[("If-Modified-Since", before)], Verdict::Send),
            (&[("If-Modified-Since", "yesterday")], Verdict::Send),
            (&[("If-None-Match", "\"x\""), ("If-Modified-Since", then)], Verdict::Send),
            (&[("If-Match", tag)], Verdict::Send),
            (&[("If-Match", "*")], Verdict::Send),
            (&[("If-Match", weak)], Verdict::Failed),
            (&[("If-Match", "\"x\"")], Verdict::Failed),
            (&[("If-Unmodified-Since", then)], Verdict::Send),
            (&[("If-Unmodified-Since", before)], Verdict::Failed),
            (&[("If-Match", tag), ("If-Unmodified-Since", before)], Verdict::Send),
            (&[("If-Match", tag), ("If-None-Match", tag)], Verdict::NotModified),
        ] {
            assert_eq!(file.check(&request(fields)), expected, "{fields:?}");
        }
        for (field, applies) in
            [(tag, true), (weak, false), ("\"x\"", false), (then, true), (before, false)]
        {
            assert_eq!(file.range_applies(&request(&[("If-Range", field)])), applies, "{field}");
        }
        assert!(file.range_applies(&request(&[])));
    }

    #[test]
    fn versions_of_one_second_differ() {
        assert_ne!(Validators::new(3, at(9, 100)).etag, Validators::new(3, at(9, 200)).etag);
        assert_ne!(Validators::new(3, at(9, 100)).etag, Validators::new(4, at(9, 100)).etag);
    }
}
