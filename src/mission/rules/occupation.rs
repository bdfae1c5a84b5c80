//! Occupation: the state of an agent agrees with the task it says it works on.

use super::known::{agent_status, few, holder, holder_pointer, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::agent::AgentStatus;
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC021",
        name: "active-without-a-task",
        severity: Severity::Warning,
        summary: "An active agent has a current_task.",
        why: "Active means: has a task in progress. An agent that is active with nothing to do is passed over when \
              work is given out.",
        example: r#"{ "agent_id": "agent_001", "status": "active", "current_task": null }"#,
        mend: "Make it idle, or name the task it works on.",
        check: Check::Always(active_without_a_task),
    },
    Rule {
        code: "MC029",
        name: "current-task-is-not-its-own",
        severity: Severity::Warning,
        summary: "An agent's current_task is in progress and held by it.",
        why: "The two files are written by one act; where they disagree one of them was changed by hand or by a tool \
              that stopped half-way.",
        example: r#"agents/agent_001.json: { "current_task": "task_001" }
tasks/task_001.json: { "status": "completed" }"#,
        mend: "Set current_task to null, or to the task the agent holds.",
        check: Check::Always(current_task_is_not_its_own),
    },
    Rule {
        code: "MC056",
        name: "idle-with-a-task",
        severity: Severity::Warning,
        summary: "An idle agent holds no task in progress.",
        why: "Idle means: free for work. The agent has a task in progress, so it is active, and would be given a second \
              one.",
        example: r#"{ "agent_id": "agent_001", "status": "idle", "current_task": "task_001" }"#,
        mend: "Make it active, or release the task (`mcell task release`).",
        check: Check::Always(idle_with_a_task),
    },
    Rule {
        code: "MC058",
        name: "several-tasks-at-once",
        severity: Severity::Error,
        summary: "An agent holds one task in progress at most.",
        why: "An agent has one current_task and one claim; the others stand still, and nobody else gets them.",
        example: r#"tasks/task_001.json: { "status": "in_progress", "assigned_to": "agent_001" }
tasks/task_002.json: { "status": "in_progress", "assigned_to": "agent_001" }"#,
        mend: "Release all but one of them (`mcell task release`).",
        check: Check::Always(several_tasks_at_once),
    },
];

fn active_without_a_task(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        if agent.status != AgentStatus::Active || agent.current_task.is_some() {
            continue;
        }
        let id = sheet.stem();
        let sound = sheet.trusts("/status") && sheet.trusts("/current_task");
        // If it holds a task, that is said at the task, which says more.
        let holds = || {
            facts
                .survey
                .tasks
                .iter()
                .any(|sheet| holder(sheet) == Some(id))
        };
        if sound && !holds() {
            findings.add(
                Finding::new(
                    "MC021",
                    Severity::Warning,
                    &*sheet.file,
                    format!("agent `{id}` is active, but has no current_task"),
                )
                .value("/status")
                .hint(format!(
                    "make it idle, or say what it works on, with `mcell agent edit {id}`"
                )),
            );
        }
    }
}

fn current_task_is_not_its_own(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        let Some(task) = agent
            .current_task
            .as_deref()
            .and_then(|id| facts.survey.task(id))
        else {
            continue;
        };
        let (id, task_id) = (sheet.stem(), task.stem());
        let what = match task_status(task) {
            Some(TaskStatus::InProgress) => match holder(task) {
                Some(other) if other != id => format!("held by `{other}`"),
                _ => continue,
            },
            Some(other) => other.word().to_owned(),
            None => continue,
        };
        findings.add(
            Finding::new(
                "MC029",
                Severity::Warning,
                &*sheet.file,
                format!("the current_task of agent `{id}` is `{task_id}`, which is {what}"),
            )
            .value("/current_task")
            .hint(format!(
                "write null, or the task it holds, with `mcell agent edit {id}`"
            )),
        );
    }
}

fn idle_with_a_task(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        let Some(current) = agent.current_task.as_deref() else {
            continue;
        };
        let id = sheet.stem();
        let holds = || facts.survey.task(current).and_then(holder) == Some(id);
        if agent_status(sheet) == Some(AgentStatus::Idle) && holds() {
            findings.add(
                Finding::new(
                    "MC056",
                    Severity::Warning,
                    &*sheet.file,
                    format!("agent `{id}` is idle, but holds task `{current}` in progress"),
                )
                .value("/status")
                .hint(format!(
                    "make it active with `mcell agent edit {id}`, or give the task back with `mcell task release {current}`"
                )),
            );
        }
    }
}

fn several_tasks_at_once(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let survey = facts.survey;
    let mut held: Vec<(usize, usize)> = survey
        .tasks
        .iter()
        .enumerate()
        .filter_map(|(task, sheet)| Some((survey.agent_at(holder(sheet)?)?, task)))
        .collect();
    held.sort_unstable();
    for of_one in held.chunk_by(|one, other| one.0 == other.0) {
        let tasks = of_one
            .iter()
            .filter_map(|(_, task)| survey.tasks.get(*task));
        let Some(agent) = of_one
            .first()
            .and_then(|(agent, _)| survey.agents.get(*agent))
        else {
            continue;
        };
        // The one it works on is right; the first of the others is pointed at.
        let current = agent
            .value
            .as_ref()
            .and_then(|agent| agent.current_task.as_deref());
        let second = tasks.clone().find(|sheet| Some(sheet.stem()) != current);
        if let (Some(second), true) = (second, of_one.len() > 1) {
            findings.add(
                Finding::new(
                    "MC058",
                    Severity::Error,
                    &*second.file,
                    format!(
                        "agent `{}` holds {} tasks in progress at once: {}",
                        agent.stem(),
                        of_one.len(),
                        few(tasks.map(|sheet| sheet.stem()))
                    ),
                )
                .value(holder_pointer(second))
                .hint(format!(
                    "release it with `mcell task release {}`, so that another can take it",
                    second.stem()
                )),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    fn pair(agent: Value, task: Value) -> Built {
        cell()
            .agent("agent_001", agent)
            .agent("agent_002", json!({}))
            .task("task_001", task)
    }

    #[test]
    fn an_active_agent_has_a_task() {
        let found = pair(json!({"status": "active"}), json!({})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC021", Spot::Value("/status".into()))
        );
        assert!(
            pair(json!({"status": "paused"}), json!({}))
                .codes()
                .is_empty()
        );
        let flawed = pair(json!({"status": "active", "current_task": 7}), json!({}));
        assert!(flawed.of("MC021").is_empty());
    }

    #[test]
    fn a_current_task_is_in_progress_and_its_own() {
        let works = json!({"status": "active", "current_task": "task_001"});
        for status in ["pending", "failed"] {
            let found = pair(works.clone(), json!({"status": status})).only();
            assert_eq!(
                (found.code, found.spot),
                ("MC029", Spot::Value("/current_task".into()))
            );
        }
        let of_another = json!({"status": "in_progress", "assigned_to": "agent_002"});
        let built = pair(works.clone(), of_another).agent(
            "agent_002",
            json!({"status": "active", "current_task": "task_001"}),
        );
        assert_eq!(built.only().code, "MC029");
        let taken_over = json!({"status": "in_progress", "assigned_to": "agent_002", "claim": {"agent": "agent_001", "token": 2}});
        assert!(pair(works.clone(), taken_over).of("MC029").is_empty());
        assert!(
            pair(works, json!({"status": "doing"}))
                .of("MC029")
                .is_empty()
        );
    }

    #[test]
    fn an_idle_agent_holds_nothing() {
        let held = json!({"status": "in_progress", "assigned_to": "agent_001"});
        let found = pair(json!({"current_task": "task_001"}), held.clone()).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC056", Spot::Value("/status".into()))
        );
        let paused = json!({"status": "paused", "current_task": "task_001"});
        assert!(pair(paused, held).codes().is_empty());
        // What is left over from a task that ended is one fault, not two.
        let stale = pair(json!({"current_task": "task_001"}), json!({}));
        assert_eq!(stale.codes(), ["MC029"]);
    }

    #[test]
    fn an_agent_holds_one_task() {
        let held = json!({"status": "in_progress", "assigned_to": "agent_001"});
        let works = json!({"status": "active", "current_task": "task_001"});
        let built = pair(works, held.clone());
        assert!(built.codes().is_empty());
        let found = built.task("task_002", held).only();
        assert_eq!(
            (found.code, found.file.as_str()),
            ("MC058", "tasks/task_002.json")
        );
        assert!(
            found
                .message
                .ends_with("2 tasks in progress at once: `task_001` and `task_002`")
        );
    }
}
