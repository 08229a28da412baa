//! From a request to a response. It opens, looks and reads: it blocks, and so
//! is called on other threads.

use crate::conditions::{Validators, Verdict};
use crate::listing;
use crate::range::{Part, part};
use crate::request::{Method, Request};
use crate::response::{Body, Response, Status};
use crate::target::{Target, TargetError};
use cap_fs_ext::{OpenOptionsMaybeDirExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// What is so short is read at once; the rest is sent piece by piece.
const SMALL: u64 = 16 * 1024;

/// The page of a folder.
const INDEX: &str = "index.html";

/// A folder, and what of it is shown.
#[derive(Debug)]
pub struct Folder {
    /// Opens what is below it, and nothing else.
    pub root: Dir,
    /// Whether folders without a page are listed.
    pub list: bool,
    /// Whether what begins with a dot is shown.
    pub hidden: bool,
}

impl Folder {
    /// The answer to `request`. Blocks.
    pub fn answer(&self, request: &Request) -> Response {
        match request.method {
            Method::Get | Method::Head if request.has_body => {
                Response::of_status(Status::ContentTooLarge)
            }
            Method::Get | Method::Head => self.get(request),
            Method::Options => Response::empty(Status::NoContent).with("Allow", ALLOWED),
            Method::NotHere => Response::of_status(Status::MethodNotAllowed).with("Allow", ALLOWED),
            Method::Unknown => Response::of_status(Status::NotImplemented),
        }
    }

    fn get(&self, request: &Request) -> Response {
        let target = match Target::parse(&request.target) {
            Ok(target) => target,
            Err(TargetError::NoSuchName) => return Response::of_status(Status::NotFound),
            Err(TargetError::Malformed | TargetError::Outside) => {
                return Response::of_status(Status::BadRequest);
            }
        };
        if target.is_hidden() && !self.hidden {
            return Response::of_status(Status::NotFound);
        }
        self.open(&target.path())
            .and_then(|(file, metadata)| match metadata.is_dir() {
                true => self.folder(&target, request),
                // `/file/` names nothing.
                false if target.folder => Ok(Response::of_status(Status::NotFound)),
                false => send(file, &metadata, &target.path(), request),
            })
            .unwrap_or_else(|error| Response::of_status(status_of(&error)))
    }

    /// What is at `path`, if it is a file or a folder; FIFOs and devices are not there.
    fn open(&self, path: &Path) -> io::Result<(File, Metadata)> {
        // Not blocking: opening a FIFO would wait for who writes to it.
        let mut options = OpenOptions::new();
        options.read(true).maybe_dir(true).nonblock(true);
        let file = self.root.open_with(path, &options)?;
        let metadata = file.metadata()?;
        if metadata.is_file() || metadata.is_dir() {
            Ok((file, metadata))
        } else {
            Err(ErrorKind::NotFound.into())
        }
    }

    fn folder(&self, target: &Target, request: &Request) -> io::Result<Response> {
        if !target.folder {
            let query = target.query.iter().map(|query| format!("?{query}"));
            let location: String = [target.as_folder()].into_iter().chain(query).collect();
            let moved = Response::of_status(Status::MovedPermanently);
            return Ok(moved.with("Location", location));
        }
        let index = target.path().join(INDEX);
        match self.open(&index) {
            Ok((file, metadata)) if metadata.is_file() => {
                return send(file, &metadata, &index, request);
            }
            Ok(_folder) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if !self.list {
            return Ok(Response::of_status(Status::NotFound));
        }
        let page = listing::page(&self.root, target, self.hidden)?;
        Ok(Response::new(Status::Ok, "text/html; charset=utf-8", Body::Bytes(page.into_bytes()))
            .with("X-Content-Type-Options", "nosniff"))
    }
}

/// The methods that there are.
const ALLOWED: &str = "GET, HEAD, OPTIONS";

/// The answer with a file, or a part of it, or none because of the conditions.
fn send(file: File, metadata: &Metadata, path: &Path, request: &Request) -> io::Result<Response> {
    let length = metadata.len();
    let modified = metadata.modified().ok().map(cap_std::time::SystemTime::into_std);
    let validators = Validators::new(length, modified);
    let described = |response: Response| {
        let response = response.with("ETag", &validators.etag).with("Accept-Ranges", "bytes");
        match validators.modified {
            Some(time) => response.with("Last-Modified", httpdate::fmt_http_date(time)),
            None => response,
        }
    };
    match validators.check(request) {
        Verdict::NotModified => return Ok(described(Response::empty(Status::NotModified))),
        Verdict::Failed => return Ok(Response::of_status(Status::PreconditionFailed)),
        Verdict::Send => {}
    }
    // Ranges are for GET (RFC 9110, 14.2).
    let asked = request
        .range
        .as_deref()
        .filter(|_range| request.method == Method::Get && validators.range_applies(request));
    let (status, range) = match part(asked, length) {
        Part::Whole => (Status::Ok, 0..length),
        Part::Bytes(range) => (Status::PartialContent, range),
        Part::Unsatisfiable => {
            let refused = Response::of_status(Status::RangeNotSatisfiable);
            return Ok(refused.with("Content-Range", format_args!("bytes */{length}")));
        }
    };
    let content_range = (status == Status::PartialContent)
        .then(|| format!("bytes {}-{}/{length}", range.start, range.end - 1));
    let mut file = file.into_std();
    let body = if range.end - range.start <= SMALL && request.method == Method::Get {
        Body::Bytes(read(&mut file, range)?)
    } else {
        Body::File(file, range)
    };
    let response = described(Response::new(status, &content_type(path), body))
        .with("X-Content-Type-Options", "nosniff");
    Ok(match content_range {
        Some(range) => response.with("Content-Range", range),
        None => response,
    })
}

/// Exactly these bytes, or an error: of a file that was cut meanwhile.
fn read(file: &mut std::fs::File, range: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start))?;
    }
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The type that the name says; text is taken to be UTF-8.
fn content_type(path: &Path) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    match kind.type_() {
        mime_guess::mime::TEXT => format!("{}; charset=utf-8", kind.essence_str()),
        _ => kind.essence_str().to_owned(),
    }
}

fn status_of(error: &io::Error) -> Status {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => Status::NotFound,
        // Also what leads out of the folder.
        ErrorKind::PermissionDenied => Status::Forbidden,
        _ => match error.raw_os_error() {
            None => Status::Forbidden,
            Some(_code) => Status::InternalServerError,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;

    fn folder() -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().expect("a folder");
        let root = Dir::open_ambient_dir(directory.path(), ambient_authority());
        let root = root.expect("the folder is there");
        (directory, Folder { root, list: true, hidden: false })
    }

    fn get(folder: &Folder, target: &str, fields: &str) -> Response {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        folder.answer(&Request::parse(head.as_bytes()).expect("a request"))
    }

    #[test]
    fn types_are_by_name() {
        for (name, expected) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a.tar.gz", "application/gzip"),
            ("a.PNG", "image/png"),
            ("README", "application/octet-stream"),
        ] {
            assert_eq!(content_type(Path::new(name)), expected);
        }
    }

    #[test]
    fn a_part_of_a_file_is_that_part() {
        let (directory, folder) = folder();
        std::fs::write(directory.path().join("digits"), "0123456789").expect("a file");
        let response = get(&folder, "/digits", "Range: bytes=2-4\r\n");
        assert_eq!(response.status, Status::PartialContent);
        assert!(response.head(crate::request::Connection::Close).contains("bytes 2-4/10\r\n"));
        assert!(matches!(response.body, Body::Bytes(bytes) if bytes == b"234"));
        let response = get(&folder, "/digits", "Range: bytes=10-\r\n");
        assert_eq!(response.status, Status::RangeNotSatisfiable);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_but_below_the_folder() {
        use std::os::unix::fs::symlink;
        let (directory, folder) = folder();
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret"), "secret").expect("a file");
        std::fs::write(directory.path().join("public"), "public").expect("a file");
        let link = |to: &Path, name: &str| {
            symlink(to, directory.path().join(name)).expect("a link");
        };
        link(Path::new("public"), "inside");
        link(&outside.path().join("secret"), "absolute");
        link(Path::new("../../../../../../../../etc/passwd"), "relative");
        link(outside.path(), "away");
        link(Path::new("loop"), "loop");
        assert_eq!(get(&folder, "/inside", "").status, Status::Ok);
        for target in ["/absolute", "/relative", "/away/", "/away/secret", "/away"] {
            assert_eq!(get(&folder, target, "").status, Status::Forbidden, "{target}");
        }
        assert_ne!(get(&folder, "/loop", "").status, Status::Ok);
        let page = get(&folder, "/", "");
        assert!(matches!(page.body, Body::Bytes(bytes) if !bytes.is_empty()));
    }

    #[test]
    fn what_begins_with_a_dot_is_shown_when_that_is_asked_for() {
        let (directory, mut folder) = folder();
        std::fs::write(directory.path().join(".htpasswd"), "x").expect("a file");
        assert_eq!(get(&folder, "/.htpasswd", "").status, Status::NotFound);
        folder.hidden = true;
        assert_eq!(get(&folder, "/.htpasswd", "").status, Status::Ok);
    }
}
