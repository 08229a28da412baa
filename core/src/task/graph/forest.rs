//! Trees of tasks, drawn from those that nobody awaits down to those that
//! await nobody, as `python -m asyncio pstree` draws them.
//!
//! Tasks that await each other in a circle have no such beginning: there the
//! forest cuts one edge of each circle, and the circle is written below the trees.
//!
//! Nothing is allocated, and the stack is not used for depth: from each task
//! the next one is asked for.

use core::fmt;

/// How many levels are drawn.
const LEVELS: usize = 64;

/// Tasks and who awaits them, the edges that close circles left out.
pub(super) trait Forest {
    /// Names a task.
    type Task: Clone;

    /// The first task that `parent` awaits; without a parent, the first that nobody awaits.
    fn first_child(&self, parent: Option<&Self::Task>) -> Option<Self::Task>;

    /// The next task with the same parent.
    fn next_sibling(&self, task: &Self::Task) -> Option<Self::Task>;

    /// Who awaits the task.
    fn parent(&self, task: &Self::Task) -> Option<Self::Task>;

    /// Who awaits the task, if that is the edge that was left out.
    fn cut(&self, task: &Self::Task) -> Option<Self::Task>;

    /// Writes what the task is called.
    fn label(&self, task: &Self::Task, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Draws the trees of `forest`, then its circles.
pub(super) fn draw<F: Forest>(forest: &F, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut pen = Pen { bars: 0, depth: 0 };
    let mut next = forest.first_child(None);
    while let Some(task) = next {
        let sibling = forest.next_sibling(&task);
        // Each root is a tree of its own.
        let is_last = sibling.is_none() || pen.depth == 0;
        pen.branch(is_last, f)?;
        f.write_str("(T) ")?;
        forest.label(&task, f)?;
        f.write_str("\n")?;
        let child = forest.first_child(Some(&task));
        if child.is_some() && pen.go_down(is_last) {
            next = child;
            continue;
        }
        if child.is_some() {
            pen.branch(true, f)?;
            f.write_str("…\n")?;
        }
        next = sibling;
        let mut above = task;
        while next.is_none() && pen.depth > 0 {
            let Some(parent) = forest.parent(&above) else { break };
            pen.depth -= 1;
            next = forest.next_sibling(&parent);
            above = parent;
        }
    }
    draw_circles(forest, f)
}

/// The lines at the left of a tree.
struct Pen {
    /// Bit by bit, from the root: whether a line goes down at that level.
    bars: u64,
    depth: usize,
}

impl Pen {
    fn branch(&self, is_last: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for level in 0..self.depth {
            f.write_str(if self.bars >> level & 1 == 1 { "│   " } else { "    " })?;
        }
        f.write_str(if is_last { "└── " } else { "├── " })
    }

    /// One level down, below a task that is the last of its siblings or not;
    /// false at the deepest.
    fn go_down(&mut self, is_last: bool) -> bool {
        if self.depth == LEVELS - 1 {
            return false;
        }
        let bar = 1 << self.depth;
        self.bars = if is_last { self.bars & !bar } else { self.bars | bar };
        self.depth += 1;
        true
    }
}

/// Writes `cycle: a → b → a` for each circle, in the direction of awaiting.
fn draw_circles<F: Forest>(forest: &F, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut root = forest.first_child(None);
    while let Some(top) = root {
        if let Some(bottom) = forest.cut(&top) {
            // From `bottom` the parents lead up to `top`.
            let mut length = 0;
            let mut at = Some(bottom.clone());
            while let Some(task) = at {
                at = forest.parent(&task);
                length += 1;
            }
            f.write_str("cycle: ")?;
            for level in (0..length).rev() {
                let mut at = bottom.clone();
                for _ in 0..level {
                    at = forest.parent(&at).unwrap_or(at);
                }
                forest.label(&at, f)?;
                f.write_str(" → ")?;
            }
            forest.label(&top, f)?;
            f.write_str("\n")?;
        }
        root = forest.next_sibling(&top);
    }
    Ok(())
}
