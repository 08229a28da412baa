//! Lines to the standard output, whatever it is.
//!
//! Showing waits for nobody: a terminal that is stopped (Ctrl-S) must not keep
//! the client from answering the server's pings. So many lines wait; what is
//! too much is lost, and it is said how much.

use molen::pipe::{self, PipeError};
use molen::sync::GrowingQueue;
use std::cell::Cell;
use std::rc::Rc;

/// How many lines wait for a reader.
const LINES: usize = 10_000;

pub struct Screen {
    lines: GrowingQueue<String>,
    lost: Cell<usize>,
}

impl Screen {
    pub fn new() -> Rc<Screen> {
        Rc::new(Screen { lines: GrowingQueue::with_maxsize(LINES), lost: Cell::new(0) })
    }

    /// Shows a line.
    pub fn show(&self, line: &str) {
        if self.lines.put_nowait(format!("{line}\n")).is_err() {
            self.lost.set(self.lost.get() + 1);
        }
    }

    /// Writes what is shown, until [`end`](Self::end).
    ///
    /// # Errors
    ///
    /// There is no standard output.
    pub async fn write(self: Rc<Screen>) -> Result<(), PipeError> {
        let stdout = pipe::stdout()?;
        while let Ok(mut lines) = self.lines.get().await {
            while let Ok(line) = self.lines.get_nowait() {
                lines.push_str(&line);
            }
            match self.lost.take() {
                0 => {}
                lost => lines.push_str(&format!("* {lost} lines are lost: nobody has read them\n")),
            }
            if stdout.write_all(lines.as_bytes()).await.is_err() {
                // Nobody reads. What is said is said nevertheless.
                return Ok(());
            }
        }
        Ok(())
    }

    /// Nothing is shown any more; what was is written still.
    pub fn end(&self) {
        self.lines.shutdown();
    }
}
