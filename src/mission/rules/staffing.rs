//! Staffing: agents at all, more than one who leads, someone who stands in. Looked for only under `--resilience`.

use super::ability::has_strangers;
use super::known::{agent_status, goes_on, is_open, is_sound, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::count;
use crate::mission::agent::{AgentStatus, Role};
use crate::mission::policy::{AutoRevive, Effective};
use crate::mission::sheet::TaskSheet;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC098",
        name: "no-agents",
        severity: Severity::Warning,
        summary: "A cell with open tasks has agents.",
        why: "Without any agent nothing is done. While a cell is being set up that is as it should be, so it is said only \
              to those who ask what could come to a stop.",
        example: r#"tasks/task_001.json and nothing in agents/"#,
        mend: "Add one with `mcell add-agent --role write`.",
        check: Check::Resilience(no_agents),
    },
    Rule {
        code: "MC096",
        name: "single-lead",
        severity: Severity::Note,
        summary: "More than one agent could assign tasks.",
        why: "Only a lead assigns tasks. While the only one is down, operators have to do it.",
        example: r#"agents/agent_001.json: { "role": "lead" }
and no other lead among several agents"#,
        mend: "Give another agent the role lead, or accept it.",
        check: Check::Resilience(single_lead),
    },
    Rule {
        code: "MC097",
        name: "no-substitute",
        severity: Severity::Note,
        summary: "A cell that revives its agents names a substitute.",
        why: "When an agent cannot be brought back, its task goes to the first able substitute. Without one it waits \
              for a person.",
        example: r#"config/policies.json: { "auto_revive": "yes", "substitute_agents": [] }"#,
        mend: "Name one in substitute_agents of config/policies.json, with `mcell policy set`.",
        check: Check::Resilience(no_substitute),
    },
];

fn no_agents(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let survey = facts.survey;
    let is_empty = survey.agents.is_empty() && !has_strangers(survey);
    if !is_empty || !goes_on(facts) {
        return;
    }
    let open = |sheet: &&TaskSheet<'_>| task_status(sheet).is_some_and(is_open);
    let number = survey.tasks.iter().filter(open).count();
    if number > 0 {
        let wait = if number == 1 { "waits" } else { "wait" };
        findings.add(
            Finding::new(
                "MC098",
                Severity::Warning,
                "agents",
                format!(
                    "{} {wait}, but the cell has no agents",
                    count(number, "task")
                ),
            )
            .hint("add one with `mcell add-agent --role write`"),
        );
    }
}

fn single_lead(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let has_open = || {
        let mut tasks = facts.survey.tasks.iter();
        tasks.any(|task| task_status(task).is_some_and(is_open))
    };
    if facts.survey.agents.len() < 2 || !goes_on(facts) || !has_open() {
        return;
    }
    // One that cannot be read may be a lead.
    let could_lead = |role: Option<Role>| role.is_none_or(|role| role == Role::Lead);
    let mut leads = facts.survey.agents.iter().filter(|sheet| {
        let role = sheet.value.as_ref().map(|agent| agent.role);
        could_lead(role.filter(|_| sheet.trusts("/role")))
            && agent_status(sheet) != Some(AgentStatus::Failed)
    });
    if let (Some(only), None) = (leads.next(), leads.next())
        && only.value.is_some()
        && only.trusts("/role")
    {
        findings.add(
            Finding::new(
                "MC096",
                Severity::Note,
                &*only.file,
                format!(
                    "`{}` is the only lead: if it is lost, no agent assigns tasks",
                    only.stem()
                ),
            )
            .value("/role")
            .hint(
                "give a second one the role with `mcell agent set AGENT role=lead`, or accept it",
            ),
        );
    }
}

fn no_substitute(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let survey = facts.survey;
    let Some((cell, value)) = survey
        .cell
        .as_ref()
        .and_then(|sheet| Some((sheet, sheet.value.as_ref()?)))
    else {
        return;
    };
    let config = survey.policies.as_ref();
    if config.is_some_and(|sheet| sheet.trouble.is_some())
        || survey
            .oddities
            .iter()
            .any(|odd| odd.path == "config/policies.json")
        || !is_sound(cell, "/policies")
        || !goes_on(facts)
    {
        return;
    }
    let workers = facts
        .agents()
        .filter(|(_, agent)| agent.role.may_work())
        .count();
    let policies = Effective::of(value, config.and_then(|sheet| sheet.value.as_ref()));
    if workers < 2
        || policies.auto_revive.value == AutoRevive::No
        || !policies.substitute_agents.value.is_empty()
    {
        return;
    }
    let message = "no substitute is named: what an agent leaves behind waits for a person";
    let finding = |file: &str| {
        Finding::new("MC097", Severity::Note, file, message)
            .hint("name one in `substitute_agents` of config/policies.json")
    };
    let config = config.and_then(|sheet| Some((sheet, sheet.value.as_ref()?)));
    findings.add(match config {
        Some((sheet, policies)) if policies.substitute_agents.is_some() => {
            finding(&sheet.file).value("/substitute_agents")
        }
        Some((sheet, _)) => finding(&sheet.file),
        None => finding(&cell.file),
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use crate::mission::survey::OddityKind;
    use serde_json::json;

    /// Two leads and a substitute, so that only what a test is about is found.
    fn crew() -> Built {
        cell()
            .agent(
                "agent_001",
                json!({"role": "lead", "capabilities": ["deploy"]}),
            )
            .agent("agent_002", json!({"role": "lead"}))
            .policies(json!({"substitute_agents": ["agent_002"]}))
            .resilience()
    }

    #[test]
    fn a_cell_without_agents_is_said_once() {
        let built = cell()
            .task("task_001", json!({}))
            .task("task_002", json!({}));
        assert!(built.codes().is_empty(), "it is being set up");
        let built = built.resilience();
        assert_eq!(
            built.only().message,
            "2 tasks wait, but the cell has no agents"
        );
        let hidden = built.odd("agents/agent_001.json", OddityKind::Link);
        assert!(hidden.of("MC098").is_empty());
        assert!(cell().resilience().codes().is_empty());
    }

    #[test]
    fn one_lead_among_others_is_noted() {
        let built = crew()
            .agent("agent_002", json!({}))
            .task("task_001", json!({}));
        let found = built.only();
        assert_eq!(
            (found.code, found.spot),
            ("MC096", Spot::Value("/role".into()))
        );
        let unread = built.file("agents/agent_003.json", "{");
        assert!(unread.of("MC096").is_empty());
    }

    #[test]
    fn who_revives_names_a_substitute() {
        let built = crew().policies(json!({"substitute_agents": []}));
        let found = built.only();
        assert_eq!(
            (found.code, found.spot),
            ("MC097", Spot::Value("/substitute_agents".into()))
        );
        assert_eq!(
            built.clone().without("config/policies.json").only().file,
            "cell.json"
        );
        assert!(
            built
                .policies(json!({"auto_revive": "no"}))
                .codes()
                .is_empty()
        );
    }
}
