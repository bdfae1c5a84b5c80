//! Resilience: what comes to a stop if any one agent is lost. Looked for only under `--resilience`.

use super::ability::{Crew, owner};
use super::known::{few, goes_on, is_open, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::count;

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule {
    code: "MC095",
    name: "stuck-without-one-agent",
    severity: Severity::Warning,
    summary: "No single agent's loss leaves tasks that nobody else could take.",
    why: "An agent that cannot be brought back hands its open tasks to another, if one has the role, the \
              permission and the capabilities and the handoff is allowed. Where none does, these tasks stand still, \
              and with them all that wait for them.",
    example: r#"tasks/task_001.json: { "assigned_to": "agent_001", "required_capabilities": ["deploy"] }
where only agent_001 can deploy"#,
    mend: "Give a second agent what the tasks need, or allow the handoff.",
    check: Check::Resilience(stuck_without_one_agent),
}];

fn stuck_without_one_agent(facts: &Facts<'_, '_>, findings: &mut Findings) {
    if !goes_on(facts) {
        return;
    }
    // An agent nobody can read might be able to take anything.
    let Some(crew) = Crew::of(facts).filter(|crew| !crew.has_strangers) else {
        return;
    };
    let mut waiting = Waiting::new(facts);
    for (at, tasks) in tied(facts, &crew) {
        let Some(sheet) = facts.survey.agents.get(at) else {
            continue;
        };
        let behind = waiting.behind(facts, &tasks);
        let named = |tasks: &[u32]| few(tasks.iter().map(|task| facts.task_id(*task)));
        let waiting = match behind.len() {
            0 => String::new(),
            number => format!(
                ", and {} for {}: {}",
                if number == 1 {
                    "1 more waits".to_owned()
                } else {
                    format!("{number} more wait")
                },
                if tasks.len() == 1 { "it" } else { "them" },
                named(&behind)
            ),
        };
        let finding = Finding::new(
                "MC095",
                Severity::Warning,
                &*sheet.file,
                format!(
                    "if `{}` is lost, {} nobody else could take: {}{waiting}",
                    sheet.stem(),
                    match tasks.len() {
                        1 => "1 task is stuck that".to_owned(),
                        number => format!("{} are stuck that", count(number, "task")),
                    },
                    named(&tasks)
                ),
            )
            .hint("let a second agent take them: role, capabilities, permissions and handoff lists all count");
        // A file that is no JSON has no places.
        findings.add(match sheet.trusts("/agent_id") {
            true => finding.value("/agent_id"),
            false => finding,
        });
    }
}

/// For each agent the open tasks that only it could do, ascending; agents without any are left out.
fn tied<'f, 's>(facts: &Facts<'f, 's>, crew: &Crew<'f, 's>) -> Vec<(usize, Vec<u32>)> {
    let survey = facts.survey;
    let mut tied: Vec<(usize, u32)> = Vec::new();
    for (index, task) in (0..).zip(&survey.tasks) {
        if !task_status(task).is_some_and(is_open) {
            continue;
        }
        let able = |other: usize| {
            crew.members
                .get(other)
                .is_some_and(|member| crew.lack_now(member, task).is_none())
        };
        let everyone = 0..crew.members.len();
        if let Some((at, _)) = owner(survey, task) {
            let Some(giver) = crew.members.get(at) else {
                continue;
            };
            let takes = |other: &usize| {
                *other != at
                    && able(*other)
                    && crew
                        .members
                        .get(*other)
                        .is_some_and(|taker| crew.obstacle(giver, taker).is_none())
            };
            // What a failed agent leaves behind is lost already.
            if !giver.has_failed() && everyone.clone().find(takes).is_none() {
                tied.push((at, index));
            }
        } else if task
            .value
            .as_ref()
            .is_some_and(|task| task.assigned_to.is_none())
        {
            let mut those = everyone.filter(|other| able(*other));
            if let (Some(only), None) = (those.next(), those.next()) {
                tied.push((only, index));
            }
        }
    }
    tied.sort_unstable();
    tied.chunk_by(|one, other| one.0 == other.0)
        .filter_map(|of_one| {
            let at = of_one.first()?.0;
            Some((at, of_one.iter().map(|(_, task)| *task).collect()))
        })
        .collect()
}

/// Finds what waits for tasks, with one set of notes for all agents.
struct Waiting {
    /// In which round each task was last met.
    met_in: Vec<u32>,
    round: u32,
    looks_left: usize,
}

/// How many tasks are met in all rounds together: in a hostile cell everything could wait for everything.
const MOST_MET: usize = 2_000_000;

impl Waiting {
    fn new(facts: &Facts<'_, '_>) -> Self {
        Waiting {
            met_in: vec![0; facts.survey.tasks.len()],
            round: 0,
            looks_left: MOST_MET,
        }
    }

    /// The open tasks that wait for one of these, directly or through others, ascending and without these.
    fn behind(&mut self, facts: &Facts<'_, '_>, tasks: &[u32]) -> Vec<u32> {
        self.round += 1;
        for task in tasks {
            self.meet(*task);
        }
        let mut next = tasks.to_vec();
        let mut behind = Vec::new();
        while let Some(task) = next.pop() {
            for &dependant in facts.graph.dependants(task) {
                let sheet = facts.survey.tasks.get(dependant as usize);
                let is_open = sheet.and_then(task_status).is_some_and(is_open);
                if is_open && self.meet(dependant) {
                    behind.push(dependant);
                    next.push(dependant);
                }
            }
        }
        behind.sort_unstable();
        behind
    }

    /// Notes that a task was met in this round; tells whether for the first time.
    fn meet(&mut self, task: u32) -> bool {
        let Some(met) = self.met_in.get_mut(task as usize) else {
            return false;
        };
        let is_new = *met != self.round && self.looks_left > 0;
        if is_new {
            self.looks_left -= 1;
            *met = self.round;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
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
    fn what_only_one_could_do_is_stuck_without_it() {
        let built = crew()
            .task("task_001", json!({"required_capabilities": ["deploy"]}))
            .task("task_002", json!({"dependencies": ["task_001"]}))
            .task("task_003", json!({"dependencies": ["task_002"]}));
        let found = built.only();
        assert_eq!(
            (found.code, found.file.as_str()),
            ("MC095", "agents/agent_001.json")
        );
        assert_eq!(
            found.message,
            "if `agent_001` is lost, 1 task is stuck that nobody else could take: `task_001`, and 2 more wait for it: \
             `task_002` and `task_003`"
        );
        let second = json!({"role": "lead", "capabilities": ["deploy"]});
        assert!(built.agent("agent_002", second).codes().is_empty());
    }

    #[test]
    fn what_could_be_handed_over_is_not_stuck() {
        let built = crew()
            .task("task_001", json!({"assigned_to": "agent_001"}))
            .task("task_002", json!({"assigned_to": "agent_001"}));
        assert!(built.codes().is_empty());
        let closed = built.clone().policies(json!({"handoff_allowed": false}));
        assert_eq!(closed.codes(), ["MC095", "MC097"]);
        let listed = built
            .clone()
            .permissions(json!({"agent_002": {"execute": ["task_001"]}}));
        assert_eq!(listed.codes(), ["MC092", "MC095"]);
        let down = built.agent("agent_002", json!({"role": "lead", "status": "failed"}));
        assert_eq!(down.codes(), ["MC095", "MC096"]);
    }

    #[test]
    fn an_agent_whose_file_is_no_json_is_named_as_a_whole() {
        let built = crew()
            .task(
                "task_001",
                json!({"assigned_to": "agent_003", "required_capabilities": ["testing"]}),
            )
            .file("agents/agent_003.json", "{\"agent_id\": \"age\": null}");
        for finding in built.of("MC095") {
            assert_eq!(finding.spot, crate::base::finding::Spot::Whole);
        }
        assert_eq!(built.of("MC095").len(), 1);
    }

    #[test]
    fn without_being_asked_nothing_is_said() {
        let alone = cell()
            .agent("agent_001", json!({"role": "lead"}))
            .task("task_001", json!({"assigned_to": "agent_001"}));
        assert!(alone.codes().is_empty());
        assert_eq!(alone.clone().resilience().codes(), ["MC095"]);
        let done = json!({"status": "completed", "completed_at": "2026-01-02T03:30:00Z"});
        assert!(alone.task("task_001", done).resilience().codes().is_empty());
    }
}
