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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn table(awaiters: &[Option<usize>]) -> TaskTable {
        let row = |(id, awaiter): (usize, &Option<usize>)| TaskRow {
            id,
            name: format!("<{id}>"),
            function: "",
            cancelling: 0,
            awaiter: awaiter.map(|awaiter| awaiter % awaiters.len()),
        };
        TaskTable { rows: awaiters.iter().enumerate().map(row).collect() }
    }

    /// How many circles there are, found the slow way: by the least task of each.
    fn circle_count(rows: &[TaskRow]) -> usize {
        let begins = |start: usize| {
            let mut at = rows[start].awaiter;
            for _ in 0..rows.len() {
                match at {
                    Some(task) if task == start => return true,
                    Some(task) if task < start => return false,
                    Some(task) => at = rows[task].awaiter,
                    None => return false,
                }
            }
            false
        };
        (0..rows.len()).filter(|start| begins(*start)).count()
    }

    proptest! {
        /// Whoever awaits whom, also in circles: each task is drawn once, below
        /// who awaits it, and each circle is named.
        #[test]
        fn each_task_is_drawn_once_and_each_circle_named(
            awaiters in proptest::collection::vec(proptest::option::weighted(0.8, 0_usize..24), 1..24)
        ) {
            let table = table(&awaiters);
            let rows = table.rows().to_vec();
            let drawn = table.into_tree().to_string();
            let mut above: Vec<usize> = Vec::new();
            let mut seen = vec![0; rows.len()];
            let (mut circles, mut cut) = (0, 0);
            for line in drawn.lines() {
                if line.starts_with("cycle: ") {
                    circles += 1;
                    continue;
                }
                let (lines, label) = line.split_once("(T) <").expect("a task");
                let level = lines.chars().count() / 4 - 1;
                let task: usize = label.trim_end_matches('>').parse().expect("a number");
                seen[task] += 1;
                above.truncate(level);
                match rows[task].awaiter {
                    Some(_) if level == 0 => cut += 1,
                    awaiter => prop_assert_eq!(above.last().copied(), awaiter),
                }
                above.push(task);
            }
            prop_assert!(seen.iter().all(|times| *times == 1), "{}", drawn);
            prop_assert_eq!(circles, circle_count(&rows));
            prop_assert_eq!(cut, circles);
        }
    }

    #[test]
    fn a_tree_has_lines_as_pstree_draws_them() {
        let drawn = table(&[None, Some(0), Some(0), Some(1), None]).into_tree().to_string();
        assert_eq!(
            drawn,
            "└── (T) <0>\n    ├── (T) <1>\n    │   └── (T) <3>\n    └── (T) <2>\n└── (T) <4>\n"
        );
        let drawn = table(&[Some(2), Some(0), Some(1), Some(2)]).into_tree().to_string();
        assert!(drawn.ends_with("cycle: <0> → <1> → <2> → <0>\n"), "{drawn}");
    }
}
