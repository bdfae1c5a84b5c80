//! The tasks of one cell taken together: what waits for what, what may start now, and why the rest may not.

#[cfg(test)]
mod tests;

use crate::base::error::{Error, Result};
use crate::mission::cell::CellStatus;
use crate::mission::drawing::DrawnTask;
use crate::mission::graph::{Progress, TaskGraph};
use crate::mission::task::{TIMEOUT, Task, TaskStatus};

/// The tasks of one cell, sorted by the id that counts, which is the stem of their file.
#[derive(Debug)]
pub struct Worklist {
    ids: Vec<String>,
    tasks: Vec<Task>,
    /// Ids of tasks that are there but cannot be read, sorted.
    unread: Vec<String>,
    graph: TaskGraph,
}

impl TaskStatus {
    /// How far a task is, as far as the tasks that wait for it care.
    pub const fn progress(self) -> Progress {
        match self {
            TaskStatus::Pending => Progress::Pending,
            TaskStatus::InProgress => Progress::InProgress,
            TaskStatus::Completed => Progress::Completed,
            TaskStatus::Failed => Progress::Failed,
        }
    }
}

impl Worklist {
    /// Puts tasks together, each with the stem of its file; `unread` are the ids of those that cannot be read.
    pub fn new(mut tasks: Vec<(String, Task)>, mut unread: Vec<String>) -> Self {
        tasks.sort_by(|one, other| one.0.cmp(&other.0));
        unread.sort();
        let (ids, tasks): (Vec<String>, Vec<Task>) = tasks.into_iter().unzip();
        let at = |id: &String| ids.binary_search(id).ok().map_or(u32::MAX, number);
        let edges: Vec<(u32, u32)> = (0_u32..)
            .zip(&tasks)
            .flat_map(|(index, task)| task.dependencies.iter().map(move |id| (index, at(id))))
            .collect();
        let graph = TaskGraph::new(tasks.len(), edges.into_iter());
        Worklist {
            ids,
            tasks,
            unread,
            graph,
        }
    }

    /// Every task with its id, by id.
    pub fn all(&self) -> impl ExactSizeIterator<Item = (&str, &Task)> {
        self.ids.iter().map(String::as_str).zip(&self.tasks)
    }

    /// One task.
    pub fn get(&self, id: &str) -> Option<&Task> {
        self.tasks.get(self.index(id)? as usize)
    }

    /// Tells whether there is such a task, readable or not.
    pub fn has(&self, id: &str) -> bool {
        self.index(id).is_some() || self.is_unread(id)
    }

    /// Tells whether there is such a task and it cannot be read.
    pub fn is_unread(&self, id: &str) -> bool {
        self.unread
            .binary_search_by(|unread| unread.as_str().cmp(id))
            .is_ok()
    }

    /// Which task waits for which; the numbers are places in `all`.
    pub fn graph(&self) -> &TaskGraph {
        &self.graph
    }

    /// The tasks as they are drawn, in the order of the graph.
    pub fn drawn(&self) -> Vec<DrawnTask<'_>> {
        self.all()
            .map(|(id, task)| DrawnTask {
                id,
                title: &task.title,
                status: task.status.word(),
                assigned_to: task.assigned_to.as_deref(),
            })
            .collect()
    }

    fn index(&self, id: &str) -> Option<u32> {
        self.ids
            .binary_search_by(|known| known.as_str().cmp(id))
            .ok()
            .map(number)
    }

    fn id(&self, index: u32) -> &str {
        self.ids.get(index as usize).map_or("", String::as_str)
    }

    fn progress(&self, index: u32) -> Progress {
        self.tasks
            .get(index as usize)
            .map_or(Progress::Pending, |task| task.status.progress())
    }

    /// The tasks that may start now in a cell of this state: by priority, then age, then id.
    pub fn ready(&self, cell: CellStatus) -> Vec<(&str, &Task)> {
        if cell != CellStatus::Active {
            return Vec::new();
        }
        let mut ready: Vec<(&str, &Task)> = self
            .graph
            .ready(|index| self.progress(index))
            .into_iter()
            .filter_map(|index| Some((self.id(index), self.tasks.get(index as usize)?)))
            .collect();
        ready.sort_by_key(|(id, task)| (task.priority, task.created_at, *id));
        ready
    }

    /// The tasks that wait for this one directly.
    pub fn awaited_by(&self, id: &str) -> Vec<(&str, &Task)> {
        let Some(index) = self.index(id) else {
            // A task that cannot be read still is waited for.
            let waits = |task: &Task| task.dependencies.iter().any(|other| other == id);
            return self.all().filter(|(_, task)| waits(task)).collect();
        };
        let dependants = self.graph.dependants(index).iter();
        dependants
            .filter_map(|&index| Some((self.id(index), self.tasks.get(index as usize)?)))
            .collect()
    }

    /// Why a task may not start now in a cell of this state, a sentence without a full stop each; empty if it may.
    pub fn why_not_ready(&self, id: &str, cell: CellStatus) -> Vec<String> {
        let Some(task) = self.get(id) else {
            return vec![String::from("its file cannot be read")];
        };
        let state = match task.status {
            TaskStatus::Pending => None,
            TaskStatus::InProgress => Some(match task.holder() {
                Some(agent) => format!("{agent} works on it"),
                None => String::from("it is in progress"),
            }),
            TaskStatus::Completed => Some(String::from("it is completed")),
            TaskStatus::Failed => Some(format!(
                "it failed; `mcell task retry {id}` makes it pending again"
            )),
        };
        if let Some(state) = state {
            return vec![state];
        }
        let mut why = Vec::new();
        if cell != CellStatus::Active {
            why.push(format!("its cell is {}", cell.word()));
        }
        if let Some(circle) = self.circle(id) {
            why.push(format!("it waits for itself: {}", circle.join(" after ")));
        }
        let mut named: Vec<&String> = Vec::new();
        for dependency in &task.dependencies {
            // A dependency said twice is waited for once.
            if named.contains(&dependency) {
                continue;
            }
            named.push(dependency);
            match self.get(dependency).map(|task| task.status) {
                Some(TaskStatus::Completed) => {}
                Some(status) => why.push(format!(
                    "{dependency} is {}",
                    status.word().replace('_', " ")
                )),
                None if self.is_unread(dependency) => {
                    why.push(format!("the file of {dependency} cannot be read"));
                }
                None => why.push(format!("{dependency} is not in this cell")),
            }
        }
        why
    }

    /// A shortest circle that a task waits in, beginning and ending with it.
    pub fn circle(&self, id: &str) -> Option<Vec<&str>> {
        let circle = self.graph.circle_through(self.index(id)?)?;
        let mut names: Vec<&str> = circle.into_iter().map(|index| self.id(index)).collect();
        names.extend(names.first().copied());
        Some(names)
    }

    /// Every knot of tasks that wait for each other, by one circle each, beginning and ending with the same task.
    pub fn circles(&self) -> Vec<Vec<&str>> {
        let named = |circle: Vec<u32>| {
            let mut names: Vec<&str> = circle.into_iter().map(|index| self.id(index)).collect();
            names.extend(names.first().copied());
            names
        };
        self.graph.cycles().into_iter().map(named).collect()
    }

    /// The chain of tasks not yet completed that decides when the mission can be done at the earliest, and the seconds
    /// it should take.
    pub fn critical_chain(&self) -> (Vec<&str>, u64) {
        let seconds = |index: u32| {
            self.tasks
                .get(index as usize)
                .map_or(0, |task| task.timeout.unwrap_or(TIMEOUT))
        };
        let chain = self
            .graph
            .critical_chain(seconds, |index| self.progress(index) != Progress::Completed);
        let total = chain
            .iter()
            .fold(0_u64, |sum, &index| sum.saturating_add(seconds(index)));
        (
            chain.into_iter().map(|index| self.id(index)).collect(),
            total,
        )
    }

    /// Refuses to make tasks pending again while a task outside of `ids` builds on one that is completed (exit 5).
    pub fn require_reopenable(&self, ids: &[&str]) -> Result<()> {
        for id in ids {
            let Some(task) = self.get(id) else { continue };
            match task.status {
                TaskStatus::Pending | TaskStatus::Failed => continue,
                TaskStatus::InProgress => {
                    let holder = task.holder().unwrap_or("somebody");
                    return Err(Error::refused(format!(
                        "{id} is in progress: {holder} works on it"
                    )));
                }
                TaskStatus::Completed => {}
            }
            let begun: Vec<(&str, &Task)> = self
                .awaited_by(id)
                .into_iter()
                .filter(|(other, task)| task.status != TaskStatus::Pending && !ids.contains(other))
                .collect();
            if begun.is_empty() {
                continue;
            }
            let refused = Error::refused(format!(
                "{id} cannot be reopened, because what was built on it is past pending: {}",
                named_with_state(&begun)
            ));
            let busy = begun
                .iter()
                .any(|(_, task)| task.status == TaskStatus::InProgress);
            return Err(if busy {
                refused.hint("wait until they are done")
            } else {
                let others: Vec<&str> = begun.iter().map(|(id, _)| *id).collect();
                refused.hint(format!(
                    "reopen them together: `mcell task reopen {} {}`",
                    ids.join(" "),
                    others.join(" ")
                ))
            });
        }
        Ok(())
    }

    /// Refuses to remove tasks that are in progress, or that a task outside of `ids` waits for (exit 5).
    pub fn require_removable(&self, ids: &[&str]) -> Result<()> {
        for id in ids {
            if let Some(task) = self.get(id)
                && task.status == TaskStatus::InProgress
            {
                let holder = task.holder().unwrap_or("somebody");
                return Err(
                    Error::refused(format!("{id} is in progress: {holder} works on it"))
                        .hint("a task is removed before it is begun, or after it is done"),
                );
            }
            let waiting: Vec<(&str, &Task)> = self
                .awaited_by(id)
                .into_iter()
                .filter(|(other, _)| !ids.contains(other))
                .collect();
            if !waiting.is_empty() {
                let others: Vec<&str> = waiting.iter().map(|(id, _)| *id).collect();
                return Err(Error::refused(format!(
                    "{id} cannot be removed, because others depend on it: {}",
                    named_with_state(&waiting)
                ))
                .hint(format!(
                    "remove them too: `mcell task remove {} {}`",
                    ids.join(" "),
                    others.join(" ")
                ))
                .hint(format!(
                    "or let them go without it: `mcell task set {} dependencies=…`",
                    others.first().copied().unwrap_or("TASK")
                )));
            }
        }
        Ok(())
    }
}

fn named_with_state(tasks: &[(&str, &Task)]) -> String {
    let named: Vec<String> = tasks
        .iter()
        .map(|(id, task)| format!("{id} ({})", task.status.word().replace('_', " ")))
        .collect();
    named.join(", ")
}

/// A place in the list as the graph counts.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
