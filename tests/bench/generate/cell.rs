//! The files of a cell, from its plan.

use super::dice::Dice;
use super::plan::{Agent, Plan, Task};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const VERBS: [&str; 8] = [
    "review",
    "implement",
    "test",
    "document",
    "refactor",
    "deploy",
    "audit",
    "profile",
];
const NOUNS: [&str; 8] = [
    "scheduler",
    "gateway",
    "parser",
    "checkpoint writer",
    "permission table",
    "log shipper",
    "heartbeat endpoint",
    "revival queue",
];
const FOLDERS: [&str; 8] = [
    "agents",
    "tasks",
    "checkpoints",
    "logs",
    "config",
    "artifacts/code",
    "artifacts/docs",
    "artifacts/reports",
];
const MADE: [&str; 3] = [
    "artifacts/code/module.py",
    "artifacts/docs/notes.md",
    "artifacts/reports/summary.txt",
];

/// A cell that is not on disk yet: path → text.
#[derive(Default)]
pub struct Draft {
    pub json: BTreeMap<String, String>,
    pub other: BTreeMap<String, String>,
}

impl Draft {
    pub fn of(plan: &Plan, dice: &mut Dice) -> Self {
        let mut draft = Self::default();
        draft.cell(plan, dice);
        draft.config(plan, dice);
        for task in &plan.tasks {
            draft.task(plan, task, dice);
        }
        for agent in &plan.agents {
            draft.agent(plan, agent, dice);
        }
        for path in MADE {
            draft
                .other
                .insert(path.into(), format!("{}\n", sentence(dice, 12)));
        }
        draft
            .other
            .insert("logs/mission.log".into(), log(plan, dice, "mission", 20));
        draft
    }

    /// Puts it on disk.
    pub fn write(&self, cell: &Path) -> std::io::Result<()> {
        for folder in FOLDERS {
            std::fs::create_dir_all(cell.join(folder))?;
        }
        for (path, text) in self.json.iter().chain(&self.other) {
            if path.starts_with("checkpoints/") {
                std::fs::create_dir_all(cell.join(path).parent().unwrap_or(cell))?;
            }
            std::fs::write(cell.join(path), text)?;
        }
        Ok(())
    }

    fn put(&mut self, path: impl Into<String>, value: &Value) {
        self.json.insert(path.into(), text(value));
    }

    fn cell(&mut self, plan: &Plan, dice: &mut Dice) {
        let value = json!({
            "cell_id": plan.id,
            "mission_name": format!("{} the {} #{}", capital(dice.pick(&VERBS)), dice.pick(&NOUNS), plan.index),
            "created_at": time(plan.created),
            "created_by": plan.agents[0].id,
            "status": plan.status,
            "isolation_level": plan.level,
            "max_agents": plan.agents.len().max(10),
            // Ten years: no mission here is overdue while anyone reads this.
            "timeout": 315_360_000,
            "policies": { "auto_revive": plan.auto_revive, "handoff_allowed": true, "checkpoint_interval": 300 },
        });
        self.put("cell.json", &value);
    }

    fn config(&mut self, plan: &Plan, dice: &mut Dice) {
        let mounts = matches!(plan.level, "level_2" | "level_3");
        let mut isolation = json!({
            "level": plan.level,
            "mount_namespaces": mounts,
            "network_isolation": plan.level == "level_3",
            "resource_limits": { "cpu": "2 cores", "memory": "4GB", "disk": "10GB" },
        });
        if mounts {
            isolation["security_context"] = json!({ "user": "hermes", "group": "hermes", "capabilities": ["NET_BIND_SERVICE"] });
        }
        self.put("config/isolation.json", &isolation);
        let policies = json!({
            "auto_revive": plan.auto_revive,
            "revive_timeout": 300,
            "substitute_agents": names(plan, &plan.substitutes()),
            "handoff_allowed": true,
            "handoff_approval": dice.pick(&["auto", "manual"]),
            "checkpoint_required": false,
            "max_retries": 3,
        });
        self.put("config/policies.json", &policies);
        let entries = (0..plan.agents.len())
            .map(|number| (plan.agents[number].id.clone(), permission(plan, number)));
        self.put(
            "config/permissions.json",
            &Value::Object(entries.collect::<Map<_, _>>()),
        );
    }

    fn task(&mut self, plan: &Plan, task: &Task, dice: &mut Dice) {
        let artifacts = dice.sample(&MADE, artifact_count(task));
        let description = description(dice);
        let value = json!({
            "task_id": task.id,
            "title": format!("{} the {}", capital(dice.pick(&VERBS)), dice.pick(&NOUNS)),
            "description": description,
            "assigned_to": plan.agents[task.agent].id,
            "status": task.status,
            "priority": dice.pick(&["high", "medium", "low"]),
            "dependencies": task.dependencies.iter().map(|before| &plan.tasks[*before].id).collect::<Vec<_>>(),
            "timeout": 1800,
            "artifacts": artifacts,
            "created_at": time(task.created),
            "completed_at": task.completed.map(time),
        });
        self.put(format!("tasks/{}.json", task.id), &value);
    }

    fn agent(&mut self, plan: &Plan, agent: &Agent, dice: &mut Dice) {
        let current = agent.current.map(|number| plan.tasks[number].id.as_str());
        let checkpoint = agent
            .has_checkpoint
            .then(|| self.checkpoint(plan, agent, current, dice));
        let gateway = format!("gateway_{}", dice.below(8) + 1);
        let value = json!({
            "agent_id": agent.id,
            "name": format!("{} of mission {}", capital(&agent.id).replace('_', " "), plan.index),
            "role": agent.role,
            "capabilities": if agent.works() { plan.capabilities.clone() } else { vec!["review"] },
            // A cage without a network has no gateway to reach.
            "gateway": (plan.level != "level_3").then_some(gateway),
            "status": agent.status,
            "current_task": current,
            "checkpoint": checkpoint,
        });
        self.put(format!("agents/{}.json", agent.id), &value);
    }

    /// Writes an agent's checkpoint and log; gives what its own file says of it.
    fn checkpoint(
        &mut self,
        plan: &Plan,
        agent: &Agent,
        current: Option<&str>,
        dice: &mut Dice,
    ) -> Value {
        let saved = time(plan.created + 3600 + dice.seconds(86_400));
        let folder = format!("checkpoints/{}", agent.id);
        let state = json!({ "agent_id": agent.id, "task": current, "step": dice.below(1000), "saved_at": saved });
        let messages: Vec<Value> = (0..5)
            .map(|_| json!({ "role": "assistant", "content": sentence(dice, 20) }))
            .collect();
        let context = text(&json!({ "messages": messages }));
        let hash =
            Sha256::digest(context.as_bytes())
                .iter()
                .fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
        self.put(format!("{folder}/state.json"), &state);
        self.json.insert(format!("{folder}/context.json"), context);
        self.other.insert(
            format!("{folder}/artifacts/notes.md"),
            format!("{}\n", sentence(dice, 12)),
        );
        self.other.insert(
            format!("logs/{}.log", agent.id),
            log(plan, dice, &agent.id, 10),
        );
        json!({ "last_checkpoint": saved, "context_hash": hash, "artifacts": ["notes.md"] })
    }
}

/// What the entry of one agent grants: to the lead and the substitutes every task, to the
/// others that work their own, to readers and auditors nothing but reading. Everyone who may
/// hand over is named by the one who may take over, and the other way round.
fn permission(plan: &Plan, number: usize) -> Value {
    let (workers, substitutes) = (plan.workers(), plan.substitutes());
    let agent = &plan.agents[number];
    let own: Vec<&str> = plan
        .tasks
        .iter()
        .filter(|task| task.agent == number)
        .map(|task| task.id.as_str())
        .collect();
    let first = plan.tasks.iter().take(8).map(|task| task.id.as_str());
    let mut read: Vec<&str> = own.iter().copied().chain(first).collect();
    read.sort_unstable();
    read.dedup();
    let everything = number == 0 || substitutes.contains(&number);
    let act = if everything { vec!["*"] } else { own };
    let read = if everything { vec!["*"] } else { read };
    let to: Vec<usize> = substitutes
        .iter()
        .copied()
        .filter(|other| *other != number)
        .collect();
    let from: Vec<usize> = workers
        .into_iter()
        .filter(|other| *other != number)
        .collect();
    let (act, to) = if agent.works() {
        (act, to)
    } else {
        (Vec::new(), Vec::new())
    };
    let from = if substitutes.contains(&number) {
        from
    } else {
        Vec::new()
    };
    json!({
        "read": read, "write": act, "execute": act,
        "handoff_to": names(plan, &to), "handoff_from": names(plan, &from),
    })
}

fn names<'a>(plan: &'a Plan, numbers: &[usize]) -> Vec<&'a str> {
    numbers
        .iter()
        .map(|number| plan.agents[*number].id.as_str())
        .collect()
}

/// Finished work names up to three files; other work has made none yet.
fn artifact_count(task: &Task) -> usize {
    if task.completed.is_some() {
        task.dependencies.len()
    } else {
        0
    }
}

fn description(dice: &mut Dice) -> String {
    let parts = 3 + dice.below(9);
    (0..parts)
        .map(|_| format!("{} the {};", dice.pick(&VERBS), dice.pick(&NOUNS)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn sentence(dice: &mut Dice, words: usize) -> String {
    (0..words)
        .map(|_| dice.pick(&NOUNS))
        .collect::<Vec<_>>()
        .join(" ")
}

fn log(plan: &Plan, dice: &mut Dice, who: &str, lines: usize) -> String {
    let mut at = plan.created;
    let mut log = String::new();
    for _ in 0..lines {
        at += 1 + dice.seconds(600);
        let _ = writeln!(
            log,
            "{} INFO {who} {} {}",
            time(at),
            dice.pick(&VERBS),
            dice.pick(&NOUNS)
        );
    }
    log
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn time(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).expect("a time of this century");
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A JSON file as mcell writes it: two spaces, a newline at the end.
pub fn text(value: &Value) -> String {
    format!("{value:#}\n")
}
