//! The tables themselves.

use super::Form::{
    Any, Bytes, Capability, Cores, Flag, Id, IdOrAll, List, Map, Object, OneOf, Sha256, Text, Time,
    Uuid, Whole, Word,
};
use super::Mark::{Fleet, Mcell};
use super::{Field, Form, Mark, Shape};

const LONG: usize = 65_536;
const CENTURY: u64 = 3_155_760_000;

const fn must(name: &'static str, form: Form, about: &'static str) -> Field {
    Field {
        name,
        form,
        required: true,
        default: "",
        mark: Fleet,
        about,
    }
}

/// A required field for which `validate --fix` knows what to write.
const fn must_or(
    name: &'static str,
    form: Form,
    default: &'static str,
    about: &'static str,
) -> Field {
    Field {
        default,
        ..must(name, form, about)
    }
}

const fn may(
    mark: Mark,
    name: &'static str,
    form: Form,
    default: &'static str,
    about: &'static str,
) -> Field {
    Field {
        name,
        form,
        required: false,
        default,
        mark,
        about,
    }
}

const LEVELS: &[&str] = &["none", "level_1", "level_2", "level_3"];
const REVIVE: &[&str] = &["yes", "no", "ask"];

static CELL_POLICIES: Shape = Shape {
    name: "cell policies",
    file: "",
    about: "The policies stated in cell.json; config/policies.json counts where both state one.",
    fields: &[
        may(
            Fleet,
            "auto_revive",
            OneOf(REVIVE),
            "\"yes\"",
            "whether a dead agent is brought back",
        ),
        may(
            Fleet,
            "handoff_allowed",
            Flag,
            "true",
            "whether agents may hand tasks on",
        ),
        may(
            Fleet,
            "checkpoint_interval",
            Whole(1, CENTURY),
            "300",
            "seconds between checkpoints",
        ),
    ],
    others: None,
};

/// `cell.json`.
pub static CELL: Shape = Shape {
    name: "cell",
    file: "cell.json",
    about: "A mission cell: its name, its state and its policies.",
    fields: &[
        must(
            "cell_id",
            Uuid,
            "the cell's id; should equal the folder's name, which is what counts",
        ),
        must("mission_name", Text(1, 200), "what people call the mission"),
        must("created_at", Time, "when the cell was made"),
        must(
            "created_by",
            Text(1, 200),
            "an agent's id or an operator's name",
        ),
        must_or(
            "status",
            OneOf(&["active", "paused", "completed", "failed"]),
            "\"active\"",
            "the state of the mission",
        ),
        must_or(
            "isolation_level",
            OneOf(LEVELS),
            "\"none\"",
            "how strictly the agents are kept apart",
        ),
        may(
            Fleet,
            "max_agents",
            Whole(1, 1_000_000),
            "10",
            "the most agents the cell may have",
        ),
        may(
            Fleet,
            "timeout",
            Whole(1, CENTURY),
            "",
            "seconds the mission may take from created_at",
        ),
        may(
            Fleet,
            "policies",
            Object(&CELL_POLICIES),
            "{}",
            "the policies stated here",
        ),
        may(
            Mcell,
            "paused_until",
            Time,
            "",
            "when a pause ends by itself",
        ),
        may(
            Mcell,
            "paused_seconds",
            Whole(0, u64::MAX),
            "0",
            "seconds of its pauses that are over; its timeout does not count them",
        ),
    ],
    others: None,
};

static CHECKPOINT: Shape = Shape {
    name: "checkpoint note",
    file: "",
    about: "What the fleet's tools note of an agent's last checkpoint.",
    fields: &[
        may(Fleet, "last_checkpoint", Time, "", "when it was saved"),
        may(
            Fleet,
            "context_hash",
            Sha256,
            "",
            "SHA-256 of the checkpoint's context.json, in hex",
        ),
        may(
            Fleet,
            "artifacts",
            List(&Text(1, 4096)),
            "[]",
            "names of the files saved with it",
        ),
    ],
    others: None,
};

static RUN: Shape = Shape {
    name: "run",
    file: "",
    about: "How mcell starts the agent. Without it someone else does.",
    fields: &[
        Field {
            mark: Mcell,
            ..must(
                "command",
                List(&Text(0, LONG)),
                "program and arguments; no shell",
            )
        },
        may(
            Mcell,
            "fresh_command",
            List(&Text(0, LONG)),
            "[]",
            "program and arguments of a start without a checkpoint",
        ),
        may(Mcell, "cwd", Text(1, 4096), "", "the working directory"),
        may(
            Mcell,
            "env",
            Map(&Text(0, LONG)),
            "{}",
            "variables added to the environment",
        ),
        may(
            Mcell,
            "env_file",
            Text(1, 4096),
            "",
            "a file of KEY=VALUE lines, read at each start",
        ),
        may(
            Mcell,
            "restart",
            OneOf(&["on-failure", "always", "never"]),
            "\"on-failure\"",
            "when it is started again",
        ),
        may(
            Mcell,
            "stop_signal",
            Word,
            "\"SIGTERM\"",
            "the signal that asks it to end",
        ),
        may(
            Mcell,
            "stop_timeout",
            Whole(0, 86_400),
            "10",
            "seconds it has to end before SIGKILL",
        ),
        may(
            Mcell,
            "notify",
            Flag,
            "false",
            "whether it speaks sd_notify",
        ),
        may(
            Mcell,
            "checkpoint",
            List(&Text(0, LONG)),
            "[]",
            "a command that makes it save its state",
        ),
        may(
            Mcell,
            "restart_exit_codes",
            List(&Whole(0, 255)),
            "[75]",
            "exit codes that ask for a restart",
        ),
        may(
            Mcell,
            "permanent_exit_codes",
            List(&Whole(0, 255)),
            "[78]",
            "exit codes that mean never again",
        ),
    ],
    others: None,
};

static WATCH: Shape = Shape {
    name: "health",
    file: "",
    about: "How the agent is watched; what is absent comes from the daemon's config.",
    fields: &[
        may(
            Mcell,
            "expect",
            List(&OneOf(&["heartbeat", "notify", "output", "probe"])),
            "[]",
            "signals due from the start",
        ),
        may(
            Mcell,
            "interval",
            Whole(1, 86_400),
            "30",
            "seconds between two beats or probes",
        ),
        may(
            Mcell,
            "timeout",
            Whole(1, CENTURY),
            "300",
            "seconds of silence that mean dead",
        ),
        may(
            Mcell,
            "output_timeout",
            Whole(1, CENTURY),
            "",
            "seconds without a line in its log that mean dead",
        ),
        may(
            Mcell,
            "failure_threshold",
            Whole(1, 1000),
            "3",
            "bad signals in a row that mean unhealthy",
        ),
        may(
            Mcell,
            "success_threshold",
            Whole(1, 1000),
            "2",
            "good signals in a row that mean healthy again",
        ),
        may(
            Mcell,
            "grace",
            Whole(0, 86_400),
            "120",
            "seconds after a start in which silence does not count",
        ),
        may(
            Mcell,
            "probe_url",
            Text(1, 4096),
            "",
            "where it is probed, if not at its gateway",
        ),
    ],
    others: None,
};

/// `agents/<agent_id>.json`.
pub static AGENT: Shape = Shape {
    name: "agent",
    file: "agents/<agent_id>.json",
    about: "An agent of a cell: who it is, its state, and how it is started and watched.",
    fields: &[
        must("agent_id", Id, "the agent's id; equals the file's stem"),
        must("name", Text(1, 200), "what people call it"),
        must(
            "role",
            OneOf(&["lead", "write", "read", "audit"]),
            "what it is there for, which caps what it may do",
        ),
        may(
            Fleet,
            "capabilities",
            List(&Word),
            "[]",
            "what it can do, as words that tasks may require",
        ),
        may(
            Fleet,
            "gateway",
            Text(1, 4096),
            "null",
            "name, host:port or URL of its gateway",
        ),
        must_or(
            "status",
            OneOf(&["idle", "active", "paused", "failed"]),
            "\"idle\"",
            "its state",
        ),
        may(Fleet, "current_task", Id, "null", "the task it works on"),
        may(
            Fleet,
            "checkpoint",
            Object(&CHECKPOINT),
            "null",
            "its last checkpoint",
        ),
        may(Mcell, "run", Object(&RUN), "", "how mcell starts it"),
        may(Mcell, "health", Object(&WATCH), "", "how it is watched"),
        may(
            Mcell,
            "paused_until",
            Time,
            "",
            "when a pause ends by itself",
        ),
    ],
    others: None,
};

static CLAIM: Shape = Shape {
    name: "claim",
    file: "",
    about: "Who holds a task in progress.",
    fields: &[
        Field {
            mark: Mcell,
            ..must("agent", Id, "the agent that holds it")
        },
        Field {
            mark: Mcell,
            ..must(
                "token",
                Whole(0, u64::MAX),
                "the fencing token; acts with an older one are refused",
            )
        },
        may(Mcell, "expires_at", Time, "", "when the lease lapses"),
        may(
            Mcell,
            "paused_seconds",
            Whole(0, u64::MAX),
            "0",
            "seconds of pauses since it was taken; the task's timeout does not count them",
        ),
    ],
    others: None,
};

/// `tasks/<task_id>.json`.
pub static TASK: Shape = Shape {
    name: "task",
    file: "tasks/<task_id>.json",
    about: "A task of a cell: what is to be done, by whom, after what.",
    fields: &[
        must("task_id", Id, "the task's id; equals the file's stem"),
        must("title", Text(1, 1000), "what it is, in one line"),
        may(
            Fleet,
            "description",
            Text(0, LONG),
            "\"\"",
            "what it is, at length",
        ),
        may(
            Fleet,
            "assigned_to",
            Id,
            "null",
            "the agent it is meant for",
        ),
        must_or(
            "status",
            OneOf(&["pending", "in_progress", "completed", "failed"]),
            "\"pending\"",
            "its state",
        ),
        must_or(
            "priority",
            OneOf(&["high", "medium", "low"]),
            "\"medium\"",
            "how urgent it is",
        ),
        may(
            Fleet,
            "dependencies",
            List(&Id),
            "[]",
            "tasks that must be completed first",
        ),
        may(
            Fleet,
            "artifacts",
            List(&Text(1, 4096)),
            "[]",
            "names of the files it makes",
        ),
        may(
            Fleet,
            "timeout",
            Whole(1, CENTURY),
            "1800",
            "seconds in progress it should take",
        ),
        must("created_at", Time, "when it was made"),
        may(Fleet, "completed_at", Time, "null", "when it was completed"),
        may(Mcell, "started_at", Time, "", "when it was last taken"),
        may(
            Mcell,
            "attempts",
            Whole(0, u64::MAX),
            "",
            "how often it was taken",
        ),
        may(Mcell, "claim", Object(&CLAIM), "", "who holds it"),
        may(Mcell, "result", Any, "", "what came of it"),
        may(
            Mcell,
            "required_capabilities",
            List(&Word),
            "[]",
            "capabilities that an agent needs to take it",
        ),
    ],
    others: None,
};

static LIMITS: Shape = Shape {
    name: "resource limits",
    file: "",
    about: "The most an agent may use.",
    fields: &[
        may(Fleet, "cpu", Cores, "", "processor time, like \"2 cores\""),
        may(Fleet, "memory", Bytes, "", "memory, like \"4GB\""),
        may(Fleet, "disk", Bytes, "", "disk, like \"10GB\""),
    ],
    others: None,
};

static CONTEXT: Shape = Shape {
    name: "security context",
    file: "",
    about: "As whom an agent runs.",
    fields: &[
        may(Fleet, "user", Word, "", "the user"),
        may(Fleet, "group", Word, "", "the group"),
        may(
            Fleet,
            "capabilities",
            List(&Capability),
            "[]",
            "Linux capabilities it keeps",
        ),
    ],
    others: None,
};

/// `config/isolation.json`.
pub static ISOLATION: Shape = Shape {
    name: "isolation",
    file: "config/isolation.json",
    about: "How strictly the agents of a cell are kept apart, and what they may use.",
    fields: &[
        must(
            "level",
            OneOf(LEVELS),
            "the level; must agree with isolation_level in cell.json",
        ),
        may(
            Fleet,
            "mount_namespaces",
            Flag,
            "false",
            "whether agents see a file tree of their own",
        ),
        may(
            Fleet,
            "network_isolation",
            Flag,
            "false",
            "whether agents have no network",
        ),
        may(
            Fleet,
            "resource_limits",
            Object(&LIMITS),
            "",
            "the most an agent may use",
        ),
        may(
            Fleet,
            "security_context",
            Object(&CONTEXT),
            "",
            "as whom an agent runs",
        ),
        may(
            Mcell,
            "image",
            Text(1, 4096),
            "",
            "the container image of level_3",
        ),
        may(
            Mcell,
            "read_only_paths",
            List(&Text(1, 4096)),
            "[]",
            "folders outside the cell that agents may read",
        ),
        may(
            Mcell,
            "writable_paths",
            List(&Text(1, 4096)),
            "[]",
            "folders outside the cell that agents may write",
        ),
        may(
            Mcell,
            "environment",
            List(&Word),
            "[]",
            "names of variables that pass into the cage",
        ),
    ],
    others: None,
};

/// `config/policies.json`.
pub static POLICIES: Shape = Shape {
    name: "policies",
    file: "config/policies.json",
    about: "The policies of a cell; what is absent is stated in cell.json or has its default.",
    fields: &[
        may(
            Fleet,
            "auto_revive",
            OneOf(REVIVE),
            "\"yes\"",
            "whether a dead agent is brought back",
        ),
        may(
            Fleet,
            "revive_timeout",
            Whole(1, CENTURY),
            "300",
            "seconds a revived agent has to prove that it lives",
        ),
        may(
            Fleet,
            "substitute_agents",
            List(&Id),
            "[]",
            "agents that take over, in this order",
        ),
        may(
            Fleet,
            "handoff_allowed",
            Flag,
            "true",
            "whether agents may hand tasks on",
        ),
        may(
            Fleet,
            "handoff_approval",
            OneOf(&["auto", "manual"]),
            "\"auto\"",
            "whether an offered handoff needs an operator",
        ),
        may(
            Fleet,
            "checkpoint_required",
            Flag,
            "false",
            "whether an agent without a good checkpoint stays down",
        ),
        may(
            Fleet,
            "max_retries",
            Whole(0, 1000),
            "3",
            "revivals that may fail before the agent is quarantined",
        ),
    ],
    others: None,
};

static PERMISSION: Shape = Shape {
    name: "permission",
    file: "",
    about: "What one agent may do. A list that is there limits; \"*\" means all.",
    fields: &[
        may(Fleet, "read", List(&IdOrAll), "", "tasks it may read"),
        may(Fleet, "write", List(&IdOrAll), "", "tasks it may change"),
        may(Fleet, "execute", List(&IdOrAll), "", "tasks it may do"),
        may(
            Fleet,
            "handoff_to",
            List(&IdOrAll),
            "",
            "agents it may hand tasks to",
        ),
        may(
            Fleet,
            "handoff_from",
            List(&IdOrAll),
            "",
            "agents it may take tasks from",
        ),
    ],
    others: None,
};

/// `config/permissions.json`.
pub static PERMISSIONS: Shape = Shape {
    name: "permissions",
    file: "config/permissions.json",
    about: "What each agent may do: agent id to its entry.",
    fields: &[],
    others: Some(Object(&PERMISSION)),
};
