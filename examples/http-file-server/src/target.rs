//! From the target of a request to a path below the folder.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str};
use std::path::PathBuf;

/// What is written as it is in a segment of a URL's path: unreserved characters and some others.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a request asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The path, decoded, one name after the other.
    pub names: Vec<String>,
    /// Whether it ended in a slash: a folder is meant.
    pub folder: bool,
    /// What follows the `?`, as it came.
    pub query: Option<String>,
}

/// Why a target names nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetError {
    /// It is no path: 400.
    Malformed,
    /// It leads out of the folder: 400.
    Outside,
    /// No file can have this name: 404.
    NoSuchName,
}

impl Target {
    /// Reads a target: `/a/b?q`, or `http://host/a/b?q` as proxies get it.
    pub fn parse(text: &str) -> Result<Target, TargetError> {
        let text = without_origin(text).ok_or(TargetError::Malformed)?;
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (text, None),
        };
        // Fragments are not sent.
        if !path.starts_with('/') || path.contains('#') {
            return Err(TargetError::Malformed);
        }
        let mut names = Vec::new();
        let mut folder = true;
        for segment in path.split('/').skip(1) {
            let name = decode(segment)?;
            folder = matches!(&*name, "" | "." | "..");
            match &*name {
                "" | "." => {}
                ".." => drop(names.pop().ok_or(TargetError::Outside)?),
                _ => names.push(name),
            }
        }
        Ok(Target { names, folder, query })
    }

    /// The path below the folder; `.` for the folder itself.
    pub fn path(&self) -> PathBuf {
        if self.names.is_empty() { PathBuf::from(".") } else { self.names.iter().collect() }
    }

    /// Whether one of the names begins with a dot.
    pub fn is_hidden(&self) -> bool {
        self.names.iter().any(|name| name.starts_with('.'))
    }

    /// The path as a URL's, with a slash at its end.
    pub fn as_folder(&self) -> String {
        let mut url = String::from("/");
        for name in &self.names {
            url.push_str(&encode(name));
            url.push('/');
        }
        url
    }
}

/// A name as a segment of a URL's path.
pub fn encode(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, SEGMENT).to_string()
}

/// The path and query of a target. The authority is the connection's business.
fn without_origin(text: &str) -> Option<&str> {
    if text.starts_with('/') {
        return Some(text);
    }
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    Some(rest.find('/').map_or("/", |at| &rest[at..]))
}

/// A segment as a name. Names that are no Unicode cannot be asked for.
fn decode(segment: &str) -> Result<String, TargetError> {
    let mut rest = segment.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => rest = &rest[at + 3..],
            _ => return Err(TargetError::Malformed),
        }
    }
    let name =
        percent_decode_str(segment).decode_utf8().map_err(|_no_text| TargetError::NoSuchName)?;
    // A separator that came as `%2F` is none; and of Windows there are two, and streams of files.
    let separator = |c| c == '/' || c == '\0' || (cfg!(windows) && matches!(c, '\\' | ':'));
    if name.contains(separator) { Err(TargetError::NoSuchName) } else { Ok(name.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<String, TargetError> {
        Target::parse(text).map(|target| target.path().to_string_lossy().replace('\\', "/"))
    }

    #[test]
    fn paths_are_decoded_and_stay_below_the_folder() {
        assert_eq!(path("/").as_deref(), Ok("."));
        assert_eq!(path("/a%20b/%C3%A9?x=%2F..").as_deref(), Ok("a b/é"));
        assert_eq!(path("//a///b//").as_deref(), Ok("a/b"));
        assert_eq!(path("/a/./b/../c").as_deref(), Ok("a/c"));
        assert_eq!(path("http://host:80/a").as_deref(), Ok("a"));
        assert_eq!(path("http://host").as_deref(), Ok("."));
        for outside in ["/..", "/../etc/passwd", "/a/../../b", "/%2e%2E/a", "/a/.%2e/../b"] {
            assert_eq!(path(outside), Err(TargetError::Outside), "{outside}");
        }
        for malformed in ["", "a", "*", "/%", "/%4", "/%zz", "/%+1", "ftp://a/b", "/a#b", "a:80"] {
            assert_eq!(path(malformed), Err(TargetError::Malformed), "{malformed}");
        }
        for name in ["/a%00b", "/a%2Fb", "/..%2F..", "/%ff"] {
            assert_eq!(path(name), Err(TargetError::NoSuchName), "{name}");
        }
    }

    #[test]
    fn a_slash_at_the_end_means_a_folder() {
        for (text, folder) in
            [("/", true), ("/a", false), ("/a/", true), ("/a/.", true), ("/a/b/..", true)]
        {
            assert_eq!(Target::parse(text).map(|target| target.folder), Ok(folder), "{text}");
        }
        let target = Target::parse("//evil.example//a b?c").expect("a path");
        assert_eq!(target.as_folder(), "/evil.example/a%20b/");
        assert_eq!(target.query.as_deref(), Some("c"));
    }

    #[test]
    fn names_are_encoded_so_that_they_come_back() {
        for name in ["plain.txt", "a b%20c", "é?#\"<&>;=+", "\u{1}\u{7f}", "..%2F"] {
            let url = format!("/{}", encode(name));
            assert_eq!(Target::parse(&url).expect("a path").names, [name]);
        }
    }
}
