//! Proofs: every task has an agent that could do it, and every substitute could take over.

use super::ability::{Crew, Lack, Member, owner};
use super::known::{goes_on, said, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::sheet::TaskSheet;
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC090",
        name: "nobody-could-do-it",
        severity: Severity::Warning,
        summary: "For every pending task some agent of the cell has the role, the permission and the capabilities.",
        why: "Nobody could take the task, even if it were assigned to them, so it waits for ever. Paused agents count, \
              failed ones do not. The message says what the nearest lacks. A cell without any agent is still being set \
              up: that is said only under --resilience.",
        example: r#"{ "required_capabilities": ["deploy"] }
where no agent has "deploy" among its capabilities"#,
        mend: "Give an agent what it lacks, or add one that has it.",
        check: Check::Always(nobody_could_do_it),
    },
    Rule {
        code: "MC091",
        name: "assigned-to-someone-unable",
        severity: Severity::Warning,
        summary: "Who a task is assigned to could do it.",
        why: "mcell will not let this agent take the task, and lets nobody else take it while it is assigned so.",
        example: r#"tasks/task_001.json: { "assigned_to": "agent_003" }
agents/agent_003.json: { "role": "audit" }"#,
        mend: "Assign it to another with `mcell task set`, or give the agent what it lacks.",
        check: Check::Always(assigned_to_someone_unable),
    },
];

fn nobody_could_do_it(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(crew) = crew_at_work(facts) else {
        return;
    };
    let pending = facts
        .survey
        .tasks
        .iter()
        .filter(|task| task_status(task) == Some(TaskStatus::Pending));
    for task in pending {
        if let Some((nearest, lack)) = nobody_for(facts, &crew, task) {
            findings.add(no_one_able(task, nearest, lack));
        }
    }
}

/// The crew of a cell whose mission goes on; none if some agents are unknown, who might be able to do anything.
fn crew_at_work<'f, 's>(facts: &Facts<'f, 's>) -> Option<Crew<'f, 's>> {
    if !goes_on(facts) {
        return None;
    }
    Crew::of(facts).filter(|crew| !crew.has_strangers)
}

/// The agent nearest to being able to do a task, and what it lacks; none if some agent is able.
fn nobody_for<'c, 'f, 's>(
    facts: &Facts<'f, 's>,
    crew: &'c Crew<'f, 's>,
    task: &'f TaskSheet<'s>,
) -> Option<(&'c Member<'f, 's>, Lack<'f>)> {
    // Who it is assigned to is nearly always able, and then nobody else is asked.
    let owner = owner(facts.survey, task).map(|(at, _)| at);
    let first = owner.and_then(|at| crew.members.get(at));
    let mut nearest: Option<(&Member<'f, 's>, Lack<'f>)> = None;
    for member in first.into_iter().chain(&crew.members) {
        let lack = crew.lack_now(member, task)?;
        if nearest.is_none_or(|(_, known)| lack.rank() < known.rank()) {
            nearest = Some((member, lack));
        }
    }
    nearest
}

fn no_one_able(task: &TaskSheet<'_>, nearest: &Member<'_, '_>, lack: Lack<'_>) -> Finding {
    let (id, agent) = (task.stem(), nearest.id());
    let is_assigned = task
        .value
        .as_ref()
        .is_some_and(|task| task.assigned_to.is_some());
    let pointer = match lack {
        Lack::Capability(_) => "/required_capabilities",
        _ if is_assigned => "/assigned_to",
        _ => "/task_id",
    };
    let hint = match lack {
        Lack::Failed => format!(
            "make it idle with `mcell agent edit {agent}` once it works again, or add another"
        ),
        Lack::Permission(verb) => format!(
            "let it, with `mcell permission grant {agent} {} {id}`",
            verb.word()
        ),
        Lack::Capability(word) => {
            format!(
                "add `{}` to the capabilities of an agent, or take it out of required_capabilities",
                said(word)
            )
        }
        Lack::Role(_) => String::from("add one with `mcell add-agent --role write`"),
    };
    Finding::new(
        "MC090",
        Severity::Warning,
        &*task.file,
        format!(
            "no agent of this cell could do task `{id}`: the nearest, `{agent}`, {}",
            lack.words()
        ),
    )
    .value(pointer)
    .hint(hint)
}

fn assigned_to_someone_unable(facts: &Facts<'_, '_>, findings: &mut Findings) {
    if !goes_on(facts) {
        return;
    }
    let Some(crew) = Crew::of(facts) else {
        return;
    };
    for task in &facts.survey.tasks {
        let Some((at, pointer)) = owner(facts.survey, task) else {
            continue;
        };
        let Some(member) = crew.members.get(at) else {
            continue;
        };
        let Some(lack) = crew.lack(member, task) else {
            continue;
        };
        let able = crew
            .members
            .iter()
            .find(|other| crew.lack_now(other, task).is_none());
        if crew.is_exhausted() {
            return;
        }
        // That nobody could do it says this as well.
        let is_pending = task_status(task) == Some(TaskStatus::Pending);
        if able.is_none() && is_pending && !crew.has_strangers {
            continue;
        }
        let (id, agent) = (task.stem(), member.id());
        let meant = if pointer == "/assigned_to" {
            "assigned to"
        } else {
            "held by"
        };
        let mut finding = Finding::new(
            "MC091",
            Severity::Warning,
            &*task.file,
            format!("task `{id}` is {meant} `{agent}`, which {}", lack.words()),
        )
        .value(pointer);
        if let Some(able) = able {
            finding = finding.hint(format!(
                "`{0}` could do it: `mcell task set {id} assigned_to={0}`",
                able.id()
            ));
        }
        findings.add(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use crate::mission::survey::OddityKind;
    use serde_json::{Value, json};

    fn one(agent: Value, task: Value) -> Built {
        cell().agent("agent_001", agent).task("task_001", task)
    }

    #[test]
    fn every_task_has_someone_who_could_do_it() {
        let deploys = json!({"required_capabilities": ["code", "deploy"]});
        let found = one(json!({"capabilities": ["code"]}), deploys.clone()).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC090", Spot::Value("/required_capabilities".into()))
        );
        assert_eq!(
            found.message,
            "no agent of this cell could do task `task_001`: the nearest, `agent_001`, lacks the capability `deploy`"
        );
        let able = json!({"capabilities": ["deploy", "code"], "status": "paused"});
        assert!(one(able, deploys.clone()).codes().is_empty());
        let reader = one(json!({"role": "read"}), json!({"assigned_to": "agent_001"}));
        assert_eq!(reader.only().code, "MC090");
        let over = one(json!({}), deploys).cell(json!({"status": "failed"}));
        assert!(over.codes().is_empty());
    }

    #[test]
    fn a_failed_agent_does_nothing_until_it_is_revived() {
        let built = one(
            json!({"status": "failed"}),
            json!({"assigned_to": "agent_001"}),
        );
        assert_eq!(
            built.only().hints,
            ["make it idle with `mcell agent edit agent_001` once it works again, or add another"]
        );
        assert!(built.agent("agent_002", json!({})).codes().is_empty());
    }

    #[test]
    fn an_entry_that_does_not_name_a_task_is_named() {
        let built = one(json!({}), json!({})).task("task_002", json!({}));
        let only = |list: Value| {
            built
                .clone()
                .permissions(json!({"agent_001": {"execute": list}}))
        };
        assert!(only(json!(["task_001", "task_002"])).codes().is_empty());
        let found = only(json!(["task_001"])).only();
        assert_eq!(
            (found.code, found.file.as_str()),
            ("MC090", "tasks/task_002.json")
        );
        assert!(found.message.ends_with(
            "may not execute it: its entry in config/permissions.json does not name it"
        ));
    }

    #[test]
    fn who_cannot_be_read_might_be_able() {
        let needs = json!({"required_capabilities": ["deploy"]});
        for built in [
            one(json!({"capabilities": "code"}), needs.clone()),
            one(json!({}), needs.clone()).odd("agents/agent_002.json", OddityKind::Link),
            one(json!({}), needs.clone()).file("config/permissions.json", "{"),
            cell()
                .file("agents/agent_001.json", "{")
                .task("task_001", needs),
        ] {
            assert!(built.of("MC090").is_empty());
        }
    }

    #[test]
    fn whom_a_task_is_assigned_to_could_do_it() {
        let able = json!({"capabilities": ["deploy"]});
        let assigned = json!({"assigned_to": "agent_001", "required_capabilities": ["deploy"]});
        let built = one(json!({}), assigned.clone()).agent("agent_002", able.clone());
        let found = built.only();
        assert_eq!(
            (found.code, found.spot),
            ("MC091", Spot::Value("/assigned_to".into()))
        );
        assert_eq!(
            found.hints,
            ["`agent_002` could do it: `mcell task set task_001 assigned_to=agent_002`"]
        );
        assert!(one(able, assigned).codes().is_empty());
    }

    #[test]
    fn who_holds_a_task_could_do_it() {
        let works = json!({"role": "audit", "status": "active", "current_task": "task_001"});
        let built = one(
            works,
            json!({"status": "in_progress", "claim": {"agent": "agent_001", "token": 1}}),
        );
        let found = built.only();
        assert_eq!(
            (found.code, found.spot),
            ("MC091", Spot::Value("/claim/agent".into()))
        );
        assert!(
            found
                .message
                .contains("is held by `agent_001`, which has the role audit")
        );
    }

    #[test]
    fn a_list_longer_than_one_glance_is_read_to_its_end() {
        let mut built = cell().agent("agent_001", json!({}));
        let ids: Vec<String> = (0..100).map(|number| format!("task_{number:03}")).collect();
        for id in &ids {
            built = built.task(id, json!({}));
        }
        let built = built.permissions(json!({"agent_001": {"write": ids.split_last().unwrap().1}}));
        assert_eq!(built.only().file, "tasks/task_099.json");
    }
}
