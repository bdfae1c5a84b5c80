//! Progress: the state of a task agrees with who holds it and with what it depends on.

use super::known::{has_task, holder, holder_pointer, is_sound, item, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::sheet::TaskSheet;
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC019",
        name: "in-progress-held-by-nobody",
        severity: Severity::Error,
        summary: "Someone holds every task in progress: a claim says who, or assigned_to.",
        why: "A task in progress is not given out again. With nobody holding it nobody works on it, and nobody else \
              gets it.",
        example: r#"{ "status": "in_progress", "assigned_to": null }"#,
        mend: "Release it (`mcell task release`), or say in assigned_to who does it.",
        check: Check::Always(in_progress_held_by_nobody),
    },
    Rule {
        code: "MC020",
        name: "holder-is-elsewhere",
        severity: Severity::Warning,
        summary: "Who holds a task in progress has it as current_task.",
        why: "Tools look at the agent's current_task to see what it does, and a revival restores that task. One of the \
              two files is behind.",
        example: r#"tasks/task_001.json: { "status": "in_progress", "assigned_to": "agent_001" }
agents/agent_001.json: { "current_task": null }"#,
        mend: "Set the agent's current_task (`mcell agent edit`), or release the task (`mcell task release`).",
        check: Check::Always(holder_is_elsewhere),
    },
    Rule {
        code: "MC026",
        name: "completed-before-its-dependency",
        severity: Severity::Error,
        summary: "A completed task depends only on completed ones.",
        why: "What it builds on is not done, so either it is not done, or the dependency is none, or the other task was \
              not marked.",
        example: r#"tasks/task_002.json: { "status": "completed", "dependencies": ["task_001"] }
tasks/task_001.json: { "status": "pending" }"#,
        mend: "Complete the dependency, take it out, or open the task again with `mcell task reopen`.",
        check: Check::Always(completed_before_its_dependency),
    },
    Rule {
        code: "MC055",
        name: "started-before-its-dependency",
        severity: Severity::Error,
        summary: "A task in progress depends only on completed ones.",
        why: "An agent works on it before what it needs is there. mcell gives out no task like that; another tool did, \
              or the dependency was added or opened again later.",
        example: r#"tasks/task_002.json: { "status": "in_progress", "dependencies": ["task_001"] }
tasks/task_001.json: { "status": "pending" }"#,
        mend: "Make the task pending or take the dependency out (`mcell task edit`).",
        check: Check::Always(started_before_its_dependency),
    },
];

fn in_progress_held_by_nobody(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        if task.status != TaskStatus::InProgress || task.holder().is_some() {
            continue;
        }
        // What should say who holds it may be there with a flaw.
        let sound = is_sound(sheet, "/claim") && sheet.trusts("/assigned_to");
        if !sound || !sheet.trusts("/status") {
            continue;
        }
        let id = sheet.stem();
        findings.add(
            Finding::new(
                "MC019",
                Severity::Error,
                &*sheet.file,
                format!("task `{id}` is in progress, but nobody holds it"),
            )
            .value("/status")
            .hint(format!(
                "release it with `mcell task release {id}`, or say in assigned_to who does it"
            )),
        );
    }
}

fn holder_is_elsewhere(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, _) in facts.tasks() {
        let Some(agent) = holder(sheet).and_then(|holder| facts.survey.agent(holder)) else {
            continue;
        };
        let (id, holder_id) = (sheet.stem(), agent.stem());
        let Some(value) = agent
            .value
            .as_ref()
            .filter(|_| agent.trusts("/current_task"))
        else {
            continue;
        };
        let instead = match value.current_task.as_deref() {
            Some(current) if current == id => continue,
            Some(current) if is_said_otherwise(facts, holder_id, current) => continue,
            Some(current) => format!("`{current}`"),
            None => String::from("null"),
        };
        findings.add(
            Finding::new(
                "MC020",
                Severity::Warning,
                &*sheet.file,
                format!(
                    "task `{id}` is in progress and held by `{holder_id}`, whose current_task is {instead}"
                ),
            )
            .value(holder_pointer(sheet))
            .hint(format!(
                "write `{id}` as its current_task with `mcell agent edit {holder_id}`, or release the task with `mcell task release {id}`"
            )),
        );
    }
}

/// Tells whether another rule says what is wrong with an agent's current task: it is not there, or the agent holds it
/// besides others.
fn is_said_otherwise(facts: &Facts<'_, '_>, agent: &str, current: &str) -> bool {
    match facts.survey.task(current) {
        Some(sheet) => holder(sheet) == Some(agent),
        None => !has_task(facts.survey, current),
    }
}

fn completed_before_its_dependency(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_with_open_dependency(facts, TaskStatus::Completed, |sheet, what, pointer| {
        let message = format!("task `{}` is completed, but {what}", sheet.stem());
        let finding = Finding::new("MC026", Severity::Error, &*sheet.file, message).value(pointer);
        let id = sheet.stem();
        findings.add(finding.hint(format!(
            "open it again with `mcell task reopen {id}`, or take the dependency out with `mcell task edit {id}`"
        )));
    });
}

fn started_before_its_dependency(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_with_open_dependency(facts, TaskStatus::InProgress, |sheet, what, pointer| {
        let message = format!("task `{}` is in progress, but {what}", sheet.stem());
        let finding = Finding::new("MC055", Severity::Error, &*sheet.file, message).value(pointer);
        findings.add(finding.hint(format!(
            "make it pending, or take the dependency out, with `mcell task edit {}`",
            sheet.stem()
        )));
    });
}

/// Every task of a state that depends on something not completed, with that in words and its pointer. Only the first
/// such dependency is pointed at, the others are counted.
fn each_with_open_dependency(
    facts: &Facts<'_, '_>,
    status: TaskStatus,
    mut act: impl FnMut(&TaskSheet<'_>, &str, String),
) {
    for (sheet, task) in facts.tasks() {
        if task.status != status || !sheet.trusts("/status") {
            continue;
        }
        // One that depends on itself, or on what is not there, has been said.
        let open = |other: &str| {
            let other = facts.survey.task(other)?;
            let state = task_status(other).filter(|state| *state != TaskStatus::Completed)?;
            (other.stem() != sheet.stem()).then(|| (other.stem(), state))
        };
        let mut opens = task
            .dependencies
            .iter()
            .enumerate()
            .filter_map(|(index, other)| Some((index, open(other)?)));
        if let Some((index, (other, state))) = opens.next() {
            let more = match opens.count() {
                0 => String::new(),
                more => format!(" (and {more} more of its dependencies are open)"),
            };
            let state = state.word().replace('_', " ");
            let what = format!("it depends on `{other}`, which is {state}{more}");
            act(sheet, &what, item(sheet, "/dependencies", index));
        }
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!(…)` is said in place")]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    /// An agent with a current task, and a task.
    fn pair(current: Value, task: Value) -> Built {
        let status = if current.is_null() { "idle" } else { "active" };
        cell()
            .agent(
                "agent_001",
                json!({"status": status, "current_task": current}),
            )
            .task("task_001", task)
    }

    #[test]
    fn someone_holds_what_is_in_progress() {
        let found = pair(Value::Null, json!({"status": "in_progress"})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC019", Spot::Value("/status".into()))
        );
        for held in [
            json!({"status": "in_progress", "assigned_to": "agent_001"}),
            json!({"status": "in_progress", "claim": {"agent": "agent_001", "token": 1}}),
        ] {
            assert!(pair(json!("task_001"), held).codes().is_empty());
        }
        let flawed = pair(
            Value::Null,
            json!({"status": "in_progress", "assigned_to": 7}),
        );
        assert!(flawed.of("MC019").is_empty());
    }

    #[test]
    fn the_holder_knows_what_it_holds() {
        let held = json!({"status": "in_progress", "assigned_to": "agent_001"});
        let found = pair(Value::Null, held.clone()).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC020", Spot::Value("/assigned_to".into()))
        );
        assert!(found.message.ends_with("whose current_task is null"));
        let elsewhere = pair(json!("task_002"), held.clone()).task("task_002", json!({}));
        assert_eq!(elsewhere.codes(), ["MC020", "MC029"]);
        assert_eq!(pair(json!("task_009"), held).codes(), ["MC022"]);
    }

    #[test]
    fn an_active_agent_without_a_task_is_not_named_twice() {
        let built = pair(
            Value::Null,
            json!({"status": "in_progress", "assigned_to": "agent_001"}),
        )
        .agent("agent_001", json!({"status": "active"}));
        assert_eq!(built.codes(), ["MC020"]);
    }

    #[test]
    fn nothing_is_done_before_what_it_needs() {
        let after = |status: &str| {
            pair(Value::Null, json!({"status": status, "completed_at": (status == "completed").then_some("2026-01-02T03:10:00Z")})).task(
                "task_002",
                json!({"status": "completed", "completed_at": "2026-01-02T03:30:00Z", "dependencies": ["task_001"]}),
            )
        };
        for status in ["pending", "failed"] {
            let found = after(status).only();
            assert_eq!(
                (found.code, found.spot),
                ("MC026", Spot::Value("/dependencies/0".into()))
            );
            assert!(found.message.ends_with(&format!("which is {status}")));
        }
        assert!(after("completed").codes().is_empty());
    }

    #[test]
    fn nothing_is_begun_before_what_it_needs() {
        let built = cell()
            .agent("agent_001", json!({"status": "active", "current_task": "task_003"}))
            .task("task_001", json!({}))
            .task("task_002", json!({"status": "failed"}))
            .task(
                "task_003",
                json!({"status": "in_progress", "assigned_to": "agent_001", "dependencies": ["task_001", "task_002"]}),
            );
        let found = built.only();
        assert_eq!(found.code, "MC055");
        assert!(
            found
                .message
                .contains("(and 1 more of its dependencies are open)")
        );
        let unknown = built.task("task_001", json!({"status": "stuck"})).task(
            "task_002",
            json!({"status": "completed", "completed_at": "2026-01-02T03:10:00Z"}),
        );
        assert!(unknown.of("MC055").is_empty());
    }
}
