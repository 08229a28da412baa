//! End-to-end tests: a program of ours, and others that were written by
//! others, talk to each other, and a test looks on.
//!
//! A [`Running`] program is told lines and [heard](Running::hear) saying them. Nothing waits for
//! ever: what is not said within [`PATIENCE`] fails the test, with all that
//! was said so far. Whatever a test leaves running is ended with it.
//!
//! ```no_run
//! # use molen_foreign::Running;
//! let mut server = Running::python("import asyncio; print('listening')");
//! server.hear("listening");
//! ```

pub mod certificates;
pub mod nginx;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for anything that is going to happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Where servers are that are not in everybody's `PATH`.
const MORE_PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// A program that others wrote.
///
/// # Panics
///
/// When it is not on this machine; says how to get it.
#[track_caller]
pub fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(MORE_PLACES.iter().map(PathBuf::from))
        .map(|place| place.join(name))
        .find(|file| file.is_file());
    match found {
        Some(file) => Command::new(file),
        None => panic!(
            "this test needs `{name}`, which is not here: `cargo xtask setup` gets it, \
             or see xtask/src/setup/foreign.rs for its package"
        ),
    }
}

/// Python, which runs `script`.
///
/// # Panics
///
/// When there is none.
#[track_caller]
pub fn python(script: &str) -> Command {
    let mut command = program("python3");
    command.args(["-u", "-c", script]);
    command
}

/// A port of this machine that nobody listens on, for a program that must be told one.
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Which of a program's outputs a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voice {
    /// The standard output.
    Out,
    /// The standard error.
    Error,
}

#[derive(Default)]
struct Said {
    lines: Vec<(Voice, String)>,
    /// How many outputs have ended.
    ended: usize,
}

#[derive(Default)]
struct Heard {
    said: Mutex<Said>,
    more: Condvar,
}

impl Heard {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes in lines to the end, from a thread of its own.
    fn listen(self: &Arc<Self>, voice: Voice, output: impl Read + Send + 'static) {
        let heard = self.clone();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = Vec::new();
                let end = !matches!(output.read_until(b'\n', &mut line), Ok(1..));
                let mut said = heard.said();
                if end {
                    said.ended += 1;
                } else {
                    let text = String::from_utf8_lossy(&line);
                    said.lines.push((voice, text.trim_end_matches(['\r', '\n']).to_owned()));
                }
                drop(said);
                heard.more.notify_all();
                if end {
                    return;
                }
            }
        });
    }
}

/// A program that runs, and is ended when this is dropped.
pub struct Running {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Heard>,
    /// How many lines [`hear`](Running::hear) has gone past.
    next: usize,
}

impl Running {
    /// Starts `command`, with pipes for its standard streams.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[track_caller]
    pub fn start(mut command: Command) -> Running {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{name} does not start: {error}"),
        };
        let heard = Arc::new(Heard::default());
        if let Some(output) = child.stdout.take() {
            heard.listen(Voice::Out, output);
        }
        if let Some(output) = child.stderr.take() {
            heard.listen(Voice::Error, output);
        }
        let input = child.stdin.take();
        Running { name, child, input, heard, next: 0 }
    }

    /// Starts Python with `script`.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[track_caller]
    pub fn python(script: &str) -> Running {
        Running::start(python(script))
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    ///
    /// # Panics
    ///
    /// When it does not take it.
    #[track_caller]
    pub fn say(&mut self, line: &str) {
        let said = match &mut self.input {
            Some(input) => input.write_all(format!("{line}\n").as_bytes()),
            None => panic!("the input of {} was closed before", self.name),
        };
        if let Err(error) = said {
            self.fail(&format!("it does not take the line {line:?}: {error}"));
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for a line with `what` in it, and goes past it: the next call
    /// looks behind it. Lines before it are skipped.
    ///
    /// # Panics
    ///
    /// When it is not said in time.
    #[track_caller]
    pub fn hear(&mut self, what: &str) -> String {
        match self.next_with(what, PATIENCE) {
            Some(line) => line,
            None => self.fail(&format!("it does not say {what:?}")),
        }
    }

    /// Waits for a line with `what` in it, wherever it is said: for what comes
    /// in any order.
    ///
    /// # Panics
    ///
    /// When it is not said in time.
    #[track_caller]
    pub fn hear_anywhere(&mut self, what: &str) -> String {
        let next = std::mem::take(&mut self.next);
        let line = self.hear(what);
        self.next = next;
        line
    }

    /// Waits `time`, in which no line with `what` may be said.
    ///
    /// # Panics
    ///
    /// When it is said.
    #[track_caller]
    pub fn not_hear(&mut self, what: &str, time: Duration) {
        if let Some(line) = self.next_with(what, time) {
            self.fail(&format!("it says {line:?}"));
        }
    }

    fn next_with(&mut self, what: &str, time: Duration) -> Option<String> {
        let deadline = Instant::now() + time;
        let mut looked = self.next;
        let mut said = self.heard.said();
        loop {
            if let Some(offset) = said.lines[looked..].iter().position(|(_, l)| l.contains(what)) {
                self.next = looked + offset + 1;
                return Some(said.lines[looked + offset].1.clone());
            }
            looked = said.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || said.ended == 2 {
                return None;
            }
            said = match self.heard.more.wait_timeout(said, left) {
                Ok((said, _)) => said,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// All lines that were said so far, from both outputs.
    pub fn lines(&self) -> Vec<String> {
        self.heard.said().lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// The lines of the standard output so far.
    pub fn output(&self) -> Vec<String> {
        let said = self.heard.said();
        let out = said.lines.iter().filter(|(voice, _)| *voice == Voice::Out);
        out.map(|(_, line)| line.clone()).collect()
    }

    /// Sends it a signal, by its name without `SIG`.
    ///
    /// # Panics
    ///
    /// When it is not there any more.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{} gets no SIG{name}", self.name);
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, and the end of what it says.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        self.input = None;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                Ok(None) => self.fail("it does not end"),
                Err(error) => self.fail(&format!("it cannot be waited for: {error}")),
            }
        };
        let mut said = self.heard.said();
        while said.ended < 2 && Instant::now() < deadline {
            said = match self.heard.more.wait_timeout(said, Duration::from_millis(50)) {
                Ok((said, _)) => said,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        status
    }

    /// Waits for its end, which must be a good one.
    ///
    /// # Panics
    ///
    /// When it is not, or does not come in time.
    #[track_caller]
    pub fn end_well(&mut self) {
        let status = self.end();
        if !status.success() {
            self.fail(&format!("it ended with {status}"));
        }
    }

    /// Fails the test, with all that was said.
    ///
    /// # Panics
    ///
    /// Always.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        const SHOWN: usize = 60;
        let lines = self.lines();
        let from = lines.len().saturating_sub(SHOWN);
        let left_out = if from > 0 { format!("({from} lines before)\n") } else { String::new() };
        panic!("{}: {why}; it has said:\n{left_out}{}", self.name, lines[from..].join("\n"));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
