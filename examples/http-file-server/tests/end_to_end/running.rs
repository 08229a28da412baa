//! The server as a child, with a folder of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Bytes that differ wherever one looks.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A running server, killed when it is dropped.
pub struct Running {
    pub folder: tempfile::TempDir,
    pub address: SocketAddr,
    child: Child,
    out: BufReader<ChildStdout>,
    errors: ChildStderr,
}

impl Running {
    /// The server with `options`, on a free port, with a folder of a few files.
    pub fn start(options: &[&str]) -> Running {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).expect("a file can be written");
        };
        fs::create_dir(folder.path().join("sub")).expect("a folder");
        put("hello.txt", b"hello\n");
        put("empty", b"");
        put("a b+%é.txt", b"odd name\n");
        put("small.bin", &noise(60_000, 1));
        put("large.bin", &noise(9_000_001, 2));
        put("sub/index.html", b"<h1>index</h1>\n");
        let mut child = Command::new(env!("CARGO_BIN_EXE_http-file-server"))
            .args(["--listen", "127.0.0.1:0"])
            .args(options)
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let errors = child.stderr.take().expect("a pipe");
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let address = line.trim_end().trim_end_matches('/').rsplit('/').next().expect("a URL");
        let address = address.parse().unwrap_or_else(|_| panic!("no address in {line:?}"));
        Running { folder, address, child, out, errors }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file is there")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A connection that gives up after ten seconds.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        stream.set_write_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        stream
    }

    /// Sends `request` on a new connection, and reads until its end.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).expect("it takes the request");
        read_all(&mut stream)
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill starts").success());
    }

    #[cfg(target_os = "linux")]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of the log.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    /// Waits for its end: how it ended, the rest of the log, its errors.
    pub fn end(mut self, limit: Duration) -> (ExitStatus, String, String) {
        let until = Instant::now() + limit;
        let status = loop {
            match self.child.try_wait().expect("it can be waited for") {
                Some(status) => break status,
                None if Instant::now() > until => panic!("it has not ended after {limit:?}"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let (mut log, mut errors) = (String::new(), String::new());
        self.out.read_to_string(&mut log).expect("the log is text");
        self.errors.read_to_string(&mut errors).expect("errors are text");
        (status, log, errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes until the end.
pub fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the end comes in time, and is no reset");
    String::from_utf8_lossy(&bytes).into_owned()
}
