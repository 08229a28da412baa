//! The head of a response.

use crate::failure::Failure;
use molen::Duration;

/// How many fields a head may have.
const FIELDS: usize = 128;

/// How long a body is (RFC 9112, 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// So many bytes.
    Length(u64),
    /// As many as its chunks say.
    Chunked,
    /// All until the connection's end.
    UntilEnd,
}

/// What a head says that matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    pub status: u16,
    pub framing: Framing,
    /// Whether another request may follow on the connection.
    pub keep_alive: bool,
    pub location: Option<String>,
    pub retry_after: Option<Duration>,
}

impl Head {
    /// Reads a head that is all there.
    ///
    /// # Errors
    ///
    /// [`Failure::Malformed`]: also when there is doubt about where the body ends.
    pub fn parse(bytes: &[u8]) -> Result<Head, Failure> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut parsed = httparse::Response::new(&mut fields);
        match httparse::ParserConfig::default().parse_response(&mut parsed, bytes) {
            Ok(httparse::Status::Complete(_length)) => {}
            Ok(httparse::Status::Partial) => return Err(Failure::Malformed("no whole head")),
            Err(httparse::Error::TooManyHeaders) => return Err(Failure::HeadTooLong),
            Err(httparse::Error::Version) => return Err(Failure::Malformed("another version")),
            Err(httparse::Error::Status) => return Err(Failure::Malformed("a wrong status")),
            Err(_malformed) => return Err(Failure::Malformed("a wrong head")),
        }
        let (Some(version), Some(status)) = (parsed.version, parsed.code) else {
            return Err(Failure::Malformed("no whole head"));
        };
        let value = |name: &str| values(parsed.headers, name);
        let framing = framing(status, value("transfer-encoding"), value("content-length"))?;
        let connection = value("connection");
        let has = |option: &str| {
            connection.iter().flat_map(|list| list.split(',')).any(|found| is(found, option))
        };
        let persists = if version == 0 { has("keep-alive") } else { !has("close") };
        Ok(Head {
            status,
            framing,
            keep_alive: persists && framing != Framing::UntilEnd,
            location: value("location"),
            retry_after: value("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs),
        })
    }

    /// Whether the body is elsewhere.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }
}

fn is(found: &str, option: &str) -> bool {
    found.trim().eq_ignore_ascii_case(option)
}

/// The value of a field; if there are several of its name, all, as one list.
fn values(fields: &[httparse::Header<'_>], name: &str) -> Option<String> {
    let named: Vec<_> = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(name))
        .map(|field| String::from_utf8_lossy(field.value))
        .collect();
    (!named.is_empty()).then(|| named.join(", "))
}

fn framing(
    status: u16,
    codings: Option<String>,
    lengths: Option<String>,
) -> Result<Framing, Failure> {
    if status < 200 || matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if let Some(codings) = codings {
        // Only chunks were asked for, so other codings cannot be read.
        return match codings.trim().eq_ignore_ascii_case("chunked") {
            true => Ok(Framing::Chunked),
            false => Err(Failure::Malformed("an unknown transfer coding")),
        };
    }
    let Some(lengths) = lengths else { return Ok(Framing::UntilEnd) };
    let mut all = lengths.split(',').map(str::trim);
    let first = all.next().unwrap_or_default();
    let digits = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    match first.parse() {
        Ok(length) if digits && all.all(|other| other == first) => Ok(Framing::Length(length)),
        _ => Err(Failure::Malformed("a wrong length")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<Head, String> {
        Head::parse(head.as_bytes()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn where_a_body_ends_is_said_by_status_and_fields() {
        for (head, framing, keep_alive) in [
            ("1.1 200 OK\r\nContent-Length: 5\r\n", Framing::Length(5), true),
            ("1.1 200 OK\r\nContent-Length: 5, 5\r\n", Framing::Length(5), true),
            (
                "1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close\r\n",
                Framing::Length(5),
                false,
            ),
            ("1.0 200 OK\r\nContent-Length: 5\r\n", Framing::Length(5), false),
            (
                "1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n",
                Framing::Length(5),
                true,
            ),
            ("1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", Framing::Chunked, true),
            (
                "1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                Framing::Chunked,
                true,
            ),
            ("1.1 200 OK\r\n", Framing::UntilEnd, false),
            ("1.1 204 No\r\nContent-Length: 5\r\n", Framing::Length(0), true),
            ("1.1 304 No\r\n", Framing::Length(0), true),
            ("1.1 100 Continue\r\n", Framing::Length(0), true),
            ("1.1 404\r\nContent-Length: 0\r\n", Framing::Length(0), true),
        ] {
            let parsed = parse(&format!("HTTP/{head}\r\n")).expect(head);
            assert_eq!((parsed.framing, parsed.keep_alive), (framing, keep_alive), "{head}");
        }
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 abc OK\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
        ] {
            let error = parse(head).expect_err(head);
            assert!(error.contains("not HTTP"), "{head:?}: {error}");
        }
    }
}
