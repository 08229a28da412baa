//! The loops that may be asked, and asking them.

use super::{Question, ServeError};
use core::fmt::{self, Write};
use molen_core::schedule::Remote;
use molen_core::task::graph::TaskTable;
use molen_core::{EventLoop, get_running_loop};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long loops have to answer.
const PATIENCE: Duration = Duration::from_secs(2);

struct Served {
    /// Its address, which is no other loop's while `remote` is there.
    id: usize,
    thread: String,
    remote: Remote,
}

static SERVED: Mutex<Vec<Served>> = Mutex::new(Vec::new());

/// Lets the loop that runs on this thread be asked until it is closed.
pub(super) fn add_running() -> Result<(), ServeError> {
    let event_loop = get_running_loop().map_err(ServeError::NoRunningLoop)?;
    let id = core::ptr::from_ref::<EventLoop>(&event_loop).addr();
    let thread = thread::current();
    let thread = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
    if served.iter().all(|known| known.id != id) {
        served.push(Served { id, thread, remote: event_loop.remote() });
    }
    Ok(())
}

/// Asks all loops; what each of them, or the lack of an answer, says.
pub(super) fn answer(question: Question) -> String {
    let asked: Vec<(String, Receiver<TaskTable>)> = {
        let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = Vec::new();
        // A loop that is closed refuses the call, and is forgotten.
        served.retain(|known| match ask(&known.remote) {
            Some(answer) => {
                asked.push((known.thread.clone(), answer));
                true
            }
            None => false,
        });
        asked
    };
    let deadline = Instant::now() + PATIENCE;
    let mut text = String::new();
    for (thread, answer) in asked {
        let left = deadline.saturating_duration_since(Instant::now());
        // Text grows as it is needed: this cannot fail.
        let _ = describe(&mut text, question, &thread, answer.recv_timeout(left));
    }
    if text.is_empty() {
        text.push_str("no event loop is open\n");
    }
    text
}

fn ask(remote: &Remote) -> Option<Receiver<TaskTable>> {
    let (tell, answer) = mpsc::channel();
    let question = move || {
        if let Ok(event_loop) = get_running_loop() {
            // Who asked may have lost patience.
            let _ = tell.send(event_loop.ps());
        }
    };
    remote.call_soon_threadsafe(question).ok().map(|_| answer)
}

fn describe(
    text: &mut String,
    question: Question,
    thread: &str,
    answer: Result<TaskTable, RecvTimeoutError>,
) -> fmt::Result {
    match answer {
        Ok(table) => {
            writeln!(text, "event loop of thread {thread}: {} tasks", table.rows().len())?;
            match question {
                Question::Table => write!(text, "{table}"),
                Question::Tree => write!(text, "{}", table.into_tree()),
            }
        }
        Err(RecvTimeoutError::Timeout) => writeln!(
            text,
            "event loop of thread {thread}: no answer within {PATIENCE:?}: it is in a long step, or does not run"
        ),
        Err(RecvTimeoutError::Disconnected) => {
            writeln!(text, "event loop of thread {thread}: closed meanwhile")
        }
    }
}
