//! A trace as a file in Chrome's trace event format, which ui.perfetto.dev and
//! `chrome://tracing` open as a picture: a row for each thread with its turns,
//! sleeps and steps, a row for each task with its life, and arrows from the
//! step that wakes a task to the step that this leads to.
//!
//! ```text
//!  thread 1  │ turn ────────────────────────────┐ turn ─────
//!            │  sleep ──┐ serve ─┐ fetch ───┐      fetch ─┐
//!            │          │        │  wake ───┼──────▲
//!  tasks     │ serve ───────────────────────────────────────
//! ```
//!
//! The file is a whole JSON document at any time, also when the process is
//! killed: what is written ends in the closing bracket, and the next piece
//! begins by overwriting it. What is not written yet is lost then; that is at
//! most what happened since the loop last slept, or in the last tenth of a
//! second before that.

use super::json::Quoted;
use core::cell::Cell;
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicU32, Ordering};
use molen_core::EventLoop;
use molen_core::trace::{Event, Kind, Step, Trace};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a file ends in.
const END: &str = "\n]\n";

/// So much is gathered before it is written.
const ENOUGH: usize = 64 * 1024;

/// After so long, what was gathered is written before the loop sleeps.
const LONG: Duration = Duration::from_millis(100);

/// A trace file, to be given to [`EventLoop::set_tracer`].
///
/// Several loops, on several threads, may share one.
///
/// ```no_run
/// # mod molen { pub use {molen_core::*, molen_std::{net, trace, *}}; }
/// # use molen::trace::TraceFile;
/// let event_loop = molen::new_event_loop()?;
/// let file: &'static TraceFile = Box::leak(Box::new(TraceFile::create("trace.json")?));
/// event_loop.set_tracer(Some(file));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TraceFile {
    start: Instant,
    writer: Mutex<Writer>,
}

struct Writer {
    file: File,
    /// Where the end of the document is, which the next piece overwrites.
    end: u64,
    pending: String,
    written: Instant,
    failure: Option<io::Error>,
}

impl TraceFile {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn create(path: impl AsRef<Path>) -> io::Result<TraceFile> {
        let start = Instant::now();
        let mut file = File::create(path)?;
        let name = std::env::current_exe().ok();
        let name = name
            .as_deref()
            .and_then(Path::file_stem)
            .map_or("molen".into(), |name| name.to_string_lossy());
        let mut document = String::from("[\n");
        // Text grows as it is needed: this cannot fail, here and below.
        let _ = write!(
            document,
            r#"{{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}}"#,
            std::process::id(),
            Quoted(&name)
        );
        let end = document.len() as u64;
        document.push_str(END);
        file.write_all(document.as_bytes())?;
        let writer = Writer { file, end, pending: String::new(), written: start, failure: None };
        Ok(TraceFile { start, writer: Mutex::new(writer) })
    }

    /// Writes what was gathered. This happens by itself when it is enough,
    /// before sleeps, and when a loop is closed.
    ///
    /// # Errors
    ///
    /// The operating system's, of this or an earlier write. After one the
    /// trace goes no further.
    pub fn flush(&self) -> io::Result<()> {
        let mut writer = self.writer();
        writer.write();
        writer.failure.take().map_or(Ok(()), Err)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        self.writer().write();
    }
}

impl fmt::Debug for TraceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceFile(..)")
    }
}

impl Writer {
    fn write(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let length = self.pending.len() as u64;
        self.pending.push_str(END);
        // One write, so that there is no moment without an end.
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(self.pending.as_bytes()));
        self.pending.clear();
        match written {
            Ok(()) => self.end += length,
            Err(error) => self.failure = self.failure.take().or(Some(error)),
        }
        self.written = Instant::now();
    }

    /// Begins an event: all but the closing brace.
    fn begin(&mut self, phase: &str, name: &str, micros: f64) {
        let _ = write!(
            self.pending,
            ",\n{{\"ph\":\"{phase}\",\"name\":{},\"ts\":{micros:.3},\"pid\":{},\"tid\":{}",
            Quoted(name),
            std::process::id(),
            thread_number()
        );
    }

    fn simple(&mut self, phase: &str, name: &str, micros: f64) {
        self.begin(phase, name, micros);
        self.pending.push('}');
    }

    /// The arrow from a wake to the step that follows, or the life of a task.
    fn linked(&mut self, phase: &str, category: &str, name: &str, id: usize, micros: f64) {
        self.begin(phase, name, micros);
        let _ = write!(self.pending, r#","cat":"{category}","id":"{id:#x}""#);
        // An arrow leads to the step around it, not to the next one.
        self.pending.push_str(if phase == "f" { r#","bp":"e"}"# } else { "}" });
    }

    fn step(&mut self, step: Step<'_>, micros: f64) {
        let category = match step.kind() {
            Kind::Task => "task",
            Kind::Callback => "callback",
        };
        self.begin("B", step.function(), micros);
        let _ = write!(self.pending, r#","cat":"{category}","args":{{"id":"{:#x}""#, step.id());
        if let Some(name) = step.task().and_then(|task| task.name()) {
            let _ = write!(self.pending, r#","name":{}"#, Quoted(&name));
        }
        self.pending.push_str("}}");
        if step.kind() == Kind::Task {
            self.linked("f", "wake", "wake", step.id(), micros);
        }
    }

    fn record(&mut self, event: Event<'_>, micros: f64) {
        match event {
            Event::TurnBegin => self.simple("B", "turn", micros),
            Event::TurnEnd(counters) => {
                self.begin("E", "turn", micros);
                let _ = write!(
                    self.pending,
                    r#","args":{{"polls":{},"fired":{},"ran":{},"wakes":{},"redundant wakes":{},"longest step (µs)":{}}}}}"#,
                    counters.polls,
                    counters.fired,
                    counters.ran,
                    counters.wakes,
                    counters.redundant_wakes,
                    counters.longest_step.as_micros()
                );
            }
            Event::SleepBegin(_) => self.simple("B", "sleep", micros),
            Event::SleepEnd => self.simple("E", "sleep", micros),
            Event::StepBegin(step) => self.step(step, micros),
            Event::StepEnd(step) => self.simple("E", step.function(), micros),
            Event::Slow(step, took) => {
                self.begin("i", "slow", micros);
                let _ = write!(
                    self.pending,
                    r#","s":"t","args":{{"step":{},"took (µs)":{}}}}}"#,
                    Quoted(&step.to_string()),
                    took.as_micros()
                );
            }
            Event::TaskCreated(task) => {
                self.linked("b", "task", task.function(), task.id(), micros);
            }
            Event::TaskWoken(task) => self.linked("s", "wake", "wake", task.id(), micros),
            Event::TaskEnded(task) => self.linked("e", "task", task.function(), task.id(), micros),
            Event::TimerSet { timer, when } => {
                self.begin("i", "timer set", micros);
                let _ = write!(
                    self.pending,
                    r#","s":"t","args":{{"timer":"{timer:#x}","due (ns)":{}}}}}"#,
                    when.as_nanos()
                );
            }
            Event::TimerFired { timer } => {
                self.begin("i", "timer fired", micros);
                let _ = write!(self.pending, r#","s":"t","args":{{"timer":"{timer:#x}"}}}}"#);
            }
            _ => {}
        }
    }
}

impl Trace for TraceFile {
    fn record(&self, _event_loop: &EventLoop, event: Event<'_>) {
        let mut writer = self.writer();
        if writer.failure.is_some() {
            return;
        }
        let now = Instant::now();
        writer.record(event, now.saturating_duration_since(self.start).as_nanos() as f64 / 1000.0);
        let due = match event {
            Event::LoopClosed => true,
            Event::SleepBegin(_) => now.saturating_duration_since(writer.written) >= LONG,
            _ => writer.pending.len() >= ENOUGH,
        };
        if due {
            writer.write();
        }
    }
}

/// The threads in the order in which they first had something to tell.
fn thread_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}
