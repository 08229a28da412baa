//! Trees of tasks without an allocator: each question is answered by a look at
//! the loop's list. That takes a step for each task and question, which is
//! nothing where tasks are statics.

use super::forest::{Forest, draw};
use crate::schedule::EventLoop;
use crate::task::TaskRef;
use core::fmt;

/// The tasks of a loop as trees, by who awaits whom: `Display` draws them.
pub struct TaskTree<'a>(&'a EventLoop);

/// The tasks of a loop, a line each: `Display` writes them.
pub struct TaskList<'a>(&'a EventLoop);

impl EventLoop {
    /// Its unfinished tasks as trees, by who awaits whom, to be displayed.
    ///
    /// asyncio: `python -m asyncio pstree PID`.
    pub fn pstree(&self) -> TaskTree<'_> {
        TaskTree(self)
    }

    /// Its unfinished tasks as a table, to be displayed.
    ///
    /// asyncio: `python -m asyncio ps PID`.
    pub fn ps(&self) -> TaskList<'_> {
        TaskList(self)
    }
}

impl TaskTree<'_> {
    /// The last task that fits among those before `end` in the loop's list,
    /// which has the newest first.
    fn find(&self, end: Option<&TaskRef>, fits: impl Fn(&TaskRef) -> bool) -> Option<TaskRef> {
        let (mut found, mut over) = (None, false);
        self.0.for_each_task(|task| {
            over = over || end == Some(&task);
            if !over && fits(&task) {
                found = Some(task);
            }
        });
        found
    }
}

fn awaiter(task: &TaskRef) -> Option<TaskRef> {
    task.awaited_by().filter(|parent| !parent.done())
}

/// Whether `task` is in a circle, and the first in memory of those in it.
fn begins_circle(task: &TaskRef) -> bool {
    // Each of a static's tasks is a static: so many steps go round any circle.
    let (mut at, mut steps, mut limit) = (awaiter(task), 0_usize, 1_usize);
    let mut mark = task.clone();
    while let Some(above) = at {
        if above == *task {
            return true;
        }
        if above == mark || above.id() < task.id() && is_awaited_through(&above, task) {
            return false;
        }
        steps += 1;
        if steps == limit {
            mark = above.clone();
            (steps, limit) = (0, limit * 2);
        }
        at = awaiter(&above);
    }
    false
}

/// Whether who awaits `task`, or awaits that one, and so on, is `other`.
fn is_awaited_through(task: &TaskRef, other: &TaskRef) -> bool {
    let (mut at, mut mark) = (awaiter(task), task.clone());
    let (mut steps, mut limit) = (0_usize, 1_usize);
    while let Some(above) = at {
        if above == *other {
            return true;
        }
        if above == mark {
            return false;
        }
        steps += 1;
        if steps == limit {
            mark = above.clone();
            (steps, limit) = (0, limit * 2);
        }
        at = awaiter(&above);
    }
    false
}

impl Forest for TaskTree<'_> {
    type Task = TaskRef;

    fn first_child(&self, parent: Option<&TaskRef>) -> Option<TaskRef> {
        self.find(None, |task| self.parent(task).as_ref() == parent)
    }

    fn next_sibling(&self, task: &TaskRef) -> Option<TaskRef> {
        let parent = self.parent(task);
        self.find(Some(task), |other| self.parent(other) == parent)
    }

    fn parent(&self, task: &TaskRef) -> Option<TaskRef> {
        awaiter(task).filter(|_| !begins_circle(task))
    }

    fn cut(&self, task: &TaskRef) -> Option<TaskRef> {
        awaiter(task).filter(|_| begins_circle(task))
    }

    fn label(&self, task: &TaskRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (task.name(), super::function(task)) {
            (Some(name), "") => f.write_str(name),
            (Some(name), function) => write!(f, "{name}: {function}"),
            (None, "") => write!(f, "{:#x}", task.id()),
            (None, function) => f.write_str(function),
        }
    }
}

impl fmt::Display for TaskTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        draw(self, f)
    }
}

impl fmt::Display for TaskList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tree = TaskTree(self.0);
        let mut next = tree.find(None, |_| true);
        while let Some(task) = next {
            write!(f, "{:#x} {}", task.id(), task.name().unwrap_or("-"))?;
            match super::function(&task) {
                "" => {}
                function => write!(f, " {function}")?,
            }
            if let Some(awaiter) = awaiter(&task) {
                write!(f, " awaited by {awaiter}")?;
            }
            f.write_str("\n")?;
            next = tree.find(Some(&task), |_| true);
        }
        Ok(())
    }
}
