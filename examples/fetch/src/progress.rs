//! How far it came, on a terminal, ten times a second.

use molen::{Duration, sleep};
use std::cell::Cell;
use std::io::{self, IsTerminal, Write};

const OFTEN: Duration = Duration::from_millis(100);

/// How far it came.
pub struct Progress {
    pub done: Cell<usize>,
    pub of: usize,
    /// How many are under way.
    pub busy: Cell<usize>,
    bytes: Cell<u64>,
    shown: bool,
}

impl Progress {
    /// Nothing yet.
    pub fn new(of: usize) -> Progress {
        Progress {
            done: Cell::new(0),
            of,
            busy: Cell::new(0),
            bytes: Cell::new(0),
            shown: io::stderr().is_terminal(),
        }
    }

    /// So many have come.
    pub fn bytes(&self, count: usize) {
        self.bytes.set(self.bytes.get() + count as u64);
    }

    /// Shows it until it is dropped, if there is a terminal.
    ///
    /// # Cancellation
    ///
    /// The line is cleared.
    pub async fn show(&self) {
        struct Clear;
        impl Drop for Clear {
            fn drop(&mut self) {
                // A terminal that is gone has no line to clear.
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        }
        if !self.shown {
            return std::future::pending().await;
        }
        let _clear = Clear;
        loop {
            let (done, of, busy) = (self.done.get(), self.of, self.busy.get());
            let bytes = amount(self.bytes.get());
            let line = format!("\r\x1b[K{done} of {of} URLs, {busy} under way, {bytes}");
            let _ = io::stderr().write_all(line.as_bytes());
            sleep(OFTEN).await;
        }
    }
}

/// A number of bytes for people.
pub fn amount(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
