//! Feeding a child and reading it at the same time, so that neither waits for
//! the other.

use super::process::Process;
use super::process_error::ProcessError;
use crate::pipe::{ReadPipe, WritePipe};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use molen_core::io::source::SourceError;
use std::process::ExitStatus;

/// What a child has written, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output, if that is a pipe.
    pub stdout: Option<Vec<u8>>,
    /// All of its standard error, if that is a pipe of its own.
    pub stderr: Option<Vec<u8>>,
}

impl Process {
    /// Writes `input` to its standard input and closes that, reads its outputs
    /// to their ends, and waits for its end.
    ///
    /// A child that ends, or closes its input, before it has read all of it is no
    /// error. The outputs are kept in memory, whole.
    ///
    /// asyncio: `Process.communicate()`.
    ///
    /// # Errors
    ///
    /// [`ProcessError`]: there is input but no pipe for it, a pipe failed, the
    /// loop was closed.
    ///
    /// # Cancellation
    ///
    /// What was written stays written, what was read is lost, and the pipes are
    /// closed. The child goes on; [`kill`](Self::kill) it and
    /// [`wait`](Self::wait) for it.
    pub async fn communicate(&mut self, input: Option<&[u8]>) -> Result<Output, ProcessError> {
        let pid = self.pid();
        let stdin = self.stdin.take();
        if input.is_some() && stdin.is_none() {
            return Err(ProcessError::NoStdin { pid });
        }
        let failed = |stream| move |cause| ProcessError::Pipe { stream, pid, cause };
        let (fed, stdout, stderr) = all_of(
            feed(stdin, input.unwrap_or_default()),
            read(self.stdout.take()),
            read(self.stderr.take()),
        )
        .await;
        fed.map_err(failed("input"))?;
        let stdout = stdout.map_err(failed("output"))?;
        let stderr = stderr.map_err(failed("error"))?;
        Ok(Output { status: self.wait().await?, stdout, stderr })
    }
}

async fn feed(stdin: Option<WritePipe>, input: &[u8]) -> Result<(), SourceError> {
    let Some(stdin) = stdin else { return Ok(()) };
    match stdin.write_all(input).await {
        // It has read what it wanted to.
        Err(SourceError::ConnectionReset) => Ok(()),
        done => done,
    }
    // Closed here, so that the child finds the end, also of no input.
}

async fn read(output: Option<ReadPipe>) -> Result<Option<Vec<u8>>, SourceError> {
    let Some(output) = output else { return Ok(None) };
    let mut bytes = Vec::new();
    output.read_to_end(&mut bytes).await?;
    Ok(Some(bytes))
}

/// Waits until all three are done.
async fn all_of<A: Future, B: Future, C: Future>(
    a: A,
    b: B,
    c: C,
) -> (A::Output, B::Output, C::Output) {
    let (mut a, mut b, mut c) = (pin!(a), pin!(b), pin!(c));
    let mut done = (None, None, None);
    poll_fn(move |cx| {
        if done.0.is_none()
            && let Poll::Ready(output) = a.as_mut().poll(cx)
        {
            done.0 = Some(output);
        }
        if done.1.is_none()
            && let Poll::Ready(output) = b.as_mut().poll(cx)
        {
            done.1 = Some(output);
        }
        if done.2.is_none()
            && let Poll::Ready(output) = c.as_mut().poll(cx)
        {
            done.2 = Some(output);
        }
        match core::mem::take(&mut done) {
            (Some(a), Some(b), Some(c)) => Poll::Ready((a, b, c)),
            not_all => {
                done = not_all;
                Poll::Pending
            }
        }
    })
    .await
}
