//! Granting and revoking: what becomes of an agent's entry in the permissions (docs/permission.md).
//!
//! A list, once there, counts alone. So the first change of a right that had none begins with what the default gives the
//! agent today, and never takes away or gives more than was said; `only` begins with nothing instead.

#[cfg(test)]
mod tests;

use crate::base::error::{Error, Result};
use crate::mission::agent::Role;
use crate::mission::permission::{Asker, Permission, Verb};
use serde::Serialize;

/// One list of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Tasks it may read.
    Read,
    /// Tasks it may change.
    Write,
    /// Tasks it may do.
    Execute,
    /// Agents it may hand tasks to.
    HandoffTo,
    /// Agents it may take tasks from.
    HandoffFrom,
}

impl Right {
    /// Every right, in the order of the file.
    pub const ALL: [Right; 5] = [
        Right::Read,
        Right::Write,
        Right::Execute,
        Right::HandoffTo,
        Right::HandoffFrom,
    ];

    /// The word in files and commands.
    pub const fn word(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
            Right::Execute => "execute",
            Right::HandoffTo => "handoff_to",
            Right::HandoffFrom => "handoff_from",
        }
    }

    /// What it means for a thing: "write task_001", "hand tasks to agent_002".
    pub fn of(self, thing: &str) -> String {
        let thing = match (thing, self.verb()) {
            ("*", Some(_)) => "every task",
            ("*", None) => "every agent",
            (thing, _) => thing,
        };
        match self {
            Right::HandoffTo => format!("hand tasks to {thing}"),
            Right::HandoffFrom => format!("take tasks from {thing}"),
            _ => format!("{} {thing}", self.word()),
        }
    }

    /// The verb on tasks; none where it is about agents.
    pub const fn verb(self) -> Option<Verb> {
        match self {
            Right::Read => Some(Verb::Read),
            Right::Write => Some(Verb::Write),
            Right::Execute => Some(Verb::Execute),
            Right::HandoffTo | Right::HandoffFrom => None,
        }
    }

    /// The list of an entry.
    pub fn list<S>(self, entry: &Permission<S>) -> Option<&Vec<S>> {
        match self {
            Right::Read => entry.read.as_ref(),
            Right::Write => entry.write.as_ref(),
            Right::Execute => entry.execute.as_ref(),
            Right::HandoffTo => entry.handoff_to.as_ref(),
            Right::HandoffFrom => entry.handoff_from.as_ref(),
        }
    }

    /// The list of an entry, to change.
    pub fn list_mut<S>(self, entry: &mut Permission<S>) -> &mut Option<Vec<S>> {
        match self {
            Right::Read => &mut entry.read,
            Right::Write => &mut entry.write,
            Right::Execute => &mut entry.execute,
            Right::HandoffTo => &mut entry.handoff_to,
            Right::HandoffFrom => &mut entry.handoff_from,
        }
    }

    /// What an agent has where no list says otherwise, in words.
    pub fn default_in_words(self, role: Role) -> &'static str {
        match self {
            Right::Read => "every task of the cell",
            Right::Write | Right::Execute if role.may_work() => {
                "the tasks assigned to it and those assigned to nobody"
            }
            Right::HandoffFrom | Right::HandoffTo if role.may_work() => {
                "every agent, as the policies allow"
            }
            Right::HandoffTo => "every agent, as the policies allow",
            _ => "nothing, by its role",
        }
    }
}

/// What there is in a cell to grant rights on.
#[derive(Clone, Debug, Default)]
pub struct Things {
    /// Tasks, and whom they are assigned to.
    pub tasks: Vec<(String, Option<String>)>,
    /// Agents.
    pub agents: Vec<(String, Role)>,
}

impl Things {
    /// What "*" means for a right today.
    fn all(&self, right: Right, who: Asker<'_>) -> Vec<String> {
        match right.verb() {
            Some(_) => self.tasks.iter().map(|(id, _)| id.clone()).collect(),
            None => {
                // Whoever never does tasks is handed none, whatever a list says.
                let takes = |role: &Role| right != Right::HandoffTo || role.may_work();
                let others = self.agents.iter();
                let others = others.filter(|(id, role)| id != who.id && takes(role));
                others.map(|(id, _)| id.clone()).collect()
            }
        }
    }

    /// What the default gives an agent today.
    fn by_default(&self, right: Right, who: Asker<'_>) -> Vec<String> {
        match right {
            Right::Read | Right::HandoffTo => self.all(right, who),
            Right::HandoffFrom if who.role.may_work() => self.all(right, who),
            Right::Write | Right::Execute if who.role.may_work() => {
                let own_or_free = |to: &Option<String>| to.as_ref().is_none_or(|to| to == who.id);
                let tasks = self.tasks.iter().filter(|(_, to)| own_or_free(to));
                tasks.map(|(id, _)| id.clone()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What became of one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The list as it was; none means the default.
    pub before: Option<Vec<String>>,
    /// The list as it is; none means the default.
    pub after: Option<Vec<String>>,
    /// Whether it begins with what the default, or "*", gives today.
    pub is_spelled_out: bool,
}

impl Turn {
    /// Tells whether anything changed.
    pub fn changes(&self) -> bool {
        self.before != self.after
    }
}

/// Refuses to grant what the roles forbid whatever an entry says (exit 5).
pub fn require_role(right: Right, who: Asker<'_>, named: &[String], things: &Things) -> Result<()> {
    let never = |id: &str, role: Role, what: &str| {
        Error::refused(format!(
            "the role of {id} is {}, which never {what}",
            role.word()
        ))
        .hint(format!(
            "with `mcell agent set {id} role=write` it would be another matter"
        ))
    };
    match right {
        Right::Write if !who.role.may_work() => {
            return Err(never(who.id, who.role, "changes tasks"));
        }
        Right::Execute | Right::HandoffFrom if !who.role.may_work() => {
            return Err(never(who.id, who.role, "does tasks"));
        }
        Right::HandoffTo => {
            let idle = named.iter().find_map(|name| {
                things
                    .agents
                    .iter()
                    .find(|(id, role)| id == name && !role.may_work())
            });
            if let Some((id, role)) = idle {
                return Err(never(id, *role, "does tasks"));
            }
        }
        _ => {}
    }
    if right.verb().is_none() && named.iter().any(|name| name == who.id) {
        return Err(Error::refused(format!(
            "{} cannot hand tasks to itself",
            who.id
        )));
    }
    Ok(())
}

/// Grants a right on things ("*" for all). `only` makes the list of exactly these.
pub fn grant(
    entry: &mut Permission,
    right: Right,
    who: Asker<'_>,
    named: &[String],
    things: &Things,
    only: bool,
) -> Turn {
    let list = right.list_mut(entry);
    let before = list.clone();
    let is_all = named.iter().any(|name| name == "*");
    let all = || vec![String::from("*")];
    let mut is_spelled_out = false;
    let after = match &before {
        _ if only && is_all => Some(all()),
        _ if only => Some(added(Vec::new(), named)),
        Some(list) if list.iter().any(|name| name == "*") => before.clone(),
        Some(_) if is_all => Some(all()),
        Some(list) => Some(added(list.clone(), named)),
        // Of these the default gives everything already.
        None if matches!(right, Right::Read | Right::HandoffTo | Right::HandoffFrom) => None,
        None if is_all => Some(all()),
        None => {
            let today = things.by_default(right, who);
            let more = added(today.clone(), named);
            is_spelled_out = more != today;
            is_spelled_out.then_some(more)
        }
    };
    list.clone_from(&after);
    Turn {
        before,
        after,
        is_spelled_out,
    }
}

/// Revokes a right on things ("*" for all of them).
pub fn revoke(
    entry: &mut Permission,
    right: Right,
    who: Asker<'_>,
    named: &[String],
    things: &Things,
) -> Turn {
    let list = right.list_mut(entry);
    let before = list.clone();
    let today = match &before {
        None => things.by_default(right, who),
        Some(list) if list.iter().any(|name| name == "*") => things.all(right, who),
        Some(list) => list.clone(),
    };
    let mut left = today.clone();
    left.retain(|name| !named.iter().any(|gone| gone == "*" || gone == name));
    // Nothing to take away; only "*" on a default that gives nothing today makes a list, against what it would give later.
    let is_all = named.iter().any(|name| name == "*");
    let after = if left == today && !(is_all && before.is_none()) {
        before.clone()
    } else {
        Some(left)
    };
    let is_spelled_out = before != after
        && !is_all
        && before
            .as_ref()
            .is_none_or(|list| list.iter().any(|name| name == "*"));
    list.clone_from(&after);
    Turn {
        before,
        after,
        is_spelled_out,
    }
}

/// Takes the list of a right away, so that the default counts again.
pub fn reset(entry: &mut Permission, right: Right) -> Turn {
    let before = right.list_mut(entry).take();
    Turn {
        before,
        after: None,
        is_spelled_out: false,
    }
}

fn added(mut list: Vec<String>, named: &[String]) -> Vec<String> {
    for name in named {
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
    list
}
