//! What is answered: a status, fields, a body.

use crate::request::Connection;
use std::fmt::Write as _;
use std::fs::File;
use std::ops::Range;
use std::time::SystemTime;

macro_rules! statuses {
    ($($name:ident = $code:literal $reason:literal;)*) => {
        /// How a request was answered.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Status { $(#[doc = $reason] $name,)* }

        impl Status {
            /// The number.
            pub fn code(self) -> u16 {
                match self { $(Status::$name => $code,)* }
            }

            /// The words.
            pub fn reason(self) -> &'static str {
                match self { $(Status::$name => $reason,)* }
            }
        }
    };
}

statuses! {
    Ok = 200 "OK";
    NoContent = 204 "No Content";
    PartialContent = 206 "Partial Content";
    MovedPermanently = 301 "Moved Permanently";
    NotModified = 304 "Not Modified";
    BadRequest = 400 "Bad Request";
    Forbidden = 403 "Forbidden";
    NotFound = 404 "Not Found";
    MethodNotAllowed = 405 "Method Not Allowed";
    RequestTimeout = 408 "Request Timeout";
    PreconditionFailed = 412 "Precondition Failed";
    ContentTooLarge = 413 "Content Too Large";
    TargetTooLong = 414 "URI Too Long";
    RangeNotSatisfiable = 416 "Range Not Satisfiable";
    HeaderTooLarge = 431 "Request Header Fields Too Large";
    InternalServerError = 500 "Internal Server Error";
    NotImplemented = 501 "Not Implemented";
    ServiceUnavailable = 503 "Service Unavailable";
    VersionNotSupported = 505 "HTTP Version Not Supported";
}

/// What is sent behind the head.
#[derive(Debug)]
pub enum Body {
    /// Bytes, perhaps none.
    Bytes(Vec<u8>),
    /// This part of a file.
    File(File, Range<u64>),
}

impl Body {
    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_file, range) => range.end - range.start,
        }
    }
}

/// What is answered to a request.
#[derive(Debug)]
pub struct Response {
    pub status: Status,
    fields: String,
    pub body: Body,
}

impl Response {
    /// One with a body.
    pub fn new(status: Status, content_type: &str, body: Body) -> Response {
        let response = Response { status, fields: String::new(), body };
        response.with("Content-Type", content_type)
    }

    /// One without: 204, 304.
    pub fn empty(status: Status) -> Response {
        Response { status, fields: String::new(), body: Body::Bytes(Vec::new()) }
    }

    /// One whose body says in words what its status is.
    pub fn of_status(status: Status) -> Response {
        let body = format!("{} {}\n", status.code(), status.reason());
        Response::new(status, "text/plain; charset=utf-8", Body::Bytes(body.into_bytes()))
    }

    /// Adds a field. Line ends have no place in it.
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Response {
        // Writing to a String does not fail.
        let _ = write!(self.fields, "{name}: {value}\r\n");
        self
    }

    /// The head, to be sent now.
    pub fn head(&self, connection: Connection) -> String {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nServer: molen\r\nDate: {}\r\n{}",
            self.status.code(),
            self.status.reason(),
            httpdate::fmt_http_date(SystemTime::now()),
            self.fields,
        );
        if !matches!(self.status, Status::NoContent | Status::NotModified) {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        // Clients of HTTP/1.0 want to be told, those of 1.1 do not mind.
        head.push_str(match connection {
            Connection::KeepAlive => "Connection: keep-alive\r\n\r\n",
            Connection::Close => "Connection: close\r\n\r\n",
        });
        head
    }
}
