//! The head of a request, read.

use crate::response::Status;

/// How many fields a head may have.
const FIELDS: usize = 100;

/// What may be asked here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
    /// One that HTTP has, but this server not.
    NotHere,
    /// Another.
    Unknown,
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connection {
    /// The next request may come.
    KeepAlive,
    /// It is closed.
    Close,
}

/// The head of a request, with the fields that matter here.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub target: String,
    /// The line with method, target and version, for the log.
    pub line: String,
    pub connection: Connection,
    /// Whether a body follows, which is not going to be read.
    pub has_body: bool,
    pub range: Option<String>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<String>,
    pub if_unmodified_since: Option<String>,
    pub if_range: Option<String>,
    pub referer: Option<String>,
    pub user_agent: Option<String>,
}

impl Request {
    /// Reads a head that is all there.
    ///
    /// # Errors
    ///
    /// The status with which it is refused; nothing behind it can be understood.
    pub fn parse(head: &[u8]) -> Result<Request, Status> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(_length)) => {}
            Ok(httparse::Status::Partial) => return Err(Status::BadRequest),
            Err(httparse::Error::TooManyHeaders) => return Err(Status::HeaderTooLarge),
            Err(httparse::Error::Version) => return Err(Status::VersionNotSupported),
            Err(_malformed) => return Err(Status::BadRequest),
        }
        let (Some(method), Some(target), Some(minor_version)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(Status::BadRequest);
        };
        let fields = &*parsed.headers;
        let hosts = fields.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).count();
        // RFC 9112, 3.2.
        if hosts > 1 || (hosts == 0 && minor_version == 1) {
            return Err(Status::BadRequest);
        }
        let value = |name| values(fields, name);
        Ok(Request {
            method: method_of(method),
            target: target.to_owned(),
            line: format!("{method} {target} HTTP/1.{minor_version}"),
            connection: connection(value("connection").as_deref(), minor_version),
            has_body: has_body(fields)?,
            range: value("range"),
            if_match: value("if-match"),
            if_none_match: value("if-none-match"),
            if_modified_since: value("if-modified-since"),
            if_unmodified_since: value("if-unmodified-since"),
            if_range: value("if-range"),
            referer: value("referer"),
            user_agent: value("user-agent"),
        })
    }
}

fn method_of(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" | "CONNECT" => Method::NotHere,
        _ => Method::Unknown,
    }
}

/// The value of a field; if there are several of its name, all, as one list.
fn values(fields: &[httparse::Header<'_>], name: &str) -> Option<String> {
    let mut named = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let mut value = String::from_utf8_lossy(named.next()?.value).into_owned();
    for more in named {
        value.push_str(", ");
        value.push_str(&String::from_utf8_lossy(more.value));
    }
    Some(value)
}

/// What follows the answer, by the values of `Connection`.
fn connection(field: Option<&str>, minor_version: u8) -> Connection {
    let has = |option: &str| {
        field.is_some_and(|field| field.split(',').any(|o| o.trim().eq_ignore_ascii_case(option)))
    };
    let keep = if minor_version == 0 { has("keep-alive") } else { true };
    if keep && !has("close") { Connection::KeepAlive } else { Connection::Close }
}

/// Whether a body follows. What leaves doubt about where it ends is refused (RFC 9112, 6.3).
fn has_body(fields: &[httparse::Header<'_>]) -> Result<bool, Status> {
    let lengths = values(fields, "content-length");
    let coded = values(fields, "transfer-encoding").is_some();
    let mut body = coded;
    for length in lengths.iter().flat_map(|lengths| lengths.split(',')) {
        let length = length.trim();
        if coded || length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Status::BadRequest);
        }
        body |= length.bytes().any(|byte| byte != b'0');
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<Request, Status> {
        Request::parse(head.as_bytes())
    }

    #[test]
    fn what_follows_is_said_by_version_and_field() {
        use Connection::{Close, KeepAlive};
        for (version, field, expected) in [
            ("1.1", "", KeepAlive),
            ("1.1", "Connection: close\r\n", Close),
            ("1.1", "Connection: TE, Close\r\n", Close),
            ("1.1", "connection: TE\r\nCONNECTION: close\r\n", Close),
            ("1.0", "", Close),
            ("1.0", "Connection: Keep-Alive\r\n", KeepAlive),
            ("1.0", "Connection: keep-alive, close\r\n", Close),
        ] {
            let request = parse(&format!("GET / HTTP/{version}\r\nHost: a\r\n{field}\r\n"));
            assert_eq!(request.map(|request| request.connection), Ok(expected), "{field}");
        }
    }

    #[test]
    fn bodies_are_seen_and_doubtful_ones_refused() {
        for (fields, expected) in [
            ("", Ok(false)),
            ("Content-Length: 0\r\n", Ok(false)),
            ("Content-Length: 5\r\n", Ok(true)),
            ("Content-Length: 99999999999999999999999\r\n", Ok(true)),
            ("Transfer-Encoding: chunked\r\n", Ok(true)),
            ("Content-Length: -1\r\n", Err(Status::BadRequest)),
            ("Content-Length: +5\r\n", Err(Status::BadRequest)),
            ("Content-Length:\r\n", Err(Status::BadRequest)),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(Status::BadRequest)),
        ] {
            let request = parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
            assert_eq!(request.map(|request| request.has_body), expected, "{fields}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (head, status) in [
            ("GET / HTTP/1.1\r\n\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Status::BadRequest),
            ("GET /\r\n\r\n", Status::BadRequest),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Status::BadRequest),
            ("\u{0}GET / HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
            ("PRI * HTTP/2.0\r\n\r\n", Status::VersionNotSupported),
        ] {
            assert_eq!(parse(head).err(), Some(status), "{head}");
        }
        let many = "A: b\r\n".repeat(FIELDS + 1);
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
        assert_eq!(parse(&head).err(), Some(Status::HeaderTooLarge));
    }

    #[test]
    fn line_ends_may_be_bare_and_repeated_fields_are_one_list() {
        let request = parse("GET /a HTTP/1.0\nIf-None-Match: \"a\"\nif-none-match: \"b\"\n\n");
        let request = request.expect("a request");
        assert_eq!(request.if_none_match.as_deref(), Some("\"a\", \"b\""));
        assert_eq!(request.line, "GET /a HTTP/1.0");
    }
}
