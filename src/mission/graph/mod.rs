//! Which task waits for which: the graph under `dependencies` of tasks/ID.json.
//!
//! Tasks are indices here, since a scan of thousands of cells builds one graph a cell and looks up no
//! name twice; the caller keeps the ids. Every answer is the same for the same graph, and nothing
//! recurses: a chain of 100,000 tasks made by a script must not overflow the stack.

mod chain;
mod cycles;
mod order;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

pub(super) use order::count_down;

/// How far a task is, as far as the tasks that wait for it care: `status` of tasks/ID.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Nobody works on it.
    Pending,
    /// Claimed by an agent.
    InProgress,
    /// Done; what waits for it may start.
    Completed,
    /// Given up; it counts as not done until it is retried and completed.
    Failed,
}

/// The tasks of one cell, numbered from 0, and what each depends on.
#[derive(Debug)]
pub struct TaskGraph {
    depends_on: Rows,
    /// Tasks with a dependency that is no task of the cell, ascending. Mostly empty.
    lacking: Vec<u32>,
    /// The other direction, built when first asked for: a cell in good order never needs it.
    awaited_by: OnceLock<Rows>,
}

impl TaskGraph {
    /// Builds the graph of `count` tasks from pairs `(task, what it depends on)`, in any order.
    ///
    /// A pair said twice counts once. A dependency of `count` or above stands for a task that does not
    /// exist: it is not kept as an edge, but its task [lacks a dependency](Self::lacks_dependency) and so
    /// is never ready. A pair whose task does not exist is dropped.
    pub fn new(count: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut lacking: Vec<u32> = edges
            .clone()
            .filter(|&(task, dependency)| task < count && dependency >= count)
            .map(|(task, _)| task)
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        let known = edges.filter(|&(task, dependency)| task < count && dependency < count);
        Self {
            depends_on: Rows::new(count, known),
            lacking,
            awaited_by: OnceLock::new(),
        }
    }

    /// How many tasks there are.
    pub fn count(&self) -> u32 {
        self.depends_on.count()
    }

    /// What `task` waits for directly, ascending; empty for a task that does not exist.
    pub fn dependencies(&self, task: u32) -> &[u32] {
        self.depends_on.row(task)
    }

    /// The tasks that wait for `task` directly, ascending; empty for a task that does not exist.
    pub fn dependants(&self, task: u32) -> &[u32] {
        self.awaited_by
            .get_or_init(|| self.depends_on.turned())
            .row(task)
    }

    /// Tells whether `task` depends on a task that does not exist.
    pub fn lacks_dependency(&self, task: u32) -> bool {
        self.lacking.binary_search(&task).is_ok()
    }

    /// Every task that waits for `task`, directly or through others, ascending and without `task`
    /// itself: what could not be done if it never were.
    pub fn lost_without(&self, task: u32) -> Vec<u32> {
        if task >= self.count() {
            return Vec::new();
        }
        let mut seen = vec![false; self.count() as usize];
        seen[task as usize] = true;
        let mut lost = Vec::new();
        let mut next = vec![task];
        while let Some(task) = next.pop() {
            for &dependant in self.dependants(task) {
                if !seen[dependant as usize] {
                    seen[dependant as usize] = true;
                    lost.push(dependant);
                    next.push(dependant);
                }
            }
        }
        lost.sort_unstable();
        lost
    }

    fn tasks(&self) -> std::ops::Range<u32> {
        0..self.count()
    }

    /// Tells whether every task depends only on tasks before it, as in most cells, where tasks are
    /// numbered as they are made: then nothing has to be sorted and no circle looked for.
    fn is_in_order_already(&self) -> bool {
        self.tasks()
            .all(|task| self.dependencies(task).iter().all(|&other| other < task))
    }
}

/// One ascending row of indices a task, all rows in one allocation (compressed sparse rows).
#[derive(Debug)]
struct Rows {
    /// Row `i` is `items[starts[i]..starts[i + 1]]`.
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Rows {
    fn new(count: u32, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let count = count as usize;
        let mut starts = vec![0; count + 1];
        for (row, _) in pairs.clone() {
            starts[row as usize + 1] += 1;
        }
        for row in 0..count {
            starts[row + 1] += starts[row];
        }
        let mut items = vec![0; starts[count]];
        // Each start serves as the place to write to and so ends up as the next row's start.
        for (row, item) in pairs {
            items[starts[row as usize]] = item;
            starts[row as usize] += 1;
        }
        starts.rotate_right(1);
        starts[0] = 0;
        let mut rows = Self { starts, items };
        rows.sort_and_drop_doubles();
        rows
    }

    fn sort_and_drop_doubles(&mut self) {
        let mut kept = 0;
        for row in 0..self.starts.len() - 1 {
            let (start, end) = (self.starts[row], self.starts[row + 1]);
            self.items[start..end].sort_unstable();
            self.starts[row] = kept;
            for from in start..end {
                let item = self.items[from];
                if kept == self.starts[row] || self.items[kept - 1] != item {
                    self.items[kept] = item;
                    kept += 1;
                }
            }
        }
        if let Some(last) = self.starts.last_mut() {
            *last = kept;
        }
        self.items.truncate(kept);
    }

    /// The same pairs the other way round.
    fn turned(&self) -> Self {
        let pairs = (0..self.count()).flat_map(|row| self.row(row).iter().map(move |&i| (i, row)));
        Self::new(self.count(), pairs)
    }

    fn count(&self) -> u32 {
        // Fits: made from a u32.
        (self.starts.len() - 1) as u32
    }

    fn row(&self, row: u32) -> &[u32] {
        let row = row as usize;
        match (self.starts.get(row), self.starts.get(row + 1)) {
            (Some(&start), Some(&end)) => &self.items[start..end],
            _ => &[],
        }
    }
}
