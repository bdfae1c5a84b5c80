//! The crew of a cell: how many agents it has, and what they do when the mission is over.

use super::known::{agent_status, cell_status, few, is_open, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::count;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC028",
        name: "more-agents-than-allowed",
        severity: Severity::Error,
        summary: "A cell has at most max_agents agents (10 if it does not say).",
        why: "The limit protects the machine and the model's quota. Files put in by hand get past it.",
        example: r#"{ "max_agents": 2 } and three files in agents/"#,
        mend: "Remove agents with `mcell agent remove`, or raise max_agents with `mcell cell set`.",
        check: Check::Always(more_agents_than_allowed),
    },
    Rule {
        code: "MC057",
        name: "completed-with-open-tasks",
        severity: Severity::Warning,
        summary: "A completed cell has no task that is pending or in progress.",
        why: "Nothing of a completed cell is given out, so these tasks are never done, and nobody looks for them there.",
        example: r#"cell.json: { "status": "completed" }
tasks/task_001.json: { "status": "pending" }"#,
        mend: "Open the cell again with `mcell cell reopen`, or remove the tasks with `mcell task remove`.",
        check: Check::Always(completed_with_open_tasks),
    },
    Rule {
        code: "MC070",
        name: "over-with-active-agents",
        severity: Severity::Warning,
        summary: "In a completed or failed cell no agent is active.",
        why: "The agents of a finished mission are neither watched nor brought back. One that is active there works \
              unseen, or its file was forgotten.",
        example: r#"cell.json: { "status": "failed" }
agents/agent_001.json: { "status": "active" }"#,
        mend: "Make the agents idle (`mcell agent edit`), or open the cell again with `mcell cell reopen`.",
        check: Check::Always(over_with_active_agents),
    },
];

fn more_agents_than_allowed(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(sheet) = &facts.survey.cell else {
        return;
    };
    let Some(cell) = &sheet.value else {
        return;
    };
    let (have, most) = (facts.survey.agents.len(), cell.max_agents());
    if have as u64 <= most || !sheet.trusts("/max_agents") {
        return;
    }
    let way_out = format!(
        "allow them with `mcell cell set max_agents={have}`, or remove some with `mcell agent remove`"
    );
    let finding = |said: &str| {
        let have = count(have, "agent");
        Finding::new(
            "MC028",
            Severity::Error,
            &*sheet.file,
            format!("the cell has {have}, but {said} {most}"),
        )
        .hint(way_out.clone())
    };
    findings.add(match cell.max_agents {
        Some(_) => finding("max_agents allows").value("/max_agents"),
        None => finding("without max_agents it may have"),
    });
}

fn completed_with_open_tasks(facts: &Facts<'_, '_>, findings: &mut Findings) {
    if cell_status(facts) != Some(CellStatus::Completed) {
        return;
    }
    let open = facts
        .survey
        .tasks
        .iter()
        .filter(|sheet| task_status(sheet).is_some_and(is_open))
        .map(|sheet| sheet.stem());
    let way_out =
        "open it again with `mcell cell reopen`, or remove the tasks with `mcell task remove`";
    add_to_status(
        facts,
        findings,
        ("MC057", way_out),
        open,
        |_, number, named| {
            let tasks = count(number, "task");
            let are = if number == 1 { "is" } else { "are" };
            format!("the cell is completed, but {tasks} {are} open: {named}")
        },
    );
}

fn over_with_active_agents(facts: &Facts<'_, '_>, findings: &mut Findings) {
    if !cell_status(facts).is_some_and(CellStatus::is_over) {
        return;
    }
    let active = facts
        .survey
        .agents
        .iter()
        .filter(|sheet| agent_status(sheet) == Some(AgentStatus::Active))
        .map(|sheet| sheet.stem());
    let way_out =
        "make them idle with `mcell agent edit`, or open the cell again with `mcell cell reopen`";
    add_to_status(
        facts,
        findings,
        ("MC070", way_out),
        active,
        |status, number, named| {
            let agents = count(number, "agent");
            let are = if number == 1 { "is" } else { "are" };
            let is_over = match status {
                CellStatus::Failed => "has failed",
                _ => "is completed",
            };
            format!("the cell {is_over}, but {agents} {are} active: {named}")
        },
    );
}

/// One finding at the cell's state, if there are any ids.
fn add_to_status<'i>(
    facts: &Facts<'_, '_>,
    findings: &mut Findings,
    (code, way_out): (&'static str, &str),
    ids: impl Iterator<Item = &'i str> + Clone,
    message: impl FnOnce(CellStatus, usize, &str) -> String,
) {
    let number = ids.clone().count();
    if number == 0 {
        return;
    }
    if let (Some(sheet), Some(status)) = (&facts.survey.cell, cell_status(facts)) {
        let message = message(status, number, &few(ids));
        let finding = Finding::new(code, Severity::Warning, &*sheet.file, message);
        findings.add(finding.value("/status").hint(way_out));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::json;

    fn agents(built: Built, number: usize) -> Built {
        (1..=number).fold(built, |built, number| {
            built.agent(&format!("agent_{number:03}"), json!({}))
        })
    }

    #[test]
    fn a_cell_has_no_more_agents_than_it_may() {
        let two = cell().cell(json!({"max_agents": 2}));
        assert!(agents(two.clone(), 2).codes().is_empty());
        let found = agents(two, 3).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC028", Spot::Value("/max_agents".into()))
        );
        assert_eq!(
            found.message,
            "the cell has 3 agents, but max_agents allows 2"
        );
        let unsaid = cell().cell(json!({"max_agents": null}));
        assert!(agents(unsaid.clone(), 10).codes().is_empty());
        assert_eq!(agents(unsaid, 11).only().spot, Spot::Whole);
        let flawed = agents(cell().cell(json!({"max_agents": "few"})), 11);
        assert!(flawed.of("MC028").is_empty());
    }

    #[test]
    fn a_completed_cell_has_nothing_open() {
        let built = agents(cell(), 1)
            .task("task_001", json!({"status": "failed"}))
            .cell(json!({"status": "completed"}));
        assert!(built.codes().is_empty());
        let found = built.task("task_002", json!({})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC057", Spot::Value("/status".into()))
        );
        assert!(found.message.ends_with("1 task is open: `task_002`"));
    }

    #[test]
    fn a_failed_cell_may_have_open_tasks() {
        let built = agents(cell(), 1)
            .task("task_001", json!({}))
            .cell(json!({"status": "failed"}));
        assert!(built.codes().is_empty());
    }

    #[test]
    fn nobody_works_for_a_mission_that_is_over() {
        let busy = cell()
            .agent(
                "agent_001",
                json!({"status": "active", "current_task": "task_001"}),
            )
            .task(
                "task_001",
                json!({"status": "in_progress", "assigned_to": "agent_001"}),
            );
        assert!(
            busy.clone()
                .cell(json!({"status": "paused"}))
                .codes()
                .is_empty()
        );
        let found = busy.cell(json!({"status": "failed"})).only();
        assert_eq!(found.code, "MC070");
        assert!(
            found
                .message
                .contains("has failed, but 1 agent is active: `agent_001`")
        );
    }
}
