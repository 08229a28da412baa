//! Starting programs, and ending them.
//!
//! Each child is the leader of a process group of its own and is registered until it has been
//! waited for. So a time limit, an early return, a panic (by [`Running`]'s drop) and Ctrl-C or
//! SIGTERM (by [`end_children_on_signals`]) all end the child together with what it started.
//! Only SIGKILL to ourselves leaves children behind; nothing can be done there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// How often a child is asked whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The process groups that live now.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Lets Ctrl-C, SIGTERM and SIGHUP end all children before this program ends.
///
/// # Errors
/// When the handler cannot be installed.
pub fn end_children_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        for group in GROUPS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            end_group(*group);
        }
        eprintln!("interrupted: ended every program that was started");
        std::process::exit(130);
    })
    .context("install the handler for Ctrl-C")
}

#[cfg(unix)]
fn end_group(group: u32) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    if let Ok(group) = i32::try_from(group) {
        // The group may have ended by itself meanwhile; then there is nothing to do.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn end_group(_group: u32) {}

/// A started program, which ends when this is dropped.
pub struct Running {
    child: Child,
    shown: String,
}

impl Running {
    /// Starts `command`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let shown = show(command);
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().with_context(|| format!("start `{shown}`"))?;
        groups.insert(child.id());
        Ok(Self { child, shown })
    }

    /// Its standard output, if it was piped and not taken before.
    pub fn take_stdout(&mut self) -> Option<impl Read + Send + 'static> {
        self.child.stdout.take()
    }

    /// Its standard error, if it was piped and not taken before.
    pub fn take_stderr(&mut self) -> Option<impl Read + Send + 'static> {
        self.child.stderr.take()
    }

    /// The status it has ended with, or `None` while it runs.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("look whether `{}` has ended", self.shown))
    }

    /// Waits for its end for at most `limit`; `None` when it still runs then.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Ends it and everything that it started.
    pub fn end(&mut self) {
        // A leader that has been waited for may have handed its number on to a stranger, so the
        // group is only signalled as long as the registry says that the leader is ours.
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.contains(&self.child.id()) {
            if matches!(self.child.try_wait(), Ok(None)) {
                end_group(self.child.id());
                // Where there are no groups, this is what ends it.
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            groups.remove(&self.child.id());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Captured {
    /// The command line, for messages.
    pub shown: String,
    /// `None`: it was ended because its time was up.
    pub status: Option<ExitStatus>,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error; bytes that are not UTF-8 are replaced.
    pub stderr: String,
}

impl Captured {
    /// Standard output of a program that succeeded.
    ///
    /// # Errors
    /// When it was ended, or ended with another status than 0; with the end of what it said.
    pub fn require_success(self) -> Result<String> {
        match self.status {
            Some(status) if status.success() => Ok(self.stdout),
            Some(status) => {
                Err(anyhow!("`{}` ended with {status}: {}", self.shown, tail(&self.stderr, 12)))
            }
            None => Err(anyhow!(
                "`{}` did not end in time and was ended: {}",
                self.shown,
                tail(&self.stderr, 12)
            )),
        }
    }
}

/// Runs `command` without input and collects what it says, for at most `limit`.
///
/// # Errors
/// When it cannot be started. A bad exit status or a time-out is in the answer.
pub fn capture(command: &mut Command, limit: Duration) -> Result<Captured> {
    capture_lines(command, limit, |_| ())
}

/// As [`capture`], and hands each line of standard output to `seen` when it comes.
///
/// # Errors
/// As [`capture`].
pub fn capture_lines(
    command: &mut Command,
    limit: Duration,
    seen: impl FnMut(&str) + Send + 'static,
) -> Result<Captured> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(command)?;
    let out = running.take_stdout().map(|pipe| collect(pipe, seen));
    let err = running.take_stderr().map(|pipe| collect(pipe, |_| ()));
    let status = running.wait(limit)?;
    running.end();
    let joined = |thread: Option<thread::JoinHandle<String>>| {
        thread.and_then(|thread| thread.join().ok()).unwrap_or_default()
    };
    Ok(Captured { shown: show(command), status, stdout: joined(out), stderr: joined(err) })
}

/// Reads a pipe to its end in a thread of its own.
pub fn collect_all(pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    collect(pipe, |_| ())
}

/// As [`collect_all`], and hands each line to `seen` when it comes.
fn collect(
    pipe: impl Read + Send + 'static,
    mut seen: impl FnMut(&str) + Send + 'static,
) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut all = String::new();
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(pipe.read_until(b'\n', &mut line), Ok(length) if length > 0) {
            let text = String::from_utf8_lossy(&line).replace('\r', "");
            seen(text.trim_end_matches('\n'));
            all.push_str(&text);
            line.clear();
        }
        all
    })
}

/// Runs `command` for at most `limit` with its output shown as it comes, and returns its standard
/// output too. All of it is shown on standard error: standard output is for results.
///
/// # Errors
/// When it cannot be started. A bad exit status or a time-out is in the answer.
pub fn show_and_capture(command: &mut Command, limit: Duration) -> Result<Captured> {
    let shown = show(command);
    eprintln!("    $ {shown}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut running = Running::start(command)?;
    let out = running.take_stdout().map(|pipe| collect(pipe, |line| eprintln!("{line}")));
    let status = running.wait(limit)?;
    running.end();
    let stdout = out.and_then(|thread| thread.join().ok()).unwrap_or_default();
    Ok(Captured { shown, status, stdout, stderr: String::new() })
}

/// Runs `command` with its output shown as it comes.
///
/// # Errors
/// When it cannot be started, does not succeed, or takes longer than an hour; `doing` says what it
/// was for.
pub fn run_streamed(command: &mut Command, doing: &str) -> Result<()> {
    let captured =
        show_and_capture(command, Duration::from_secs(3600)).with_context(|| doing.to_owned())?;
    match captured.status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("{doing}: `{}` ended with {status}", captured.shown),
        None => bail!("{doing}: `{}` did not end within an hour and was ended", captured.shown),
    }
}

/// The command line as one would type it.
pub fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| {
        let word = word.to_string_lossy();
        if word.is_empty() || word.contains([' ', '\'', '"', '*', '$', '|', ';']) {
            format!("'{}'", word.replace('\'', "'\\''"))
        } else {
            word.into_owned()
        }
    }));
    words.join(" ")
}

/// The last `lines` lines of `text`, each indented.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    let from = all.len().saturating_sub(lines);
    all[from..].iter().map(|line| format!("\n      | {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_program_that_hangs_its_end_is_forced_at_the_limit() -> Result<()> {
        let began = Instant::now();
        let mut command = Command::new("sh");
        // The grandchild holds the pipe: only ending the whole group lets the reader finish.
        command.args(["-c", "echo begun; sleep 30; true"]);
        let captured = capture(&mut command, Duration::from_millis(300))?;
        assert!(captured.status.is_none());
        assert_eq!(captured.stdout, "begun\n");
        assert!(began.elapsed() < Duration::from_secs(10));
        Ok(())
    }

    #[test]
    fn given_a_failing_program_the_error_names_it_and_quotes_it() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why it failed >&2; exit 3"]);
        let Err(error) = capture(&mut command, Duration::from_secs(10))?.require_success() else {
            bail!("exit status 3 was taken for a success");
        };
        let text = format!("{error:#}");
        assert!(
            text.contains("sh -c") && text.contains("why it failed") && text.contains('3'),
            "{text}"
        );
        Ok(())
    }
}
