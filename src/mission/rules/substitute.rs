//! Substitutes: whoever stands in for others could take over their work.

use super::ability::{Crew, Member, Why, owner};
use super::known::{few, goes_on, handoff_allowed, item};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::count;
use crate::mission::permission::Obstacle;
use crate::mission::sheet::{PoliciesSheet, TaskSheet};

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule {
    code: "MC092",
    name: "substitute-that-could-not",
    severity: Severity::Warning,
    summary: "Every open task of an agent could be taken over by a substitute.",
    why: "When an agent cannot be brought back, its task is handed to the first substitute that may and can do it. \
          Role, capabilities, permissions, handoff_to, handoff_from and handoff_allowed all have a say, and it is the \
          wrong moment to find out that one says no.",
    example: r#"config/policies.json: { "substitute_agents": ["agent_003"] }
agents/agent_003.json: { "role": "audit" }"#,
    mend: "Give the substitute what the message says it lacks, or name another.",
    check: Check::Always(substitute_that_could_not),
}];

/// Beyond so many substitutes one is surely able, and looking at all pairs would cost too much.
const MOST_SUBSTITUTES: usize = 50;

/// A substitute, and how it fared.
struct Substitute<'c, 'f, 's> {
    /// Its place in the list.
    index: usize,
    member: &'c Member<'f, 's>,
    /// How many open tasks of others there are.
    asked: usize,
    /// How many of them it could take.
    could: usize,
    /// Whose task was the first that it could not take, and why.
    because: Option<(&'c Member<'f, 's>, Why<'f, 's>)>,
}

fn substitute_that_could_not(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some((sheet, list)) = facts.survey.policies.as_ref().and_then(|sheet| {
        let list = sheet.value.as_ref()?.substitute_agents.as_ref()?;
        Some((sheet, list))
    }) else {
        return;
    };
    if list.is_empty() || list.len() > MOST_SUBSTITUTES || !goes_on(facts) {
        return;
    }
    if !handoff_allowed(facts) {
        findings.add(
            finding(
                sheet,
                "no substitute could take over: the policy handoff_allowed is false",
            )
            .value("/substitute_agents")
            .hint("allow handoffs with `mcell policy set`"),
        );
        return;
    }
    let Some(crew) = Crew::of(facts) else {
        return;
    };
    let mut substitutes: Vec<Substitute<'_, '_, '_>> = Vec::with_capacity(list.len());
    // One that cannot be read, or is not there (which is said elsewhere), might be able.
    let mut are_known = true;
    for (index, id) in list.iter().enumerate() {
        let member = facts
            .survey
            .agent_at(id)
            .and_then(|at| crew.members.get(at));
        let Some((member, role)) = member.and_then(|member| Some((member, member.role()?))) else {
            are_known = false;
            continue;
        };
        if role.may_work() {
            substitutes.push(Substitute {
                index,
                member,
                asked: 0,
                could: 0,
                because: None,
            });
        } else {
            findings.add(
                finding(
                    sheet,
                    format!(
                        "the substitute `{}` could never take over: its role is {}",
                        member.id(),
                        role.word()
                    ),
                )
                .value(item(sheet, "/substitute_agents", index))
                .hint(format!(
                    "name another, or let it work with `mcell agent set {} role=write`",
                    member.id()
                )),
            );
        }
    }
    let uncovered = try_all(facts, &crew, &mut substitutes);
    for one in &substitutes {
        if let Some((giver, why)) = one.because.filter(|_| one.could == 0) {
            let (id, tasks) = (one.member.id(), count(one.asked, "open task"));
            let because = why.words(giver.id(), one.member);
            findings.add(
                finding(sheet, format!("the substitute `{id}` could take over none of the {tasks} of others: {because}"))
                    .value(item(sheet, "/substitute_agents", one.index))
                    .hint("give it what it lacks, or name another"),
            );
        }
    }
    // If none of them could do anything, that has been said.
    if are_known && substitutes.iter().any(|one| one.could > 0) {
        for of_one in uncovered.chunk_by(|one, other| one.giver.id() == other.giver.id()) {
            add_uncovered(sheet, of_one, findings);
        }
    }
}

fn finding(sheet: &PoliciesSheet<'_>, message: impl Into<String>) -> Finding {
    Finding::new("MC092", Severity::Warning, &*sheet.file, message)
}

/// An open task that no substitute could take.
struct Uncovered<'c, 'f, 's> {
    giver: &'c Member<'f, 's>,
    task: &'f TaskSheet<'s>,
    /// One that could not take it.
    taker: &'c Member<'f, 's>,
    why: Why<'f, 's>,
}

/// Offers every open task of every agent to every substitute. What nobody takes comes out by agent.
fn try_all<'c, 'f, 's>(
    facts: &Facts<'f, 's>,
    crew: &'c Crew<'f, 's>,
    substitutes: &mut [Substitute<'c, 'f, 's>],
) -> Vec<Uncovered<'c, 'f, 's>> {
    let survey = facts.survey;
    let mut owned: Vec<(usize, &TaskSheet<'s>)> = survey
        .tasks
        .iter()
        .filter_map(|task| Some((owner(survey, task)?.0, task)))
        .collect();
    owned.sort_by_key(|(owner, _)| *owner);
    let mut uncovered = Vec::new();
    for of_one in owned.chunk_by(|one, other| one.0 == other.0) {
        let Some(giver) = of_one.first().and_then(|(at, _)| crew.members.get(*at)) else {
            continue;
        };
        let obstacles: Vec<Option<Obstacle>> = substitutes
            .iter()
            .map(|one| crew.obstacle(giver, one.member))
            .collect();
        for (_, task) in of_one {
            let mut could = false;
            let mut not = None;
            for (one, obstacle) in substitutes.iter_mut().zip(&obstacles) {
                if one.member.id() == giver.id() {
                    continue;
                }
                one.asked += 1;
                let lack = || {
                    crew.lack(one.member, task)
                        .map(|lack| Why::Lack(task, lack))
                };
                match obstacle.map(Why::Obstacle).or_else(lack) {
                    None => {
                        one.could += 1;
                        could = true;
                    }
                    Some(why) => {
                        one.because.get_or_insert((giver, why));
                        not.get_or_insert((one.member, why));
                    }
                }
            }
            if let Some((taker, why)) = not.filter(|_| !could) {
                uncovered.push(Uncovered {
                    giver,
                    task,
                    taker,
                    why,
                });
            }
        }
    }
    uncovered
}

fn add_uncovered(
    sheet: &PoliciesSheet<'_>,
    of_one: &[Uncovered<'_, '_, '_>],
    findings: &mut Findings,
) {
    let Some(first) = of_one.first() else {
        return;
    };
    let id = first.giver.id();
    let because = first.why.words(id, first.taker);
    let tasks = few(of_one.iter().map(|one| one.task.stem()));
    findings.add(
        finding(
            sheet,
            format!("no substitute could take over {tasks} of `{id}`: {because}"),
        )
        .value("/substitute_agents")
        .hint("give a substitute what it lacks, or name another"),
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    /// Two agents with a task each, and a third as their substitute.
    fn with(substitute: Value) -> Built {
        cell()
            .agent("agent_001", json!({"capabilities": ["code"]}))
            .agent("agent_002", json!({"capabilities": ["deploy"]}))
            .agent("agent_003", substitute)
            .task(
                "task_001",
                json!({"assigned_to": "agent_001", "required_capabilities": ["code"]}),
            )
            .task(
                "task_002",
                json!({"assigned_to": "agent_002", "required_capabilities": ["deploy"]}),
            )
            .policies(json!({"substitute_agents": ["agent_003"]}))
    }

    fn able() -> Value {
        json!({"capabilities": ["code", "deploy"]})
    }

    #[test]
    fn a_substitute_can_do_what_the_others_do() {
        assert!(with(able()).codes().is_empty());
        let found = with(json!({"role": "audit"})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC092", Spot::Value("/substitute_agents/0".into()))
        );
        assert_eq!(
            found.message,
            "the substitute `agent_003` could never take over: its role is audit"
        );
        let found = with(json!({"capabilities": ["code"]})).only();
        assert_eq!(found.spot, Spot::Value("/substitute_agents".into()));
        assert_eq!(
            found.message,
            "no substitute could take over `task_002` of `agent_002`: for `task_002`, `agent_003` lacks the capability `deploy`"
        );
        let found = with(json!({})).only();
        assert!(found.message.starts_with(
            "the substitute `agent_003` could take over none of the 2 open tasks of others"
        ));
    }

    #[test]
    fn two_substitutes_may_share_what_there_is() {
        let shared = with(json!({"capabilities": ["code"]}))
            .policies(json!({"substitute_agents": ["agent_003", "agent_004"]}))
            .agent("agent_004", json!({"capabilities": ["deploy"]}));
        assert!(shared.codes().is_empty());
    }

    #[test]
    fn permissions_and_handoff_lists_have_a_say() {
        let built = with(able());
        let entry = |agent: &str, entry: Value| built.clone().permissions(json!({agent: entry}));
        assert!(
            entry("agent_001", json!({"handoff_to": ["agent_003"]}))
                .codes()
                .is_empty()
        );
        let found = entry("agent_001", json!({"handoff_to": ["agent_002"]})).only();
        assert!(
            found
                .message
                .ends_with("handoff_to of agent_001 does not name agent_003")
        );
        let found = entry("agent_003", json!({"handoff_from": ["agent_001"]})).only();
        assert!(
            found
                .message
                .ends_with("handoff_from of agent_003 does not name agent_002")
        );
        let found = entry("agent_003", json!({"write": ["task_001"]})).only();
        assert!(found.message.contains("`agent_003` may not write it"));
    }

    #[test]
    fn where_nothing_is_handed_on_nobody_takes_over() {
        let closed = with(able())
            .policies(json!({"substitute_agents": ["agent_003"], "handoff_allowed": false}));
        assert!(
            closed
                .only()
                .message
                .ends_with("the policy handoff_allowed is false")
        );
        let none = closed.policies(json!({"substitute_agents": [], "handoff_allowed": false}));
        assert!(none.codes().is_empty());
    }

    #[test]
    fn a_substitute_that_is_not_known_might_be_able() {
        let missing = with(json!({})).policies(json!({"substitute_agents": ["agent_009"]}));
        assert_eq!(missing.codes(), ["MC039"]);
        let flawed = with(json!({"capabilities": 7}));
        assert!(flawed.of("MC092").is_empty());
        let over = with(json!({})).cell(json!({"status": "completed"}));
        assert!(over.of("MC092").is_empty());
    }

    #[test]
    fn an_agent_need_not_stand_in_for_itself() {
        let alone = cell()
            .agent("agent_001", json!({}))
            .task("task_001", json!({"assigned_to": "agent_001"}))
            .policies(json!({"substitute_agents": ["agent_001"]}));
        assert!(alone.codes().is_empty());
    }
}
