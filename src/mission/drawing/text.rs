use super::{DrawnTask, Labelled};
use crate::mission::graph::{TaskGraph, count_down};

/// Steps of indentation after which lines stay where they are and name all they wait for: a long chain
/// would otherwise leave the terminal, and its drawing grow with the square of its length.
const DEEPEST: usize = 12;

/// A drawing to read in a terminal: a line a task, each below everything it waits for and indented under
/// the last of that; what else it waits for is said in words. Empty for a graph without tasks.
///
/// ```text
/// task_001  Gather the sources [completed, agent_001]
///   task_002  Write the parser [in progress, agent_002]
///   task_003  Write the guide [pending]
///     task_004  Publish [pending] (also after task_002)
/// ```
///
/// Tasks in a circle, and those behind one, come last, below a line for each circle.
pub fn text(tasks: &[DrawnTask<'_>], graph: &TaskGraph) -> String {
    let labelled = Labelled { tasks, graph };
    let mut out = String::new();
    let mut waits_for = graph.numbers_of_dependencies();
    let mut is_drawn = vec![false; waits_for.len()];
    let roots = (0..graph.count()).filter(|&task| graph.dependencies(task).is_empty());
    // A task, how far it is indented, and the task it stands under.
    let mut next: Vec<(u32, usize, Option<u32>)> = roots.map(|task| (task, 0, None)).collect();
    next.reverse();
    while let Some((task, level, under)) = next.pop() {
        is_drawn[task as usize] = true;
        out.push_str(&"  ".repeat(level.min(DEEPEST)));
        labelled.push_line(&mut out, task, under.filter(|_| level <= DEEPEST));
        // Only those that by now wait for nothing else, so that each line is below all it waits for.
        let kept = next.len();
        for &dependant in graph.dependants(task) {
            if count_down(&mut waits_for, dependant) {
                next.push((dependant, level + 1, Some(task)));
            }
        }
        next[kept..].reverse();
    }
    for cycle in graph.cycles() {
        let names = cycle.iter().chain(cycle.first());
        let names: Vec<String> = names.map(|&task| labelled.id(task)).collect();
        out.push_str("In a circle: ");
        out.push_str(&names.join(" after "));
        out.push('\n');
    }
    for task in (0..graph.count()).filter(|&task| !is_drawn[task as usize]) {
        labelled.push_line(&mut out, task, None);
    }
    out
}

impl Labelled<'_> {
    /// The line of a task; its indentation already says that it waits for `under`.
    fn push_line(&self, out: &mut String, task: u32, under: Option<u32>) {
        out.push_str(&self.name(task, "  "));
        let state = self.state(task);
        if !state.is_empty() {
            out.push_str(&format!(" [{state}]"));
        }
        let unsaid = self.graph.dependencies(task).iter();
        let unsaid: Vec<String> = unsaid
            .filter(|&&other| Some(other) != under)
            .map(|&other| self.id(other))
            .collect();
        if !unsaid.is_empty() {
            let also = if under.is_some() { "also " } else { "" };
            out.push_str(&format!(" ({also}after {})", unsaid.join(", ")));
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{circle, diamond, hostile};
    use super::*;

    #[test]
    fn each_task_stands_once_under_the_last_it_waits_for() {
        let (tasks, graph) = diamond();
        assert_eq!(
            text(&tasks, &graph),
            "\
task_001  Gather the sources [completed]
  task_002  Write the parser [in progress, agent_002]
  task_003  Write the guide [pending]
    task_004  Publish [pending] (also after task_002)
"
        );
    }

    #[test]
    fn circles_are_named_and_what_is_behind_them_is_not_lost() {
        let (tasks, graph) = circle();
        assert_eq!(
            text(&tasks, &graph),
            "\
#3
In a circle: a after b after a
a [pending] (after b)
b  B [failed] (after a)
c  C [pending] (after b, #3)
"
        );
    }

    #[test]
    fn a_title_stays_on_its_line_and_controls_nothing() {
        let (tasks, graph) = hostile();
        assert_eq!(
            text(&tasks, &graph),
            "end  a \"b\" [c] <i>&lt; \\ d\\ne\\u{1b}[31m\\u{202e} #35; %%{init: 1}%% `__f__` \
             [pending, waits for a task that does not exist]\n"
        );
    }

    #[test]
    fn a_long_chain_stays_in_the_terminal() {
        let graph = TaskGraph::new(40, (1..40).map(|task| (task, task - 1)));
        let drawn = text(&[], &graph);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[12], "                        #12");
        assert_eq!(lines[39], "                        #39 (after #38)");
    }

    #[test]
    fn no_tasks_no_drawing() {
        assert_eq!(text(&[], &TaskGraph::new(0, std::iter::empty())), "");
    }

    proptest::proptest! {
        #[test]
        fn every_task_has_one_line_below_all_it_waits_for(
            edges in proptest::collection::vec((0_u32..20, 0_u32..20), 0..40)
        ) {
            let edges = edges.into_iter().filter(|(task, dependency)| task > dependency);
            // Turned round, so that the indices do not already stand in order.
            let graph = TaskGraph::new(20, edges.map(|(a, b)| (19 - a, 19 - b)));
            let drawn = text(&[], &graph);
            let ids = drawn.lines().filter_map(|line| line.trim_start().split(' ').next());
            let ids: Vec<u32> = ids.filter_map(|id| id.trim_start_matches('#').parse().ok()).collect();
            proptest::prop_assert_eq!(ids.len(), 20);
            for (at, &task) in ids.iter().enumerate() {
                proptest::prop_assert!(graph.dependencies(task).iter().all(|other| ids[..at].contains(other)));
            }
        }
    }
}
