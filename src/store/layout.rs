//! Where everything lies. No other file knows a name of the tree (docs/mission-cell-spec.md).

use crate::base::ids::{AgentId, HandoffId, RevivalId, TaskId};

/// The mission's own file.
pub const CELL: &str = "cell.json";
/// Its agents, one file each.
pub const AGENTS: &str = "agents";
/// Its tasks, one file each.
pub const TASKS: &str = "tasks";
/// What agents saved.
pub const CHECKPOINTS: &str = "checkpoints";
/// Logs, and the journal.
pub const LOGS: &str = "logs";
/// What came of the work.
pub const ARTIFACTS: &str = "artifacts";
/// Settings of the whole cell.
pub const CONFIG: &str = "config";
/// mcell's own, in a cell and in a root.
pub const RUNTIME: &str = ".mcell";

/// Isolation of the cell.
pub const ISOLATION: &str = "config/isolation.json";
/// Policies of the cell.
pub const POLICIES: &str = "config/policies.json";
/// Permissions of its agents.
pub const PERMISSIONS: &str = "config/permissions.json";

/// One readable line an event; others may append to it.
pub const MISSION_LOG: &str = "logs/mission.log";
/// The record of every change, where it goes on; mcell's alone. What is full has a number: `rotated_journal`.
pub const JOURNAL: &str = "logs/journal.jsonl";

/// The lock: held by whoever writes, never deleted, never the data itself.
pub const LOCK: &str = ".mcell/lock";
/// The counters of a cell: tokens, and the highest numbers given to agents and tasks.
pub const FENCE: &str = ".mcell/fence";

/// What is being made for a commit in a place that is not swept: large files, whole folders. Each is locked by its maker.
pub const INCOMING: &str = ".mcell/incoming";
/// Which host the cell is at home on.
pub const HOST: &str = ".mcell/host";
/// What is known of each agent beside its record, one file each.
pub const AGENT_STATES: &str = ".mcell/agents";
/// The agents' lives, several files each: `run_note`, `run_lock`, `beat`.
pub const RUN: &str = ".mcell/run";
/// The generations of the agents' checkpoints, out of the agents' reach: `<agent>/<n>`.
pub const GENERATIONS: &str = ".mcell/checkpoints";
/// Where the two folders of handoffs lie.
pub const HANDOFF_PLACE: &str = ".mcell/handoffs";
/// Handoffs that wait for their taker, one file each.
pub const OFFERS: &str = ".mcell/handoffs/open";
/// Handoffs that are over, one file each; the oldest go.
pub const HANDOFFS: &str = ".mcell/handoffs/closed";
/// Where the two folders of requests to bring agents back lie.
pub const REVIVAL_PLACE: &str = ".mcell/revivals";
/// Requests of which something may still come, one file each.
pub const OPEN_REVIVALS: &str = ".mcell/revivals/open";
/// Requests that are over, one file each; the oldest go.
pub const REVIVALS: &str = ".mcell/revivals/closed";
/// What was noted of each artifact: hash, size, task, agent.
pub const ARTIFACT_NOTES: &str = ".mcell/artifacts.json";
/// In a generation: what belongs to it, with sizes and hashes.
pub const MANIFEST: &str = "manifest.json";

/// Under a root: cells that are being made.
pub const NEW: &str = ".mcell/new";
/// Under a root: what was removed.
pub const TRASH: &str = ".mcell/trash";
/// Under a root: what `scan --changes` said last.
pub const SEEN: &str = ".mcell/problems.json";
/// Under a root: what the daemon has still to tell, and whom.
pub const STORIES: &str = ".mcell/stories.json";
/// Under a root: the same, where it could not be read and was put aside.
pub const BROKEN_STORIES: &str = ".mcell/stories.json.broken";

/// Under a root: held by its daemon for life.
pub const DAEMON_LOCK: &str = ".mcell/daemon.lock";
/// Under a root: what its daemon says of itself.
pub const DAEMON: &str = ".mcell/daemon.json";
/// Under a root: how its agents are, written once a sweep.
pub const HEALTH: &str = ".mcell/health.json";
/// Under a root: where its daemon is spoken to.
pub const SOCKET: &str = ".mcell/agents.sock";
/// Under a root: who can read it is an operator.
pub const OPERATOR_TOKEN: &str = ".mcell/operator.token";
/// Under a root: an operator's hold on revivals.
pub const HOLD: &str = ".mcell/hold.json";
/// Under a root: what its daemon did, one JSON object a line.
pub const DAEMON_LOG: &str = ".mcell/daemon.log";
/// Under a root: nothing. It is where a path of a file leads that means nothing.
pub const NOWHERE: &str = ".mcell/nowhere";
/// What a full log of the daemon is called.
pub const DAEMON_LOG_BEFORE: &str = ".mcell/daemon.log.1";

/// The folders of a cell, parents first.
pub const FOLDERS: [&str; 10] = [
    AGENTS,
    TASKS,
    CHECKPOINTS,
    LOGS,
    ARTIFACTS,
    "artifacts/code",
    "artifacts/docs",
    "artifacts/reports",
    CONFIG,
    RUNTIME,
];

/// The folders without which other tools of the fleet stumble.
pub const NEEDED_FOLDERS: [&str; 6] = [AGENTS, TASKS, CHECKPOINTS, LOGS, ARTIFACTS, CONFIG];

/// The folders in which commits make their temps, and so leave them when they are killed. The temps of other places are
/// made under `INCOMING`; a folder that they make is begun beside its place.
pub const WRITTEN_FOLDERS: [&str; 8] = [
    "",
    AGENTS,
    TASKS,
    CONFIG,
    LOGS,
    RUNTIME,
    HANDOFF_PLACE,
    REVIVAL_PLACE,
];

/// How the name of a mission file ends.
pub const JSON: &str = ".json";
/// How the name of a temp ends; it starts with a dot.
pub const TEMP: &str = ".tmp";

/// How the name of an agent's beat ends.
pub const BEAT: &str = ".beat";
/// How the name of the lock ends that the runner of an agent holds.
pub const RUN_LOCK: &str = ".lock";
/// How the name of the lock ends that whoever starts or stops an agent holds.
pub const RUN_ACT: &str = ".act";
/// How the name of an agent's log ends.
const LOG: &str = ".log";

/// The most bytes a mission file may have: 16 MiB.
pub const LARGEST: u64 = 16 << 20;

/// `agents/<agent_id>.json`.
pub fn agent(id: &AgentId) -> String {
    format!("{AGENTS}/{id}{JSON}")
}

/// `tasks/<task_id>.json`.
pub fn task(id: &TaskId) -> String {
    format!("{TASKS}/{id}{JSON}")
}

/// `.mcell/agents/<agent_id>.json`: what is wanted of an agent.
pub fn agent_state(id: &AgentId) -> String {
    format!("{AGENT_STATES}/{id}{JSON}")
}

/// `.mcell/run/<agent_id>.json`: what its runner says of its present run.
pub fn run_note(id: &AgentId) -> String {
    format!("{RUN}/{id}{JSON}")
}

/// `.mcell/run/<agent_id>.lock`: held by its runner, and so the proof that it lives.
pub fn run_lock(id: &AgentId) -> String {
    format!("{RUN}/{id}{RUN_LOCK}")
}

/// `.mcell/run/<agent_id>.act`: held by whoever starts, stops or revives it, over all steps.
pub fn run_act(id: &AgentId) -> String {
    format!("{RUN}/{id}{RUN_ACT}")
}

/// `logs/<agent_id>.log`: what its process says.
pub fn agent_log(id: &AgentId) -> String {
    format!("{LOGS}/{id}{LOG}")
}

/// `logs/<agent_id>.log.<number>`: what it said before, the youngest first.
pub fn full_agent_log(id: &AgentId, number: u32) -> String {
    format!("{LOGS}/{id}{LOG}.{number}")
}

/// `.mcell/run/<agent_id>.notify`: the socket over which it speaks sd_notify, while it runs.
pub fn notify(id: &AgentId) -> String {
    format!("{RUN}/{id}.notify")
}

/// `.mcell/run/<agent_id>.beat`: its last signs of life that did not come by HTTP.
pub fn beat(id: &AgentId) -> String {
    format!("{RUN}/{id}{BEAT}")
}

/// `.mcell/handoffs/open/<id>.json`.
pub fn offer(id: &HandoffId) -> String {
    format!("{OFFERS}/{id}{JSON}")
}

/// `.mcell/handoffs/closed/<id>.json`.
pub fn handoff(id: &HandoffId) -> String {
    format!("{HANDOFFS}/{id}{JSON}")
}

/// `.mcell/revivals/open/<id>.json`.
pub fn open_revival(id: &RevivalId) -> String {
    format!("{OPEN_REVIVALS}/{id}{JSON}")
}

/// `.mcell/revivals/closed/<id>.json`.
pub fn revival(id: &RevivalId) -> String {
    format!("{REVIVALS}/{id}{JSON}")
}

/// Tells whether a file may go without the trash: mcell's own records, which are told of in the journal.
pub fn may_go(file: &str) -> bool {
    let (folder, name) = split(file);
    [OFFERS, HANDOFFS, OPEN_REVIVALS, REVIVALS].contains(&folder) && name.ends_with(JSON)
}

/// `artifacts/<name>`.
pub fn artifact(name: &str) -> String {
    join(ARTIFACTS, name)
}

/// What an agent saved as its artifacts: `checkpoints/<agent_id>/artifacts`.
pub fn saved_artifacts(agent: &AgentId) -> String {
    format!("{}/{ARTIFACTS}", checkpoint(agent))
}

/// `checkpoints/<agent_id>`: what the agent saved, where it and the fleet's tools read and write it.
pub fn checkpoint(id: &AgentId) -> String {
    format!("{CHECKPOINTS}/{id}")
}

/// `.mcell/checkpoints/<agent_id>`: the generations of its checkpoint.
pub fn generations(id: &AgentId) -> String {
    format!("{GENERATIONS}/{id}")
}

/// `.mcell/checkpoints/<agent_id>/<n>`: one generation.
pub fn generation(id: &AgentId, number: u64) -> String {
    format!("{GENERATIONS}/{id}/{number}")
}

/// `logs/journal.<number>.jsonl`: a part of the journal that is full. Six digits at least.
pub fn rotated_journal(number: u64) -> String {
    format!("{LOGS}/journal.{number:06}.jsonl")
}

/// The number of a full part of the journal by its name in `logs`; none if it is no such name.
pub fn rotated_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("journal.")?.strip_suffix(".jsonl")?;
    let number = digits.parse().ok()?;
    (rotated_journal(number) == join(LOGS, name)).then_some(number)
}

/// The folder of a path inside a cell, and the name in it.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A path made of a folder inside a cell and a name in it.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
