//! Permissions: what each agent of a cell may do, decided in one place (docs/permission.md).
//!
//! Without an entry an agent may read every task of its cell, and write and execute the tasks assigned to it or to
//! nobody. An entry, once there, limits. The role caps what either may grant.

use crate::mission::agent::{Pairs, Role};
use crate::mission::policy::HandoffApproval;
use serde::{Deserialize, Serialize};

/// What one agent may do. Lists hold task ids (or agent ids, for handoffs) or "*".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission<S = String> {
    /// Tasks it may read.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<S>>,
    /// Tasks it may change.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub write: Option<Vec<S>>,
    /// Tasks it may do.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub execute: Option<Vec<S>>,
    /// Agents it may hand tasks to.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub handoff_to: Option<Vec<S>>,
    /// Agents it may take tasks from.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub handoff_from: Option<Vec<S>>,
}

fn none<T>() -> Option<T> {
    None
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

/// Tells whether an agent may do something with a task that is assigned to `assigned_to`.
pub fn allows<S: AsRef<str>>(
    permissions: Option<&Permissions<S>>,
    asker: Asker<'_>,
    verb: Verb,
    task: &str,
    assigned_to: Option<&str>,
) -> Answer {
    let Asker { id, role } = asker;
    if verb != Verb::Read && !role.may_work() {
        return Answer::no(format!(
            "its role is {}, which never may {} a task",
            role.word(),
            verb.word()
        ));
    }
    if let Some(list) = permissions
        .and_then(|all| all.of(id))
        .and_then(|entry| entry.list(verb))
    {
        return if names(list, task) {
            Answer::yes(format!(
                "its entry in config/permissions.json grants {} on it",
                verb.word()
            ))
        } else {
            Answer::no(format!(
                "its entry in config/permissions.json does not name {task} under {}",
                verb.word()
            ))
        };
    }
    match (verb, assigned_to) {
        (Verb::Read, _) => {
            Answer::yes("every agent may read the tasks of its cell where no entry says otherwise")
        }
        (_, None) => Answer::yes("it is assigned to nobody, and no entry says otherwise"),
        (_, Some(owner)) if owner == id => {
            Answer::yes("it is assigned to this agent, and no entry says otherwise")
        }
        (_, Some(owner)) => Answer::no(format!(
            "it is assigned to {owner}, and no entry of {id} grants {} on it",
            verb.word()
        )),
    }
}

/// Tells whether `giver` may hand a task to `taker`.
pub fn may_hand_off<S: AsRef<str>>(
    permissions: Option<&Permissions<S>>,
    allowed_by_policy: bool,
    giver: &str,
    taker: Asker<'_>,
) -> Answer {
    if !allowed_by_policy {
        return Answer::no("the policy handoff_allowed is false");
    }
    if !taker.role.may_work() {
        return Answer::no(format!(
            "the role of {} is {}, which never does tasks",
            taker.id,
            taker.role.word()
        ));
    }
    let entry = |id: &str| permissions.and_then(|all| all.of(id));
    if let Some(list) = entry(giver).and_then(|entry| entry.handoff_to.as_ref())
        && !names(list, taker.id)
    {
        return Answer::no(format!("handoff_to of {giver} does not name {}", taker.id));
    }
    if let Some(list) = entry(taker.id).and_then(|entry| entry.handoff_from.as_ref())
        && !names(list, giver)
    {
        return Answer::no(format!(
            "handoff_from of {} does not name {giver}",
            taker.id
        ));
    }
    Answer::yes("policy, role and permissions allow it")
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
