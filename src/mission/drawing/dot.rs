use std::fmt::Write;

use super::{DrawnTask, Labelled};
use crate::mission::graph::TaskGraph;

/// A Graphviz digraph from left to right, for `dot -Tsvg`. Nodes are `n0`, `n1`, … by index; arrows go
/// from a task to what waits for it.
pub fn dot(tasks: &[DrawnTask<'_>], graph: &TaskGraph) -> String {
    let labelled = Labelled { tasks, graph };
    let mut out = "digraph mission {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
    for task in 0..graph.count() {
        let name = escaped(&labelled.name(task, " "));
        let state = escaped(&labelled.state(task));
        let between = if state.is_empty() { "" } else { "\\n" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "    n{task} [label=\"{name}{between}{state}\"];");
    }
    for task in 0..graph.count() {
        for dependency in graph.dependencies(task) {
            let _ = writeln!(out, "    n{dependency} -> n{task};");
        }
    }
    out.push_str("}\n");
    out
}

/// Quotes end a label, a backslash begins an escape (`\N` is the node's name), and `&` an HTML entity,
/// which Graphviz reads in every label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('&', "&amp;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{diamond, hostile};
    use super::*;

    #[test]
    fn arrows_go_to_what_waits() {
        let (tasks, graph) = diamond();
        assert_eq!(
            dot(&tasks, &graph),
            r#"digraph mission {
    rankdir=LR;
    node [shape=box];
    n0 [label="task_001 Gather the sources\ncompleted"];
    n1 [label="task_002 Write the parser\nin progress, agent_002"];
    n2 [label="task_003 Write the guide\npending"];
    n3 [label="task_004 Publish\npending"];
    n0 -> n1;
    n0 -> n2;
    n1 -> n3;
    n2 -> n3;
}
"#
        );
    }

    #[test]
    fn a_title_cannot_leave_its_label() {
        let (tasks, graph) = hostile();
        let drawn = dot(&tasks, &graph);
        let label = r#"    n0 [label="end a \"b\" [c] <i>&amp;lt; \\ d\\ne\\u{1b}[31m\\u{202e} #35; %%{init: 1}%% `__f__`\npending, waits for a task that does not exist"];"#;
        assert_eq!(drawn.lines().nth(3), Some(label));
    }
}
