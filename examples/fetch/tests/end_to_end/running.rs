//! Servers and the program as children.

use molen_foreign::certificates::Certificates;
use molen_foreign::program;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/misbehaving.py");

/// A server that is killed when it is dropped.
pub struct Server {
    child: Child,
    _input: Option<ChildStdin>,
    pub port: u16,
}

impl Server {
    /// Python with `arguments`, which prints its port, perhaps among other words.
    fn python(arguments: &[&str], folder: &Path) -> Server {
        let mut child = program("python3")
            .args(["-u"])
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let input = child.stdin.take();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        let port = line.split_whitespace().find_map(|word| word.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        Server { child, _input: input, port }
    }

    /// The scripted one.
    pub fn misbehaving() -> Server {
        Server::python(&[SCRIPT], Path::new("."))
    }

    /// The scripted one, through TLS.
    pub fn secured(certificates: &Certificates) -> Server {
        let files = [&certificates.certificate, &certificates.key];
        let [certificate, key] = files.map(|file| file.to_str().expect("text"));
        Server::python(&[SCRIPT, certificate, key], Path::new("."))
    }

    /// Python's `http.server` of `folder`.
    pub fn http_server(folder: &Path) -> Server {
        let arguments = ["-m", "http.server", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1", "0"];
        Server::python(&arguments, folder)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What the scripted one has counted.
    pub fn count(&self, what: &str) -> u32 {
        let url = self.url(&format!("/counts/{what}"));
        let said = fetch(&["--stdout", "--quiet", &url]);
        said.out.parse().unwrap_or_else(|_| panic!("{said:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub errors: String,
}

impl Said {
    /// The line about `url`, as words.
    pub fn row(&self, url: &str) -> Vec<&str> {
        let row = self.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut row = row.filter(|words| words.get(4) == Some(&url));
        row.next().unwrap_or_else(|| panic!("no row of {url} in {self:?}"))
    }

    /// The reason why `url` was not fetched.
    pub fn reason(&self, url: &str) -> &str {
        let begin = format!("fetch: {url}: ");
        let reason = self.errors.lines().find_map(|line| line.strip_prefix(&*begin));
        reason.unwrap_or_else(|| panic!("no reason for {url} in {self:?}"))
    }
}

pub fn command(arguments: &[&str]) -> Command {
    // `timeout`: a program that hangs is a failure, and not a test that hangs.
    let mut command = program("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_fetch")]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub fn fetch(arguments: &[&str]) -> Said {
    said(command(arguments).output().expect("it starts"))
}

pub fn said(Output { status, stdout, stderr }: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { code: status.code(), out: text(stdout), errors: text(stderr) }
}

/// What the scripted server answers to `/size/length`.
pub fn body_of(length: usize) -> Vec<u8> {
    (0..length).map(|i| ((i * 7 + length) % 251) as u8).collect()
}

/// What comes from `reader` until its end.
pub fn text_of(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    text
}
