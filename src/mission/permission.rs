//! Permissions: what each agent of a cell may do, decided in one place (docs/permission.md).
//!
//! Without an entry an agent may read every task of its cell, and write and execute the tasks assigned to it or to
//! nobody. An entry, once there, limits. The role caps what either may grant.

use crate::base::strict::ObjectOnly;
use crate::mission::agent::{Pairs, Role};
use crate::mission::policy::HandoffApproval;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What one agent may do. Lists hold task ids (or agent ids, for handoffs) or "*".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    remote = "Self",
    bound(deserialize = "S: Deserialize<'de>")
)]
pub struct Permission<S = String> {
    /// Tasks it may read.
    #[serde(
        deserialize_with = "list",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub read: Option<Vec<S>>,
    /// Tasks it may change.
    #[serde(
        deserialize_with = "list",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub write: Option<Vec<S>>,
    /// Tasks it may do.
    #[serde(
        deserialize_with = "list",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub execute: Option<Vec<S>>,
    /// Agents it may hand tasks to.
    #[serde(
        deserialize_with = "list",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub handoff_to: Option<Vec<S>>,
    /// Agents it may take tasks from.
    #[serde(
        deserialize_with = "list",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    pub handoff_from: Option<Vec<S>>,
}

fn none<T>() -> Option<T> {
    None
}

/// A list; null is none.
fn list<'de, D: Deserializer<'de>, S: Deserialize<'de>>(
    from: D,
) -> Result<Option<Vec<S>>, D::Error> {
    Vec::deserialize(from).map(Some)
}

impl<'de, S: Deserialize<'de>> Deserialize<'de> for Permission<S> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::deserialize(ObjectOnly(from))
    }
}

impl<S: Serialize> Serialize for Permission<S> {
    fn serialize<O: Serializer>(&self, out: O) -> Result<O::Ok, O::Error> {
        Self::serialize(self, out)
    }
}

impl<S> Default for Permission<S> {
    fn default() -> Self {
        Permission {
            read: None,
            write: None,
            execute: None,
            handoff_to: None,
            handoff_from: None,
        }
    }
}

/// `config/permissions.json`: agent id → what it may do.
pub type Permissions<S = String> = Pairs<S, Permission<S>>;

impl<S: AsRef<str>> Pairs<S, Permission<S>> {
    /// The entry of an agent.
    pub fn of(&self, agent: &str) -> Option<&Permission<S>> {
        self.0
            .iter()
            .find(|(id, _)| id.as_ref() == agent)
            .map(|(_, entry)| entry)
    }
}

/// What an agent may want to do with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Read it.
    Read,
    /// Change it.
    Write,
    /// Do it.
    Execute,
}

impl Verb {
    /// The word in files and commands.
    pub const fn word(self) -> &'static str {
        match self {
            Verb::Read => "read",
            Verb::Write => "write",
            Verb::Execute => "execute",
        }
    }
}

impl<S> Permission<S> {
    /// The list of a verb.
    pub fn list(&self, verb: Verb) -> Option<&Vec<S>> {
        match verb {
            Verb::Read => self.read.as_ref(),
            Verb::Write => self.write.as_ref(),
            Verb::Execute => self.execute.as_ref(),
        }
    }

    /// The list of a verb, to change.
    pub fn list_mut(&mut self, verb: Verb) -> &mut Option<Vec<S>> {
        match verb {
            Verb::Read => &mut self.read,
            Verb::Write => &mut self.write,
            Verb::Execute => &mut self.execute,
        }
    }
}

/// Tells whether a list names a thing, by its id or by "*".
pub fn names<S: AsRef<str>>(list: &[S], id: &str) -> bool {
    list.iter()
        .any(|entry| entry.as_ref() == "*" || entry.as_ref() == id)
}

/// A yes or no with its reason, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Yes or no.
    pub allowed: bool,
    /// Why.
    pub because: String,
}

impl Answer {
    fn yes(because: impl Into<String>) -> Self {
        Answer {
            allowed: true,
            because: because.into(),
        }
    }

    fn no(because: impl Into<String>) -> Self {
        Answer {
            allowed: false,
            because: because.into(),
        }
    }
}

/// The agent who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its role.
    pub role: Role,
}

/// What a decision about a task stands on. It costs nothing to make: rules ask of every task of every cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground<'a> {
    /// The role never may.
    Role,
    /// The agent's entry has a list for this, and the task is on it or not.
    Entry(bool),
    /// No entry says otherwise, and everybody may read.
    OpenToRead,
    /// No entry says otherwise, and it is assigned to nobody.
    Free,
    /// No entry says otherwise, and it is its own.
    Own,
    /// No entry grants it, and it is assigned to this other.
    Others(&'a str),
}

impl Ground<'_> {
    /// Tells whether it is a yes.
    pub const fn allows(self) -> bool {
        match self {
            Ground::Role | Ground::Entry(false) | Ground::Others(_) => false,
            Ground::Entry(true) | Ground::OpenToRead | Ground::Free | Ground::Own => true,
        }
    }

    /// The reason in words.
    fn words(self, asker: Asker<'_>, verb: Verb, task: &str) -> String {
        let (id, word) = (asker.id, verb.word());
        match self {
            Ground::Role => format!(
                "its role is {}, which never may {word} a task",
                asker.role.word()
            ),
            Ground::Entry(true) => {
                format!("its entry in config/permissions.json grants {word} on it")
            }
            Ground::Entry(false) => {
                format!("its entry in config/permissions.json does not name {task} under {word}")
            }
            Ground::OpenToRead => String::from(
                "every agent may read the tasks of its cell where no entry says otherwise",
            ),
            Ground::Free => String::from("it is assigned to nobody, and no entry says otherwise"),
            Ground::Own => {
                String::from("it is assigned to this agent, and no entry says otherwise")
            }
            Ground::Others(owner) => {
                format!("it is assigned to {owner}, and no entry of {id} grants {word} on it")
            }
        }
    }
}

/// Decides whether an agent may do something with a task. `listed` says whether the agent's list for this names the
/// task, none if it has no such list.
pub fn ground<'a>(
    asker: Asker<'_>,
    verb: Verb,
    listed: Option<bool>,
    assigned_to: Option<&'a str>,
) -> Ground<'a> {
    match (listed, verb, assigned_to) {
        (_, Verb::Write | Verb::Execute, _) if !asker.role.may_work() => Ground::Role,
        (Some(listed), ..) => Ground::Entry(listed),
        (None, Verb::Read, _) => Ground::OpenToRead,
        (None, _, None) => Ground::Free,
        (None, _, Some(owner)) if owner == asker.id => Ground::Own,
        (None, _, Some(owner)) => Ground::Others(owner),
    }
}

/// Tells whether an agent may do something with a task that is assigned to `assigned_to`, and why.
pub fn allows<S: AsRef<str>>(
    permissions: Option<&Permissions<S>>,
    asker: Asker<'_>,
    verb: Verb,
    task: &str,
    assigned_to: Option<&str>,
) -> Answer {
    let listed = permissions
        .and_then(|all| all.of(asker.id))
        .and_then(|entry| entry.list(verb))
        .map(|list| names(list, task));
    let ground = ground(asker, verb, listed, assigned_to);
    Answer {
        allowed: ground.allows(),
        because: ground.words(asker, verb, task),
    }
}

/// What stands in the way of a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The policy handoff_allowed is false.
    Policy,
    /// The taker's role never does tasks.
    Role,
    /// The giver's handoff_to does not name the taker.
    To,
    /// The taker's handoff_from does not name the giver.
    From,
}

/// Decides whether `giver` may hand a task to `taker`, given their entries. What stands in the way, if anything.
pub fn obstacle<S: AsRef<str>>(
    entries: (Option<&Permission<S>>, Option<&Permission<S>>),
    allowed_by_policy: bool,
    giver: &str,
    taker: Asker<'_>,
) -> Option<Obstacle> {
    let (of_giver, of_taker) = entries;
    let to = of_giver.and_then(|entry| entry.handoff_to.as_ref());
    let from = of_taker.and_then(|entry| entry.handoff_from.as_ref());
    if !allowed_by_policy {
        Some(Obstacle::Policy)
    } else if !taker.role.may_work() {
        Some(Obstacle::Role)
    } else if to.is_some_and(|list| !names(list, taker.id)) {
        Some(Obstacle::To)
    } else if from.is_some_and(|list| !names(list, giver)) {
        Some(Obstacle::From)
    } else {
        None
    }
}

impl Obstacle {
    /// The reason in words.
    pub fn words(self, giver: &str, taker: Asker<'_>) -> String {
        let (id, role) = (taker.id, taker.role.word());
        match self {
            Obstacle::Policy => String::from("the policy handoff_allowed is false"),
            Obstacle::Role => format!("the role of {id} is {role}, which never does tasks"),
            Obstacle::To => format!("handoff_to of {giver} does not name {id}"),
            Obstacle::From => format!("handoff_from of {id} does not name {giver}"),
        }
    }
}

/// Tells whether `giver` may hand a task to `taker`, and why.
pub fn may_hand_off<S: AsRef<str>>(
    permissions: Option<&Permissions<S>>,
    allowed_by_policy: bool,
    giver: &str,
    taker: Asker<'_>,
) -> Answer {
    let entry = |id: &str| permissions.and_then(|all| all.of(id));
    match obstacle(
        (entry(giver), entry(taker.id)),
        allowed_by_policy,
        giver,
        taker,
    ) {
        Some(obstacle) => Answer::no(obstacle.words(giver, taker)),
        None => Answer::yes("policy, role and permissions allow it"),
    }
}

/// Whether an operator must approve a handoff.
pub const fn needs_approval(approval: HandoffApproval) -> bool {
    matches!(approval, HandoffApproval::Manual)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITER: Asker<'_> = Asker {
        id: "agent_001",
        role: Role::Write,
    };

    fn entry(list: &[&str]) -> Permissions {
        let list = Some(list.iter().map(|id| (*id).to_owned()).collect());
        Pairs(vec![(
            String::from("agent_001"),
            Permission {
                write: list,
                ..Permission::default()
            },
        )])
    }

    #[test]
    fn without_an_entry_own_and_free_tasks_are_allowed() {
        let ask = |to| allows::<String>(None, WRITER, Verb::Write, "task_001", to).allowed;
        assert!(ask(None) && ask(Some("agent_001")) && !ask(Some("agent_002")));
        assert!(allows::<String>(None, WRITER, Verb::Read, "task_001", Some("agent_002")).allowed);
    }

    #[test]
    fn an_entry_limits_even_the_owner() {
        let entry = entry(&["task_002"]);
        assert!(
            !allows(
                Some(&entry),
                WRITER,
                Verb::Write,
                "task_001",
                Some("agent_001")
            )
            .allowed
        );
        assert!(
            allows(
                Some(&entry),
                WRITER,
                Verb::Write,
                "task_002",
                Some("agent_009")
            )
            .allowed
        );
    }

    #[test]
    fn the_role_caps_even_a_star() {
        let asker = Asker {
            id: "agent_001",
            role: Role::Audit,
        };
        let answer = allows(Some(&entry(&["*"])), asker, Verb::Write, "task_001", None);
        assert!(!answer.allowed && answer.because.contains("audit"));
    }
}
