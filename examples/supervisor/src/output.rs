//! What programs write, line by line with their names, to one standard output.
//!
//! ```text
//!  a program's pipe ─▶ follow ─▶ lines, a few pieces at most ─▶┐
//!  a program's pipe ─▶ follow ─▶───────────────────────────────┤─▶ write ─▶ standard output
//!  the supervisor itself ─▶ news, never waited for ───────────▶┘
//! ```
//!
//! Whoever reads our output sets the pace: when the lines do not go out, the
//! pipes are not read, and a program that floods waits in its own `write`. The
//! supervisor's news wait for nobody, or a stopped terminal would keep it from
//! stopping programs.

use molen::combine::Either;
use molen::pipe::{self, PipeError, ReadPipe};
use molen::sync::GrowingQueue;
use molen::{Duration, Event, Queue, select, sleep};
use std::rc::Rc;

/// How much is read from a pipe at once.
const PIECE: usize = 1 << 14;

/// How long nothing may come through the pipe of a program that has ended.
const LEFT_OPEN: Duration = Duration::from_millis(200);

/// The most that a pipe can hold: what a program has said before its end.
const FULL_PIPE: usize = 1 << 20;

/// Lines that are longer are cut.
const LONGEST_LINE: usize = 1 << 13;

/// How many pieces of lines wait to be written.
const PIECES: usize = 16;

/// How many of the supervisor's own lines wait; more are lost.
const NEWS: usize = 1000;

/// The standard output, for all.
pub struct Output {
    lines: Queue<Vec<u8>, PIECES>,
    news: GrowingQueue<Vec<u8>>,
}

impl Output {
    pub fn new() -> Rc<Output> {
        Rc::new(Output { lines: Queue::new(), news: GrowingQueue::with_maxsize(NEWS) })
    }

    /// Says something as the supervisor.
    pub fn say(&self, text: &str) {
        self.tell("supervisor", text);
    }

    /// Says something about a program.
    pub fn tell(&self, name: &str, text: &str) {
        let mut lines = Vec::new();
        for line in text.lines() {
            put_line(&mut lines, name, line.as_bytes());
        }
        // When nobody has read a thousand lines, nobody will miss one more.
        let _ = self.news.put_nowait(lines);
    }

    /// Puts out all that comes from `pipe`, to its end; or, when the program has
    /// `ended` and somebody else still holds the pipe, until nothing comes for a
    /// while, or more than the program can have said itself.
    pub async fn follow(&self, name: &str, pipe: &ReadPipe, ended: &Event) {
        let (mut piece, mut rest, mut left) = (vec![0; PIECE], Vec::new(), FULL_PIPE);
        while left > 0 {
            let silence = async {
                ended.wait().await;
                sleep(LEFT_OPEN).await;
            };
            let count = match select((pipe.read(&mut piece), silence)).await {
                Either::First(Ok(count @ 1..)) => count,
                // The end, or as good as that.
                Either::First(_) | Either::Second(()) => break,
            };
            if ended.is_set() {
                left = left.saturating_sub(count);
            }
            let lines = cut_lines(&mut rest, name, &piece[..count]);
            if !lines.is_empty() && self.lines.put(lines).await.is_err() {
                return;
            }
        }
        if !rest.is_empty() {
            let mut line = Vec::new();
            put_line(&mut line, name, &rest);
            // Nobody waits for it when the queue is shut down.
            let _ = self.lines.put(line).await;
        }
    }

    /// Writes what is put out, until [`end`](Self::end).
    ///
    /// # Errors
    ///
    /// The standard output is not there.
    pub async fn write(self: Rc<Output>) -> Result<(), PipeError> {
        let stdout = pipe::stdout()?;
        let mut reader_is_gone = false;
        loop {
            let bytes = match select((self.news.get(), self.lines.get())).await {
                Either::First(Ok(bytes)) | Either::Second(Ok(bytes)) => bytes,
                // One of them is over: what is left is in the other.
                Either::First(Err(_)) => match self.lines.get().await {
                    Ok(bytes) => bytes,
                    Err(_) => return Ok(()),
                },
                Either::Second(Err(_)) => match self.news.get().await {
                    Ok(bytes) => bytes,
                    Err(_) => return Ok(()),
                },
            };
            // Then programs go on, and say it to nobody.
            reader_is_gone = reader_is_gone || stdout.write_all(&bytes).await.is_err();
        }
    }

    /// Nothing is put out any more; what was is written still.
    pub fn end(&self) {
        self.lines.shutdown();
        self.news.shutdown();
    }
}

fn put_line(lines: &mut Vec<u8>, name: &str, line: &[u8]) {
    lines.extend_from_slice(name.as_bytes());
    lines.extend_from_slice(b"| ");
    lines.extend_from_slice(line);
    lines.push(b'\n');
}

/// The lines of `rest` and `piece` together, each with its name; what has no
/// end yet is in `rest` afterwards.
fn cut_lines(rest: &mut Vec<u8>, name: &str, piece: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for part in piece.split_inclusive(|byte| *byte == b'\n') {
        rest.extend_from_slice(part);
        while rest.len() > LONGEST_LINE + 1 {
            let line: Vec<u8> = rest.drain(..LONGEST_LINE).collect();
            put_line(&mut lines, name, &line);
        }
        if let Some(line) = rest.strip_suffix(b"\n") {
            put_line(&mut lines, name, line);
            rest.clear();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_long_ones_in_pieces() {
        let mut rest = Vec::new();
        assert_eq!(cut_lines(&mut rest, "a", b"one\ntw"), b"a| one\n");
        assert_eq!(cut_lines(&mut rest, "a", b"o\n\nthree"), b"a| two\na| \n");
        assert_eq!(rest, b"three");
        rest.clear();
        let long = vec![b'x'; LONGEST_LINE * 2 + 10];
        let lines = cut_lines(&mut rest, "b", &long);
        let expected = [b"b| ", &long[..LONGEST_LINE], b"\n"].concat();
        assert_eq!(lines, [expected.clone(), expected].concat());
        assert_eq!(cut_lines(&mut rest, "b", b"\n"), b"b| xxxxxxxxxx\n");
        let exact = [&long[..LONGEST_LINE], b"\n"].concat();
        let lines = cut_lines(&mut rest, "c", &exact);
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
