//! A copy of what a loop's tasks are, to be shown in another thread or later.

use super::forest::{Forest, draw};
use crate::schedule::EventLoop;
use crate::task::TaskRef;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// What a task was when the table was made.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TaskRow {
    /// Its number, as [`TaskRef::id`].
    pub id: usize,
    /// Its name; empty when it was given none.
    pub name: String,
    /// The function that it runs; empty without the feature `trace`.
    pub function: &'static str,
    /// How many cancels stood.
    pub cancelling: u8,
    /// The row of the task that awaits it.
    pub awaiter: Option<usize>,
}

impl TaskRow {
    fn of(task: &TaskRef) -> TaskRow {
        TaskRow {
            id: task.id(),
            name: task.name().map(|name| String::from(&*name)).unwrap_or_default(),
            function: super::function(task),
            cancelling: task.cancelling(),
            awaiter: None,
        }
    }
}

/// Its name and function, as far as they are known; else its number.
impl fmt::Display for TaskRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.name, self.function) {
            ("", "") => write!(f, "{:#x}", self.id),
            ("", function) => f.write_str(function),
            (name, "") => f.write_str(name),
            (name, function) => write!(f, "{name}: {function}"),
        }
    }
}

/// The unfinished tasks of a loop as they were when it was made, in order of
/// creation: `Display` writes them as a table.
///
/// It may go to another thread, and be shown there while the loop goes on.
#[derive(Clone, Debug)]
pub struct TaskTable {
    rows: Vec<TaskRow>,
}

/// The tasks of a table as trees, by who awaits whom: `Display` draws them.
pub struct TaskTree {
    rows: Vec<TaskRow>,
    /// The first task that nobody awaits, and then, for each task, its first child.
    first_child: Vec<Option<usize>>,
    next_sibling: Vec<Option<usize>>,
    /// Whether it is the first of a circle, whose edge upwards is left out.
    begins_circle: Vec<bool>,
}

impl EventLoop {
    /// Its unfinished tasks as trees, by who awaits whom, to be displayed.
    ///
    /// asyncio: `python -m asyncio pstree PID`.
    pub fn pstree(&self) -> TaskTree {
        self.ps().into_tree()
    }

    /// Its unfinished tasks as a table, to be displayed.
    ///
    /// asyncio: `python -m asyncio ps PID`.
    pub fn ps(&self) -> TaskTable {
        let tasks = self.all_tasks();
        let mut rows: Vec<TaskRow> = tasks.iter().map(TaskRow::of).collect();
        let mut by_id: Vec<(usize, usize)> =
            rows.iter().enumerate().map(|(row, task)| (task.id, row)).collect();
        by_id.sort_unstable();
        for (row, task) in rows.iter_mut().zip(&tasks) {
            row.awaiter = task.awaited_by().and_then(|awaiter| {
                let place = by_id.binary_search_by_key(&awaiter.id(), |entry| entry.0).ok()?;
                Some(by_id[place].1)
            });
        }
        TaskTable { rows }
    }
}

impl TaskTable {
    /// Its rows.
    pub fn rows(&self) -> &[TaskRow] {
        &self.rows
    }

    /// The same as trees.
    pub fn into_tree(self) -> TaskTree {
        let rows = self.rows;
        let begins_circle = circles(&rows);
        let mut tree = TaskTree {
            first_child: vec![None; rows.len() + 1],
            next_sibling: vec![None; rows.len()],
            begins_circle,
            rows,
        };
        // From the last to the first, each is put before the siblings that are there.
        for task in (0..tree.rows.len()).rev() {
            let place = tree.parent(&task).map_or(0, |parent| parent + 1);
            tree.next_sibling[task] = tree.first_child[place].replace(task);
        }
        tree
    }
}

/// Which tasks are the first of a circle.
fn circles(rows: &[TaskRow]) -> Vec<bool> {
    // Which walk came by, from 1; 0: none yet.
    let mut seen_by = vec![0_usize; rows.len()];
    let mut begins = vec![false; rows.len()];
    for start in 0..rows.len() {
        let (walk, mut at) = (start + 1, Some(start));
        while let Some(task) = at
            && seen_by[task] == 0
        {
            seen_by[task] = walk;
            at = rows[task].awaiter;
        }
        let Some(met) = at.filter(|task| seen_by[*task] == walk) else { continue };
        let (mut first, mut task) = (met, met);
        while let Some(above) = rows[task].awaiter
            && above != met
        {
            task = above;
            first = first.min(task);
        }
        begins[first] = true;
    }
    begins
}

impl Forest for TaskTree {
    type Task = usize;

    fn first_child(&self, parent: Option<&usize>) -> Option<usize> {
        self.first_child[parent.map_or(0, |parent| parent + 1)]
    }

    fn next_sibling(&self, task: &usize) -> Option<usize> {
        self.next_sibling[*task]
    }

    fn parent(&self, task: &usize) -> Option<usize> {
        self.rows[*task].awaiter.filter(|_| !self.begins_circle[*task])
    }

    fn cut(&self, task: &usize) -> Option<usize> {
        self.rows[*task].awaiter.filter(|_| self.begins_circle[*task])
    }

    fn label(&self, task: &usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.rows[*task], f)
    }
}

impl fmt::Display for TaskTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        draw(self, f)
    }
}

impl fmt::Display for TaskTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:<20} {:<50} {:<10} {:<20} awaiter id",
            "task id", "task name", "function", "cancelling", "awaiter name"
        )?;
        for row in &self.rows {
            let awaiter = row.awaiter.map(|awaiter| &self.rows[awaiter]);
            let (awaiter_name, awaiter_id) =
                awaiter.map_or(("", 0), |awaiter| (&*awaiter.name, awaiter.id));
            writeln!(
                f,
                "{:<#20x} {:<20} {:<50} {:<10} {awaiter_name:<20} {awaiter_id:#x}",
                row.id, row.name, row.function, row.cancelling
            )?;
        }
        Ok(())
    }
}
