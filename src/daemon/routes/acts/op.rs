//! The acts that an agent can have done: the commands of the same names, and the same answers as their `--json`.

use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::daemon::message::whole;
use crate::mission::artifact::Name;
use crate::mission::handoff::DEADLINE;
use crate::mission::task::Task;
use crate::ops::artifact::{self, NewArtifacts};
use crate::ops::checkpoint::{self, Gift, NewCheckpoint};
use crate::ops::find::Scope;
use crate::ops::handoff;
use crate::ops::session::Session;
use crate::ops::task::{self, Yield};
use crate::store::cell::OpenCell;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// One act. A member that it does not have is refused: whoever writes `leese` shall not hold a task for ever.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", deny_unknown_fields)]
pub(super) enum Op {
    /// Take a task, or the best one that is ready.
    #[serde(rename = "task claim")]
    TaskClaim {
        task: Option<String>,
        #[serde(default)]
        next: bool,
        #[serde(default, deserialize_with = "whole")]
        lease: Option<u64>,
    },
    /// Say that a task is done.
    #[serde(rename = "task complete")]
    TaskComplete {
        task: String,
        #[serde(default, deserialize_with = "whole")]
        token: Option<u64>,
        result: Option<Value>,
        #[serde(default)]
        artifacts: Vec<String>,
    },
    /// Give a task up.
    #[serde(rename = "task fail")]
    TaskFail {
        task: String,
        #[serde(default, deserialize_with = "whole")]
        token: Option<u64>,
        reason: String,
    },
    /// Give a task back.
    #[serde(rename = "task release")]
    TaskRelease {
        task: String,
        #[serde(default, deserialize_with = "whole")]
        token: Option<u64>,
        reason: Option<String>,
    },
    /// The tasks that it may read.
    #[serde(rename = "task list")]
    TaskList {},
    /// Of these, the ones that may start now, the first to take first.
    #[serde(rename = "task ready")]
    TaskReady {},
    /// One of these.
    #[serde(rename = "task show")]
    TaskShow { task: String },
    /// Offer a task to another agent.
    #[serde(rename = "handoff")]
    Handoff {
        task: String,
        agent: String,
        reason: Option<String>,
        #[serde(default, deserialize_with = "whole")]
        deadline: Option<u64>,
        #[serde(default, deserialize_with = "whole")]
        token: Option<u64>,
    },
    /// The handoffs that wait, of tasks that it may read.
    #[serde(rename = "handoff list")]
    HandoffList {},
    /// Accept one.
    #[serde(rename = "handoff accept")]
    HandoffAccept {
        handoff: String,
        #[serde(default, deserialize_with = "whole")]
        lease: Option<u64>,
    },
    /// Decline one.
    #[serde(rename = "handoff decline")]
    HandoffDecline {
        handoff: String,
        reason: Option<String>,
    },
    /// Save a checkpoint of itself.
    #[serde(rename = "checkpoint save")]
    CheckpointSave {
        state: Option<Map<String, Value>>,
        context: Option<Map<String, Value>>,
        #[serde(default, deserialize_with = "whole")]
        token: Option<u64>,
    },
    /// Note files that it wrote below `artifacts/`.
    #[serde(rename = "artifact add")]
    ArtifactAdd {
        artifacts: Vec<String>,
        task: Option<String>,
        #[serde(default, deserialize_with = "whole")]
        token: Option<u64>,
    },
}

impl Op {
    /// Does it as the agent of the session, and gives what the command prints with `--json`.
    pub(super) fn run(self, session: &mut Session, cell: OpenCell) -> Result<Value> {
        match self {
            Op::TaskClaim { lease: Some(0), .. } | Op::HandoffAccept { lease: Some(0), .. } => {
                Err(Error::usage("a lease of no time holds nothing"))
            }
            Op::TaskClaim { task, next, lease } => {
                let claimed = match (task, next) {
                    (Some(id), false) => task::claim(session, &cell, &TaskId::new(id)?, lease)?,
                    (None, true) => task::claim_next(session, &cell, lease)?,
                    _ => return Err(Error::usage("say which: `task`, or `next`: true")),
                };
                Ok(of_task(&cell, &claimed.task))
            }
            Op::TaskComplete {
                task: id,
                token,
                result,
                artifacts,
            } => {
                session.token = token;
                let done = Yield {
                    artifacts: files(artifacts)?,
                    result,
                    auto: false,
                };
                let done = task::complete(session, &cell, &TaskId::new(id)?, &done)?;
                Ok(of_task(&cell, &done.task))
            }
            Op::TaskFail {
                task: id,
                token,
                reason,
            } => {
                session.token = token;
                let done = task::fail(session, &cell, &TaskId::new(id)?, &reason)?;
                Ok(of_task(&cell, &done.task))
            }
            Op::TaskRelease {
                task: id,
                token,
                reason,
            } => {
                session.token = token;
                let done = task::release(session, &cell, &TaskId::new(id)?, reason.as_deref())?;
                Ok(of_task(&cell, &done.task))
            }
            Op::TaskList {} | Op::TaskReady {} | Op::TaskShow { .. } => self.look(session, &cell),
            Op::Handoff {
                task: id,
                agent,
                reason,
                deadline,
                token,
            } => {
                session.token = token;
                let (id, agent) = (TaskId::new(id)?, AgentId::new(agent)?);
                let deadline = deadline.unwrap_or(DEADLINE);
                let reason = reason.as_deref();
                value(&handoff::offer(
                    session, &cell, &id, &agent, reason, deadline,
                )?)
            }
            Op::HandoffList {} => {
                let listed = handoff::list_in(session, &Scope::Cell(cell), false)?;
                Ok(json!({ "handoffs": value(&listed.handoffs)? }))
            }
            Op::HandoffAccept { handoff: id, lease } => {
                value(&handoff::accept(session, &cell, &id, lease)?)
            }
            Op::HandoffDecline {
                handoff: id,
                reason,
            } => value(&handoff::decline(session, &cell, &id, reason.as_deref())?),
            Op::CheckpointSave {
                state,
                context,
                token,
            } => {
                session.token = token;
                let agent = session.require_agent("save its checkpoint")?.clone();
                let new = NewCheckpoint {
                    state: gift("state", state)?,
                    context: gift("context", context)?,
                    artifacts: Vec::new(),
                };
                value(&checkpoint::save(session, &cell, &agent, &new)?)
            }
            Op::ArtifactAdd {
                artifacts,
                task,
                token,
            } => {
                session.token = token;
                let new = NewArtifacts {
                    files: files(artifacts)?,
                    task: task.map(TaskId::new).transpose()?,
                    ..NewArtifacts::default()
                };
                let added = artifact::add(session, &cell, &new)?;
                Ok(json!({ "cell_id": cell.id(), "artifacts": value(&added)? }))
            }
        }
    }

    fn look(self, session: &Session, cell: &OpenCell) -> Result<Value> {
        let seen = task::look(session, cell)?;
        if let Op::TaskShow { task: id } = self {
            let id = TaskId::new(id)?;
            let known = seen.tasks.get(id.as_str());
            let known = known.filter(|_| seen.shows(id.as_str()));
            return match known {
                Some(known) => Ok(of_task(cell, known)),
                None => Err(task::not_here(cell, &id)),
            };
        }
        let tasks: Vec<(&str, &Task)> = match self {
            Op::TaskReady {} => seen.tasks.ready(seen.acting_status()),
            _ => seen.tasks.all().collect(),
        };
        let tasks = tasks.into_iter().filter(|(id, _)| seen.shows(id));
        let tasks: Vec<Value> = tasks.map(|(_, task)| of_task(cell, task)).collect();
        Ok(json!({ "tasks": tasks }))
    }
}

fn value(told: &impl Serialize) -> Result<Value> {
    serde_json::to_value(told)
        .map_err(|error| Error::bug(format!("the answer cannot be written: {error}")))
}

fn of_task(cell: &OpenCell, task: &Task) -> Value {
    let mut members = Map::new();
    members.insert(String::from("cell_id"), cell.id().as_str().into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(task) {
        members.extend(fields);
    }
    Value::Object(members)
}

/// Names of artifacts that are in the cell. A path would be one of the daemon's, who may read more than the agent.
fn files(names: Vec<String>) -> Result<Vec<PathBuf>> {
    let names = names.into_iter().map(|name| {
        let name = name.strip_prefix("artifacts/").unwrap_or(&name);
        Name::new(name).map(|name| PathBuf::from(name.as_str()))
    });
    names.collect()
}

fn gift(name: &str, object: Option<Map<String, Value>>) -> Result<Option<Gift>> {
    let Some(object) = object else {
        return Ok(None);
    };
    let text = serde_json::to_vec_pretty(&object)
        .map_err(|error| Error::bug(format!("{name} cannot be written: {error}")))?;
    Ok(Some(Gift {
        name: name.to_owned(),
        text,
    }))
}
