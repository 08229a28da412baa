//! A child as its parent sees it.

use super::exit::Exit;
use super::process_error::ProcessError;
use super::system::{self, returncode};
use crate::pipe::{ReadPipe, WritePipe};
use crate::signals::Signal;
use core::fmt;
use molen_core::net::ChildPipes;
use std::io;
use std::process::ExitStatus;
use std::rc::Rc;

/// A program that was started.
///
/// Dropping it ends nothing, unless [`OnDrop::Kill`](super::OnDrop::Kill) was
/// asked for: the child goes on, with its pipes closed, and the loop reaps it when
/// it ends. When the loop is closed first, it is reaped when another child is
/// started, or by the system at the end of this process.
///
/// asyncio: `asyncio.subprocess.Process`.
pub struct Process {
    exit: Rc<Exit>,
    /// What it reads, if that is a pipe. Dropped or closed, the child finds the end.
    pub stdin: Option<WritePipe>,
    /// What it writes, if that is a pipe. A child that writes more than the pipe
    /// holds waits until it is read: who only waits for its end may wait for ever.
    ///
    /// Line by line it is read through a buffer:
    ///
    #[cfg_attr(unix, doc = "```")]
    #[cfg_attr(not(unix), doc = "```ignore")]
    /// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
    /// use molen::net::PullReader;
    /// use molen::subprocess::{Command, Redirect, create_subprocess_exec};
    ///
    /// let event_loop = molen::new_event_loop()?;
    /// let date = event_loop.run_until_complete(async {
    ///     let mut date = Command::new("date");
    ///     let mut process = create_subprocess_exec(date.stdout(Redirect::Pipe)).await?;
    ///     let stdout = process.stdout.take().expect("it is a pipe");
    ///     let mut buffer = [0; 4096];
    ///     let mut lines = PullReader::new(&stdout, &mut buffer);
    ///     let line = lines.readline().await?.to_vec();
    ///     process.wait().await?;
    ///     Ok::<_, std::io::Error>(line)
    /// })??;
    /// assert!(date.ends_with(b"\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A reader that can be kept beside what it reads:
    /// [`open_streams`](molen_core::net::open_streams), whose writer is to be kept
    /// as long as the reader.
    pub stdout: Option<ReadPipe>,
    /// What it writes about its errors, if that is a pipe of its own.
    pub stderr: Option<ReadPipe>,
}

impl Process {
    pub(super) fn of(exit: Rc<Exit>, pipes: ChildPipes<WritePipe, ReadPipe>) -> Process {
        Process { exit, stdin: pipes.stdin, stdout: pipes.stdout, stderr: pipes.stderr }
    }

    /// Its number. Once it has been reaped, the number may be another's.
    pub fn pid(&self) -> u32 {
        self.exit.pid()
    }

    /// How it ended, in one number; `None` while it runs. See [`returncode`].
    pub fn returncode(&self) -> Option<i32> {
        self.exit.status().map(returncode)
    }

    /// Waits until it has ended.
    ///
    /// Its end alone: what it wrote may still be read then, and others may
    /// still hold its pipes. Any number of tasks may wait.
    ///
    /// asyncio: `Process.wait()`, as it is since 2026: before, it waited for
    /// the pipes too.
    ///
    /// # Errors
    ///
    /// [`ProcessError::LoopClosed`] when its loop was closed before.
    ///
    /// # Cancellation
    ///
    /// Nothing changes; it can be waited for again.
    pub async fn wait(&self) -> Result<ExitStatus, ProcessError> {
        struct Waiting<'a>(&'a Exit, u64);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.forget_waiter(self.1);
            }
        }
        let waiting = Waiting(&self.exit, self.exit.new_waiter());
        let status = core::future::poll_fn(|cx| waiting.0.poll_status(cx, waiting.1)).await;
        status.ok_or(ProcessError::LoopClosed { pid: self.pid() })
    }

    /// Sends it `signal`.
    ///
    /// On Windows, [`Signal::INT`] and `Signal::BREAK` are events of the console
    /// (the first for all its programs, this one among them; the second for a
    /// child that was started in a [group](super::Command::process_group) of its
    /// own), `TERM` and `KILL` end it, and others are refused.
    ///
    /// asyncio: `Process.send_signal()`.
    ///
    /// # Errors
    ///
    /// [`ProcessError::NoSuchProcess`] when it has ended, which one sees only
    /// when the loop has noticed it; [`ProcessError::NotSent`] when the
    /// system refuses, for instance because it runs as another user.
    pub fn send_signal(&self, signal: Signal) -> Result<(), ProcessError> {
        self.sent(signal, self.exit.send_signal(signal))
    }

    fn sent(&self, signal: Signal, result: io::Result<()>) -> Result<(), ProcessError> {
        let pid = self.pid();
        result.map_err(|cause| {
            if system::is_gone(&cause) {
                ProcessError::NoSuchProcess { signal, pid }
            } else {
                ProcessError::NotSent { signal, pid, cause }
            }
        })
    }

    /// Sends `signal` to it and to all whom it has started, if it was told to lead
    /// a [group](super::Command::process_group) or a
    /// [session](super::Command::start_new_session).
    ///
    /// Once the loop has noticed its end this is refused, for the group's number may
    /// be another's: what it leaves behind is ended by
    /// [`end_group_with_it`](super::Command::end_group_with_it).
    ///
    /// On Windows, `Signal::BREAK` alone can be sent to a group.
    ///
    /// asyncio: `os.killpg(process.pid, signal)`, which has that danger.
    ///
    /// # Errors
    ///
    /// [`ProcessError::NoGroup`] when it leads none; others as
    /// [`send_signal`](Self::send_signal).
    pub fn signal_group(&self, signal: Signal) -> Result<(), ProcessError> {
        if !self.exit.leads_group() {
            return Err(ProcessError::NoGroup { signal, pid: self.pid() });
        }
        self.sent(signal, self.exit.signal_group(signal))
    }

    /// Asks it to end: SIGTERM. On Windows, which cannot ask, it ends it.
    ///
    /// asyncio: `Process.terminate()`.
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Self::send_signal).
    pub fn terminate(&self) -> Result<(), ProcessError> {
        self.send_signal(Signal::TERM)
    }

    /// Ends it: SIGKILL, or `TerminateProcess`. asyncio: `Process.kill()`.
    ///
    /// # Errors
    ///
    /// As [`send_signal`](Self::send_signal).
    pub fn kill(&self) -> Result<(), ProcessError> {
        self.send_signal(Signal::KILL)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.exit.owner_dropped();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("pid", &self.pid())
            .field("returncode", &self.returncode())
            .finish_non_exhaustive()
    }
}
