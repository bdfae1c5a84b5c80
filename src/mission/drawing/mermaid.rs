use std::fmt::Write;

use super::{DrawnTask, Labelled};
use crate::mission::graph::TaskGraph;

/// A Mermaid flowchart from left to right, for pages that draw one (a README on Gitea, say). Nodes are
/// `n0`, `n1`, … by index, since a task may be called `end`, which is a word of Mermaid's; arrows go from
/// a task to what waits for it. Mermaid itself refuses more than 500 arrows unless told otherwise.
pub fn mermaid(tasks: &[DrawnTask<'_>], graph: &TaskGraph) -> String {
    let labelled = Labelled { tasks, graph };
    let mut out = "flowchart LR\n".to_owned();
    for task in 0..graph.count() {
        let name = escaped(&labelled.name(task, " "));
        let state = escaped(&labelled.state(task));
        let between = if state.is_empty() { "" } else { "<br/>" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "    n{task}[\"{name}{between}{state}\"]");
    }
    for task in 0..graph.count() {
        for dependency in graph.dependencies(task) {
            let _ = writeln!(out, "    n{dependency} --> n{task}");
        }
    }
    out
}

/// Everything but letters, digits and harmless marks as `#code;`, Mermaid's own escape. A list of what is
/// safe and not of what is not: besides quotes Mermaid gives a meaning inside labels to `%%{…}%%`, `$$`,
/// backticks, Markdown, HTML, and (a slip of its own escaping) to `style…:` before a `#`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // Between letters Markdown leaves it alone, and every id has one.
        let within_a_word = c == '_'
            && last.is_ascii_alphanumeric()
            && rest.peek().is_some_and(char::is_ascii_alphanumeric);
        if !c.is_ascii() || c.is_ascii_alphanumeric() || " .,-+/()'!?=".contains(c) || within_a_word
        {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
        last = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{circle, diamond, hostile};
    use super::*;

    #[test]
    fn arrows_go_to_what_waits() {
        let (tasks, graph) = diamond();
        assert_eq!(
            mermaid(&tasks, &graph),
            "\
flowchart LR
    n0[\"task_001 Gather the sources<br/>completed\"]
    n1[\"task_002 Write the parser<br/>in progress, agent_002\"]
    n2[\"task_003 Write the guide<br/>pending\"]
    n3[\"task_004 Publish<br/>pending\"]
    n0 --> n1
    n0 --> n2
    n1 --> n3
    n2 --> n3
"
        );
    }

    #[test]
    fn a_title_cannot_leave_its_label() {
        let (tasks, graph) = hostile();
        assert_eq!(
            mermaid(&tasks, &graph),
            "flowchart LR\n    n0[\"end a #34;b#34; #91;c#93; #60;i#62;#38;lt#59; #92; d#92;ne\
             #92;u#123;1b#125;#91;31m#92;u#123;202e#125; #35;35#59; #37;#37;#123;init#58; 1#125;#37;#37; \
             #96;#95;#95;f#95;#95;#96;<br/>pending, waits for a task that does not exist\"]\n"
        );
    }

    #[test]
    fn circles_are_drawn_as_they_are() {
        let (tasks, graph) = circle();
        let drawn = mermaid(&tasks, &graph);
        assert!(drawn.contains("    n1 --> n0\n    n0 --> n1\n"), "{drawn}");
        assert!(drawn.contains("    n3[\"#35;3\"]\n"), "{drawn}");
    }
}
