//! Order: what waits for what, and what therefore never comes to pass.

use super::known::{goes_on, has_task, item, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::count;
use crate::mission::graph::TaskGraph;
use crate::mission::sheet::TaskSheet;
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC016",
        name: "depends-on-itself",
        severity: Severity::Error,
        summary: "No task depends on itself.",
        why: "A task starts when everything it depends on is completed; one that waits for itself never does.",
        example: r#"{ "task_id": "task_001", "dependencies": ["task_001"] }"#,
        mend: "Take its own id out of `dependencies`.",
        check: Check::Always(depends_on_itself),
    },
    Rule {
        code: "MC017",
        name: "circle",
        severity: Severity::Error,
        summary: "No tasks wait for each other in a circle.",
        why: "Each would start after the other is completed, so none ever does. The message names a shortest circle in \
              full; where several are entangled, one of them.",
        example: r#"tasks/task_001.json: { "dependencies": ["task_004"] }
tasks/task_004.json: { "dependencies": ["task_001"] }"#,
        mend: "Take one dependency out, where the order matters least.",
        check: Check::Always(circle),
    },
    Rule {
        code: "MC018",
        name: "never-ready",
        severity: Severity::Warning,
        summary: "Every pending task can become ready.",
        why: "The task itself is sound, but further up something waits in a circle or for a task that is not there, \
              and so this one waits as well.",
        example: r#"tasks/task_002.json: { "dependencies": ["task_001"] }
tasks/task_001.json: { "dependencies": ["task_999"] }"#,
        mend: "Mend what it waits for; this finding goes with it.",
        check: Check::Always(never_ready),
    },
    Rule {
        code: "MC054",
        name: "failed-and-waited-for",
        severity: Severity::Note,
        summary: "No pending task waits for one that failed.",
        why: "A failed task counts as not done until it is tried again and completed. Until then all that wait for it \
              stand still, which is easily overlooked.",
        example: r#"tasks/task_002.json: { "status": "pending", "dependencies": ["task_001"] }
tasks/task_001.json: { "status": "failed" }"#,
        mend: "Make it pending again with `mcell task reopen`, or take the dependency out.",
        check: Check::Resilience(failed_and_waited_for),
    },
];

/// The most ids of one circle that are named: a script can make one of thousands.
const MOST_NAMED: usize = 50;

fn depends_on_itself(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        let id = sheet.stem();
        if let Some(index) = task.dependencies.iter().position(|other| &**other == id) {
            findings.add(
                Finding::new(
                    "MC016",
                    Severity::Error,
                    &*sheet.file,
                    format!("task `{id}` depends on itself"),
                )
                .value(item(sheet, "/dependencies", index))
                .hint(format!(
                    "take it out of `dependencies` with `mcell task edit {id}`"
                )),
            );
        }
    }
}

fn circle(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for circle in facts.graph.cycles() {
        // A circle of one is said by the rule above.
        let &[first, next, ..] = circle.as_slice() else {
            continue;
        };
        let Some(sheet) = facts.survey.tasks.get(first as usize) else {
            continue;
        };
        let mut way: Vec<&str> = circle
            .iter()
            .take(MOST_NAMED)
            .map(|task| facts.task_id(*task))
            .collect();
        let left = format!("… ({} more)", circle.len().saturating_sub(MOST_NAMED));
        if circle.len() > MOST_NAMED {
            way.push(&left);
        }
        way.push(facts.task_id(first));
        findings.add(
            Finding::new(
                "MC017",
                Severity::Error,
                &*sheet.file,
                format!(
                    "{} wait for each other in a circle: {}",
                    count(circle.len(), "task"),
                    way.join(" → ")
                ),
            )
            .value(pointer_to(sheet, facts.task_id(next)))
            .hint("take one of these dependencies out"),
        );
    }
}

/// The pointer of a dependency.
fn pointer_to(sheet: &TaskSheet<'_>, dependency: &str) -> String {
    let mut dependencies = sheet.value.iter().flat_map(|task| &task.dependencies);
    let index = dependencies.position(|other| &**other == dependency);
    item(sheet, "/dependencies", index.unwrap_or(0))
}

/// Why a task is held up for ever.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Circle,
    Missing,
}

fn never_ready(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let state = |task| facts.progress(task);
    if facts.graph.blocked_forever(state).is_empty() || !goes_on(facts) {
        return;
    }
    let graph = graph_of_what_is_there(facts);
    let blocked = graph.blocked_forever(state);
    let causes = causes(&graph, &blocked);
    let ways = ways_from(&causes, &graph, &blocked);
    for task in blocked {
        let way = ways.get(task as usize).copied().flatten();
        // What is the cause itself has been said by another rule.
        if let Some(way) = way.filter(|way| way.on != task)
            && let Some(sheet) = facts.survey.tasks.get(task as usize)
            && task_status(sheet) == Some(TaskStatus::Pending)
        {
            findings.add(held_up(facts, sheet, way));
        }
    }
}

/// The graph without the edges to tasks that are there and cannot be read: they may well be done one day.
fn graph_of_what_is_there(facts: &Facts<'_, '_>) -> TaskGraph {
    let survey = facts.survey;
    let mut edges = Vec::new();
    for (task, sheet) in (0..).zip(&survey.tasks) {
        for dependency in sheet.value.iter().flat_map(|task| &task.dependencies) {
            match survey.task_at(dependency).map(u32::try_from) {
                Some(Ok(on)) => edges.push((task, on)),
                _ if has_task(survey, dependency) => {}
                _ => edges.push((task, u32::MAX)),
            }
        }
    }
    TaskGraph::new(survey.tasks.len(), edges.iter().copied())
}

/// The tasks that are held up by themselves, ascending.
fn causes(graph: &TaskGraph, blocked: &[u32]) -> Vec<(u32, Cause)> {
    let in_circles = graph.cycles().concat().into_iter();
    let lacking = (0..graph.count()).filter(|task| graph.lacks_dependency(*task));
    let mut causes: Vec<(u32, Cause)> = in_circles
        .map(|task| (task, Cause::Circle))
        .chain(lacking.map(|task| (task, Cause::Missing)))
        .filter(|(task, _)| blocked.binary_search(task).is_ok())
        .collect();
    causes.sort_by_key(|(task, _)| *task);
    causes.dedup_by_key(|(task, _)| *task);
    causes
}

/// How a task came to be held up.
#[derive(Clone, Copy)]
struct Way {
    /// The task it waits for; itself for a cause.
    on: u32,
    /// The task where that ends.
    end: u32,
    cause: Cause,
}

/// From each cause to all behind it, breadth first, so that each task is told its nearest cause, and once for all
/// tasks, so that a chain of thousands costs no square.
fn ways_from(causes: &[(u32, Cause)], graph: &TaskGraph, blocked: &[u32]) -> Vec<Option<Way>> {
    let mut ways: Vec<Option<Way>> = vec![None; graph.count() as usize];
    let mut edge = Vec::new();
    for &(task, cause) in causes {
        let way = Way {
            on: task,
            end: task,
            cause,
        };
        edge.push((task, way));
        if let Some(place) = ways.get_mut(task as usize) {
            *place = Some(way);
        }
    }
    while !edge.is_empty() {
        let mut next = Vec::new();
        for (task, way) in edge {
            for &dependant in graph.dependants(task) {
                if let Some(place @ None) = ways.get_mut(dependant as usize)
                    && blocked.binary_search(&dependant).is_ok()
                {
                    let way = Way { on: task, ..way };
                    *place = Some(way);
                    next.push((dependant, way));
                }
            }
        }
        edge = next;
    }
    ways
}

fn held_up(facts: &Facts<'_, '_>, sheet: &TaskSheet<'_>, way: Way) -> Finding {
    let (id, on, end) = (sheet.stem(), facts.task_id(way.on), facts.task_id(way.end));
    let why = match way.cause {
        Cause::Circle => "which waits in a circle",
        Cause::Missing => "which depends on a task that is not in this cell",
    };
    let waits = if way.on == way.end {
        format!("waits for `{end}`")
    } else {
        format!("waits for `{on}` and so for `{end}`")
    };
    Finding::new(
        "MC018",
        Severity::Warning,
        &*sheet.file,
        format!("task `{id}` can never become ready: it {waits}, {why}"),
    )
    .value(pointer_to(sheet, on))
    .hint(format!("mend `{end}` first: this goes with it"))
}

fn failed_and_waited_for(facts: &Facts<'_, '_>, findings: &mut Findings) {
    if !goes_on(facts) {
        return;
    }
    for (sheet, task) in facts.tasks() {
        if task_status(sheet) != Some(TaskStatus::Pending) {
            continue;
        }
        let failed = |other: &str| {
            let other = facts.survey.task(other)?;
            (task_status(other)? == TaskStatus::Failed).then_some(other.stem())
        };
        let mut dependencies = task.dependencies.iter().enumerate();
        if let Some((index, other)) =
            dependencies.find_map(|(index, other)| Some((index, failed(other)?)))
        {
            let id = sheet.stem();
            findings.add(
                Finding::new(
                    "MC054",
                    Severity::Note,
                    &*sheet.file,
                    format!("task `{id}` waits for `{other}`, which failed"),
                )
                .value(item(sheet, "/dependencies", index))
                .hint(format!(
                    "make that pending again with `mcell task reopen {other}`"
                )),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use crate::mission::survey::OddityKind;
    use serde_json::json;

    /// Pending tasks, each with what it depends on.
    fn tasks(rows: &[(&str, &[&str])]) -> Built {
        rows.iter()
            .fold(cell().agent("agent_001", json!({})), |built, (id, on)| {
                built.task(id, json!({ "dependencies": on }))
            })
    }

    #[test]
    fn a_task_does_not_wait_for_itself() {
        let found = tasks(&[("a", &[]), ("b", &["a", "b"])]).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC016", Spot::Value("/dependencies/1".into()))
        );
    }

    #[test]
    fn a_circle_is_named_in_full_and_once() {
        let found = tasks(&[
            ("task_001", &["task_004"]),
            ("task_002", &[]),
            ("task_004", &["task_002", "task_001"]),
        ])
        .only();
        assert_eq!(found.code, "MC017");
        assert_eq!(found.file, "tasks/task_001.json");
        assert_eq!(found.spot, Spot::Value("/dependencies/0".into()));
        assert!(
            found.message.ends_with(": task_001 → task_004 → task_001"),
            "{}",
            found.message
        );
    }

    #[test]
    fn a_diamond_is_no_circle() {
        let diamond = tasks(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])]);
        assert!(diamond.codes().is_empty());
    }

    #[test]
    fn a_circle_of_thousands_has_a_message_of_one_line() {
        let mut built = cell().agent("agent_001", json!({}));
        for number in 0..200 {
            let on = format!("t{:03}", (number + 1) % 200);
            built = built.task(&format!("t{number:03}"), json!({"dependencies": [on]}));
        }
        let found = built.only();
        assert!(found.message.contains("… (150 more) → t000"));
    }

    #[test]
    fn what_waits_for_a_circle_is_never_ready() {
        let built = tasks(&[
            ("a", &["b"]),
            ("b", &["a"]),
            ("c", &["b"]),
            ("d", &["c"]),
            ("e", &[]),
        ]);
        assert_eq!(built.codes(), ["MC017", "MC018", "MC018"]);
        let found = built.of("MC018");
        assert_eq!(
            found[0].message,
            "task `c` can never become ready: it waits for `b`, which waits in a circle"
        );
        assert_eq!(
            found[1].message,
            "task `d` can never become ready: it waits for `c` and so for `b`, which waits in a circle"
        );
    }

    #[test]
    fn what_waits_for_a_task_that_lacks_one_is_never_ready() {
        let built = tasks(&[("a", &["nowhere"]), ("b", &["a"])]);
        assert_eq!(built.codes(), ["MC015", "MC018"]);
        let over = built.cell(json!({"status": "failed"}));
        assert_eq!(over.codes(), ["MC015"]);
    }

    #[test]
    fn a_task_that_cannot_be_read_may_be_done_one_day() {
        let built =
            tasks(&[("a", &["hidden"]), ("b", &["a"])]).odd("tasks/hidden.json", OddityKind::Link);
        assert!(built.of("MC018").is_empty() && built.of("MC015").is_empty());
    }

    #[test]
    fn a_failed_task_that_is_waited_for_is_a_note_under_resilience() {
        let built = tasks(&[("a", &[]), ("b", &["a"])])
            .agent("agent_002", json!({"role": "lead"}))
            .agent("agent_003", json!({"role": "lead"}))
            .policies(json!({"substitute_agents": ["agent_003"]}))
            .task("a", json!({"status": "failed"}));
        assert!(built.codes().is_empty());
        assert_eq!(built.resilience().only().code, "MC054");
    }
}
