//! References: everything that names an agent or a task of the cell names one that is there.

use super::known::{Guesses, has_agent, has_task, item};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC012",
        name: "assigned-to-nobody-here",
        severity: Severity::Error,
        summary: "A task is assigned to an agent of its cell, or to nobody.",
        why: "Only agents of the cell can take its tasks, so this one waits for ever. Usually a typing error, or the \
              agent was removed or never added. On a completed task it is only a note: whoever did it may be gone.",
        example: r#"{ "task_id": "task_001", "assigned_to": "agent_009" }"#,
        mend: "Add the agent (`mcell add-agent agent_009 --role write`), or assign the task to one that is there.",
        check: Check::Always(assigned_to_nobody_here),
    },
    Rule {
        code: "MC015",
        name: "depends-on-no-task",
        severity: Severity::Error,
        summary: "A task depends only on tasks of its cell.",
        why: "A task is ready when everything it depends on is completed. What is not there is never completed, so the \
              task and all that wait for it never become ready.",
        example: r#"{ "task_id": "task_002", "dependencies": ["task_999"] }"#,
        mend: "Correct the id, take it out of the list, or add the task.",
        check: Check::Always(depends_on_no_task),
    },
    Rule {
        code: "MC022",
        name: "works-on-no-task",
        severity: Severity::Error,
        summary: "An agent's current_task is a task of its cell.",
        why: "The daemon restores an agent together with its task; with a task that is not there it cannot tell what \
              the agent was doing.",
        example: r#"{ "agent_id": "agent_001", "status": "active", "current_task": "task_999" }"#,
        mend: "Set it to null, or to the task the agent holds.",
        check: Check::Always(works_on_no_task),
    },
    Rule {
        code: "MC023",
        name: "claimed-by-nobody-here",
        severity: Severity::Error,
        summary: "A task is claimed by an agent of its cell.",
        why: "A claim holds until its holder is gone or its lease lapses. One by an agent that is not there keeps the \
              others away from the task for nothing.",
        example: r#"{ "status": "in_progress", "claim": { "agent": "agent_009", "token": 7 } }"#,
        mend: "Release it (`mcell task release`): then it is free to be taken.",
        check: Check::Always(claimed_by_nobody_here),
    },
];

fn assigned_to_nobody_here(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        let Some(agent) = task.assigned_to.as_deref() else {
            continue;
        };
        if has_agent(facts.survey, agent) {
            continue;
        }
        let id = sheet.stem();
        let severity = match task.status {
            TaskStatus::Completed => Severity::Note,
            _ => Severity::Error,
        };
        let add = format!("add it with `mcell add-agent {agent} --role write`");
        let hint = match someone_who_works(facts) {
            Some(other) => format!("{add}, or assign the task to `{other}`"),
            None => add,
        };
        findings.add(
            Finding::new(
                "MC012",
                severity,
                &*sheet.file,
                format!("task `{id}` is assigned to `{agent}`, which is not in this cell"),
            )
            .value("/assigned_to")
            .hint(hint),
        );
    }
}

/// The first agent whose role lets it do tasks.
fn someone_who_works<'f>(facts: &Facts<'f, '_>) -> Option<&'f str> {
    facts
        .agents()
        .find(|(sheet, agent)| agent.role.may_work() && sheet.trusts("/role"))
        .map(|(sheet, _)| sheet.stem())
}

fn depends_on_no_task(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let mut guesses = Guesses::few();
    for (sheet, task) in facts.tasks() {
        for (index, dependency) in task.dependencies.iter().enumerate() {
            if has_task(facts.survey, dependency) {
                continue;
            }
            let id = sheet.stem();
            let finding = Finding::new(
                "MC015",
                Severity::Error,
                &*sheet.file,
                format!(
                    "task `{id}` depends on `{}`, which is not in this cell",
                    &**dependency
                ),
            )
            .value(item(sheet, "/dependencies", index));
            let others = facts
                .survey
                .tasks
                .iter()
                .map(|sheet| sheet.stem())
                .filter(|other| *other != id);
            findings.add(finding.hint(guesses.way_out(dependency, others, || {
                format!(
                    "add it with `mcell add-task TITLE --id {}`, or take it out with `mcell task edit {id}`",
                    &**dependency
                )
            })));
        }
    }
}

fn works_on_no_task(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let mut guesses = Guesses::few();
    for (sheet, agent) in facts.agents() {
        let Some(task) = agent.current_task.as_deref() else {
            continue;
        };
        if has_task(facts.survey, task) {
            continue;
        }
        let id = sheet.stem();
        let finding = Finding::new(
            "MC022",
            Severity::Error,
            &*sheet.file,
            format!("the current_task of agent `{id}` is `{task}`, which is not in this cell"),
        )
        .value("/current_task");
        let tasks = facts.survey.tasks.iter().map(|sheet| sheet.stem());
        findings.add(finding.hint(guesses.way_out(task, tasks, || {
            format!("write null, or the task it holds, with `mcell agent edit {id}`")
        })));
    }
}

fn claimed_by_nobody_here(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        let Some(claim) = &task.claim else {
            continue;
        };
        if has_agent(facts.survey, &claim.agent) || !sheet.trusts("/claim/agent") {
            continue;
        }
        let (id, agent) = (sheet.stem(), &*claim.agent);
        findings.add(
            Finding::new(
                "MC023",
                Severity::Error,
                &*sheet.file,
                format!("task `{id}` is claimed by `{agent}`, which is not in this cell"),
            )
            .value("/claim/agent")
            .hint(format!("release it with `mcell task release {id}`")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::cell;
    use crate::base::finding::{Severity, Spot};
    use crate::mission::survey::OddityKind;
    use serde_json::json;

    #[test]
    fn a_task_is_not_assigned_to_someone_elsewhere() {
        let built = cell()
            .agent("agent_000", json!({"role": "audit"}))
            .agent("agent_001", json!({}))
            .task("task_001", json!({"assigned_to": "agent_009"}));
        let found = built.only();
        assert_eq!((found.code, found.severity), ("MC012", Severity::Error));
        assert_eq!(
            found.message,
            "task `task_001` is assigned to `agent_009`, which is not in this cell"
        );
        assert_eq!(
            found.hints,
            [
                "add it with `mcell add-agent agent_009 --role write`, or assign the task to `agent_001`"
            ]
        );
        assert_eq!(found.spot, Spot::Value("/assigned_to".into()));
    }

    #[test]
    fn who_is_there_but_cannot_be_read_is_there() {
        for kind in [OddityKind::Link, OddityKind::TooLarge(1 << 30)] {
            let built = cell()
                .agent("agent_001", json!({}))
                .odd("agents/agent_009.json", kind)
                .task("task_001", json!({"assigned_to": "agent_009"}));
            assert!(built.of("MC012").is_empty());
        }
        let built = cell()
            .file("agents/agent_009.json", "{")
            .file("tasks/task_009.json", "{")
            .agent("agent_001", json!({}))
            .task(
                "task_001",
                json!({"assigned_to": "agent_009", "dependencies": ["task_009"]}),
            );
        assert!(built.of("MC012").is_empty() && built.of("MC015").is_empty());
    }

    #[test]
    fn what_is_done_may_name_someone_who_left() {
        let built = cell().agent("agent_001", json!({})).task(
            "task_001",
            json!({"assigned_to": "agent_009", "status": "completed", "completed_at": "2026-01-02T03:30:00Z"}),
        );
        assert_eq!(built.only().severity, Severity::Note);
    }

    #[test]
    fn an_assignment_that_is_no_id_is_said_once() {
        let built = cell()
            .agent("agent_001", json!({}))
            .task("task_001", json!({"assigned_to": "../agent_009"}));
        assert!(built.of("MC012").is_empty());
    }

    #[test]
    fn a_task_does_not_wait_for_what_is_not_there() {
        let built = cell()
            .agent("agent_001", json!({}))
            .task("task_001", json!({}))
            .task(
                "task_012",
                json!({"dependencies": ["task_001", "task_O01"]}),
            );
        let found = built.only();
        assert_eq!(found.code, "MC015");
        assert_eq!(found.spot, Spot::Value("/dependencies/1".into()));
        assert_eq!(found.hints, ["did you mean `task_001`?"]);
    }

    #[test]
    fn an_agent_does_not_work_on_what_is_not_there() {
        let built = cell()
            .agent(
                "agent_001",
                json!({"status": "active", "current_task": "tsak_001"}),
            )
            .task("task_001", json!({}));
        let found = built.only();
        assert_eq!(found.code, "MC022");
        assert_eq!(found.hints, ["did you mean `task_001`?"]);
    }

    #[test]
    fn a_claim_is_of_someone_here() {
        let claimed = |agent: &str| {
            cell()
                .agent(
                    "agent_001",
                    json!({"status": "active", "current_task": "task_001"}),
                )
                .task(
                    "task_001",
                    json!({"status": "in_progress", "claim": {"agent": agent, "token": 7}}),
                )
        };
        assert!(claimed("agent_001").codes().is_empty());
        assert_eq!(claimed("agent_009").of("MC023").len(), 1);
        let flawed = cell().agent("agent_001", json!({})).task(
            "task_001",
            json!({"status": "in_progress", "claim": {"token": 7}}),
        );
        assert!(flawed.of("MC023").is_empty());
    }
}
