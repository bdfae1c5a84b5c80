//! Draws a task graph: as text for a terminal, for Mermaid and for Graphviz.
//!
//! Titles come from files that others write, so in all three drawings control characters and those that
//! turn the direction of writing are shown as `\n` or `\u{1b}` instead of taking effect.

mod dot;
mod mermaid;
mod text;

pub use dot::dot;
pub use mermaid::mermaid;
pub use text::text;

use super::graph::TaskGraph;
use crate::base::text::shown;

/// What is shown of a task; the place in the slice is its index in the [`TaskGraph`]. A task past the end
/// of the slice is shown as `#7`, its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnTask<'a> {
    /// Its `task_id`.
    pub id: &'a str,
    /// Its title, as it stands in the file.
    pub title: &'a str,
    /// Its status as in the file; `in_progress` is shown as "in progress".
    pub status: &'a str,
    /// The agent it is assigned to.
    pub assigned_to: Option<&'a str>,
}

/// The graph with its labels; what it gives is not yet escaped for any format, only made visible.
struct Labelled<'a> {
    tasks: &'a [DrawnTask<'a>],
    graph: &'a TaskGraph,
}

impl Labelled<'_> {
    fn id(&self, task: u32) -> String {
        match self.tasks.get(task as usize) {
            Some(drawn) => shown(drawn.id).into_owned(),
            None => format!("#{task}"),
        }
    }

    /// The id and the title, if it has one.
    fn name(&self, task: u32, between: &str) -> String {
        let id = self.id(task);
        match self.tasks.get(task as usize) {
            Some(drawn) if !drawn.title.is_empty() => {
                format!("{id}{between}{}", shown(drawn.title))
            }
            _ => id,
        }
    }

    /// "in progress, agent_001"
    fn state(&self, task: u32) -> String {
        let mut words = Vec::new();
        if let Some(drawn) = self.tasks.get(task as usize) {
            words.push(shown(&drawn.status.replace('_', " ")).into_owned());
            words.extend(drawn.assigned_to.map(|agent| shown(agent).into_owned()));
        }
        if self.graph.lacks_dependency(task) {
            words.push("waits for a task that does not exist".to_owned());
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn task(
        id: &'static str,
        title: &'static str,
        status: &'static str,
    ) -> DrawnTask<'static> {
        DrawnTask {
            id,
            title,
            status,
            assigned_to: None,
        }
    }

    /// Four tasks, of which the last waits for two.
    pub(super) fn diamond() -> (Vec<DrawnTask<'static>>, TaskGraph) {
        let mut tasks = vec![
            task("task_001", "Gather the sources", "completed"),
            task("task_002", "Write the parser", "in_progress"),
            task("task_003", "Write the guide", "pending"),
            task("task_004", "Publish", "pending"),
        ];
        tasks[1].assigned_to = Some("agent_002");
        let edges = [(1, 0), (2, 0), (3, 1), (3, 2)];
        (tasks, TaskGraph::new(4, edges.into_iter()))
    }

    /// One task with a title that would break out of any label.
    pub(super) fn hostile() -> (Vec<DrawnTask<'static>>, TaskGraph) {
        let title = "a \"b\" [c] <i>&lt; \\ d\ne\u{1b}[31m\u{202e} #35; %%{init: 1}%% `__f__`";
        let tasks = vec![task("end", title, "pending")];
        (tasks, TaskGraph::new(1, [(0, 9)].into_iter()))
    }

    /// A circle of two, a task behind it, and one the slice does not know.
    pub(super) fn circle() -> (Vec<DrawnTask<'static>>, TaskGraph) {
        let tasks = vec![
            task("a", "", "pending"),
            task("b", "B", "failed"),
            task("c", "C", "pending"),
        ];
        let edges = [(0, 1), (1, 0), (2, 1), (2, 3)];
        (tasks, TaskGraph::new(4, edges.into_iter()))
    }
}
