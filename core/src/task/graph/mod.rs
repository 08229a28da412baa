//! Who awaits whom.
//!
//! A task that awaits another's handle is remembered there, so as to be woken;
//! that is the edge. `gather`, `wait`, `TaskGroup` and the others wait for
//! their tasks through the same handles, so their edges need nothing more.
//!
//! ```text
//!   main ──awaits──▶ fetch all ──awaits──▶ fetch a      upwards:   CallGraph of "fetch a"
//!                              └─awaits──▶ fetch b      downwards: pstree, from "main"
//! ```
//!
//! The tasks of a `TaskGroup` are awaited from the end of its body on.
//!
//! A task has one awaiter at most: the one that polled its handle last, until
//! the handle is dropped or the task has ended. One that polled a handle, gave
//! up, and keeps it, is still named.
//!
//! | asyncio | here |
//! |---|---|
//! | `capture_call_graph()` | [`capture_call_graph`] |
//! | `print_call_graph()` | [`print_call_graph`] |
//! | `python -m asyncio pstree PID` | [`EventLoop::pstree`](crate::EventLoop::pstree); for another process: `molen-ps` |
//! | `python -m asyncio ps PID` | [`EventLoop::ps`](crate::EventLoop::ps) |
//!
//! A coroutine of Rust has no frames to look at; with the feature `trace` each
//! task says which function it runs.

mod forest;
#[cfg(not(feature = "alloc"))]
mod live;
#[cfg(feature = "alloc")]
mod table;

#[cfg(not(feature = "alloc"))]
pub use live::{TaskList, TaskTree};
#[cfg(feature = "alloc")]
pub use table::{TaskRow, TaskTable, TaskTree};

use super::task_ref::{TaskRef, current_task};
use core::fmt;

/// A task, the task that awaits it, the one that awaits that, and so on.
///
/// It is not a copy: it shows who awaits whom when it is looked at.
///
/// asyncio: `FutureCallGraph`.
#[derive(Clone)]
pub struct CallGraph {
    task: TaskRef,
}

impl CallGraph {
    /// The task at its beginning. asyncio: `FutureCallGraph.future`.
    pub fn task(&self) -> &TaskRef {
        &self.task
    }

    /// The rest of it: the graph of the task that awaits this one.
    ///
    /// asyncio: `FutureCallGraph.awaited_by`.
    pub fn awaited_by(&self) -> Option<CallGraph> {
        self.task.awaited_by().map(|task| CallGraph { task })
    }

    /// The tasks from this one upwards, each once, and whether the last one is
    /// awaited by one of them.
    fn length(&self) -> (usize, bool) {
        // Brent: a hare that waits at 1, 2, 4, … finds itself again if there is a circle.
        let (mut hare, mut tortoise) = (self.task.clone(), self.task.clone());
        let (mut steps, mut limit, mut length) = (0, 1, 1);
        while let Some(next) = hare.awaited_by() {
            hare = next;
            length += 1;
            steps += 1;
            if hare == tortoise {
                return (self.before_circle(steps) + steps, true);
            }
            if steps == limit {
                tortoise = hare.clone();
                (steps, limit) = (0, limit * 2);
            }
        }
        (length, false)
    }

    /// How many tasks come before a circle of `size`.
    fn before_circle(&self, size: usize) -> usize {
        let mut ahead = Some(self.task.clone());
        for _ in 0..size {
            ahead = ahead.and_then(|task| task.awaited_by());
        }
        let (mut behind, mut before) = (Some(self.task.clone()), 0);
        while behind != ahead {
            behind = behind.and_then(|task| task.awaited_by());
            ahead = ahead.and_then(|task| task.awaited_by());
            before += 1;
        }
        before
    }
}

/// A line for each task, further to the right the further up; a circle is
/// gone round once.
///
/// ```text
/// * Task(name="fetch a", id=0x7f8e0c000b70)
///   + Awaited by:
///     * Task(name="fetch all", id=0x7f8e0c000d20)
/// ```
impl fmt::Display for CallGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (length, circular) = self.length();
        let mut next = Some(self.task.clone());
        for level in 0..length {
            let Some(task) = next else { break };
            if level > 0 {
                writeln!(f, "{:indent$}+ Awaited by:", "", indent = level * 4 - 2)?;
            }
            writeln!(f, "{:indent$}* {}", "", Labelled(&task), indent = level * 4)?;
            next = task.awaited_by();
        }
        match next {
            Some(task) if circular => {
                writeln!(f, "{:indent$}+ Awaited by:", "", indent = length * 4 - 2)?;
                writeln!(f, "{:indent$}* {} again", "", Labelled(&task), indent = length * 4)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for CallGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (length, circular) = self.length();
        write!(f, "CallGraph({}, {length} tasks, circular: {circular})", self.task)
    }
}

/// A task as CPython's call graphs show it.
struct Labelled<'a>(&'a TaskRef);

impl fmt::Display for Labelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task(")?;
        if let Some(name) = self.0.name() {
            write!(f, "name={name:?}, ")?;
        }
        write!(f, "id={:#x}", self.0.id())?;
        match function(self.0) {
            "" => f.write_str(")"),
            function => write!(f, ", in {function})"),
        }
    }
}

/// The function that a task runs; empty when that is not known.
#[cfg(feature = "trace")]
fn function(task: &TaskRef) -> &'static str {
    task.function()
}

/// The function that a task runs; empty when that is not known.
#[cfg(not(feature = "trace"))]
fn function(_task: &TaskRef) -> &'static str {
    ""
}

/// The call graph of `task`, or of the task that runs; `None` where none does.
///
/// asyncio: `asyncio.capture_call_graph()`.
pub fn capture_call_graph(task: Option<&TaskRef>) -> Option<CallGraph> {
    task.cloned().or_else(current_task).map(|task| CallGraph { task })
}

/// Writes the call graph of `task`, or of the task that runs; nothing where
/// none does.
///
/// asyncio: `asyncio.print_call_graph()`.
///
/// # Errors
///
/// Those of `to`.
pub fn print_call_graph(task: Option<&TaskRef>, to: &mut dyn fmt::Write) -> fmt::Result {
    match capture_call_graph(task) {
        Some(graph) => write!(to, "{graph}"),
        None => Ok(()),
    }
}
