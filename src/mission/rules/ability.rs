//! Who could do what: role, permission and capabilities held against a task, for the proofs.
//!
//! A proof must not cry wolf: where a file that bears on it cannot be trusted, the answer is "could".

use super::Facts;
use super::known::{
    agent_status, handoff_allowed, holder, holder_pointer, is_open, is_sound, said, task_status,
};
use crate::base::text::Text;
use crate::mission::agent::{Agent, AgentStatus, Role};
use crate::mission::permission::{Asker, Obstacle, Permission, Verb, ground, names, obstacle};
use crate::mission::sheet::{AgentSheet, TaskSheet};
use crate::mission::survey::Survey;
use std::cell::{Cell, OnceCell};
use std::collections::HashSet;

/// An agent as the proofs see it.
#[derive(Debug)]
pub(super) struct Member<'f, 's> {
    sheet: &'f AgentSheet<'s>,
    /// What it is and can do; none if that cannot be trusted.
    agent: Option<&'f Agent<Text<'s>>>,
    entry: Option<&'f Permission<Text<'s>>>,
    write: Listed<'f>,
    execute: Listed<'f>,
}

/// A long list of permissions, hashed when first asked.
type Listed<'f> = OnceCell<HashSet<&'f str>>;

/// Lists up to this length are faster read than hashed.
const SHORT: usize = 32;

/// All agents of a cell, in the order of the survey.
#[derive(Debug)]
pub(super) struct Crew<'f, 's> {
    pub(super) members: Vec<Member<'f, 's>>,
    /// Whether there are agents whose files cannot be read at all.
    pub(super) has_strangers: bool,
    handoffs: bool,
    looks_left: Cell<usize>,
}

/// How many answers are given before all become "could": a hostile cell would otherwise cost agents times tasks.
const MOST_LOOKS: usize = 5_000_000;

/// Why an agent could not do a task, from what is soonest mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack<'t> {
    /// It has failed.
    Failed,
    /// Its entry has a list for this, and the task is not on it.
    Permission(Verb),
    /// It lacks a capability that the task requires.
    Capability(&'t str),
    /// Its role never does tasks.
    Role(Role),
}

impl Lack<'_> {
    /// How far it is from being able.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Lack::Failed => 0,
            Lack::Permission(_) => 1,
            Lack::Capability(_) => 2,
            Lack::Role(_) => 3,
        }
    }

    /// The reason in words, after the agent's name.
    pub(super) fn words(self) -> String {
        match self {
            Lack::Failed => String::from("has failed"),
            Lack::Permission(verb) => format!(
                "may not {} it: its entry in config/permissions.json does not name it",
                verb.word()
            ),
            Lack::Capability(word) => format!("lacks the capability `{}`", said(word)),
            Lack::Role(role) => format!("has the role {} and so never does tasks", role.word()),
        }
    }
}

impl<'f> Member<'f, '_> {
    /// Its id.
    pub(super) fn id(&self) -> &'f str {
        self.sheet.stem()
    }

    /// Tells whether its role may do tasks at all.
    pub(super) fn role(&self) -> Option<Role> {
        self.agent.map(|agent| agent.role)
    }

    /// Tells whether it has failed.
    pub(super) fn has_failed(&self) -> bool {
        agent_status(self.sheet) == Some(AgentStatus::Failed)
    }

    fn listed(&self, verb: Verb, task: &str) -> Option<bool> {
        let list = self.entry?.list(verb)?;
        if list.len() <= SHORT {
            return Some(names(list, task));
        }
        let known = match verb {
            Verb::Write => &self.write,
            _ => &self.execute,
        };
        let known = known.get_or_init(|| list.iter().map(|id| &**id).collect());
        Some(known.contains("*") || known.contains(task))
    }
}

impl<'f, 's> Crew<'f, 's> {
    /// The crew of a cell; none if its permissions cannot be trusted, as nothing can be said then.
    pub(super) fn of(facts: &Facts<'f, 's>) -> Option<Self> {
        let survey = facts.survey;
        let is_unread = |path: &str| survey.oddities.iter().any(|odd| odd.path == path);
        if is_unread("config") || is_unread("config/permissions.json") {
            return None;
        }
        let mut members: Vec<Member<'f, 's>> = survey.agents.iter().map(member).collect();
        if let Some(sheet) = &survey.permissions {
            if sheet.trouble.is_some() {
                return None;
            }
            for (id, entry) in sheet.value.iter().flat_map(|entries| &entries.0) {
                if let Some(member) = survey.agent_at(id).and_then(|at| members.get_mut(at)) {
                    member.entry = Some(entry);
                }
            }
        }
        Some(Crew {
            members,
            has_strangers: has_strangers(survey),
            handoffs: handoff_allowed(facts),
            looks_left: Cell::new(MOST_LOOKS),
        })
    }

    /// What keeps an agent from doing a task, were it assigned to it; nothing if that cannot be said.
    pub(super) fn lack(
        &self,
        member: &Member<'f, 's>,
        task: &'f TaskSheet<'s>,
    ) -> Option<Lack<'f>> {
        let (agent, value) = (member.agent?, task.value.as_ref()?);
        self.looks_left.set(self.looks_left.get().checked_sub(1)?);
        if !agent.role.may_work() {
            return Some(Lack::Role(agent.role));
        }
        let lacking = value.required_capabilities.iter().find(|word| {
            let mut has = agent.capabilities.iter();
            !has.any(|has| **has == ***word)
        });
        if let Some(word) = lacking {
            return Some(Lack::Capability(word));
        }
        let asker = asker(member, agent.role);
        [Verb::Execute, Verb::Write]
            .into_iter()
            .find(|verb| {
                let listed = member.listed(*verb, task.stem());
                !ground(asker, *verb, listed, Some(asker.id)).allows()
            })
            .map(Lack::Permission)
    }

    /// The same, where an agent that has failed counts for nothing.
    pub(super) fn lack_now(
        &self,
        member: &Member<'f, 's>,
        task: &'f TaskSheet<'s>,
    ) -> Option<Lack<'f>> {
        self.lack(member, task)
            .or_else(|| member.has_failed().then_some(Lack::Failed))
    }

    /// Tells whether so much was asked that no answer can be relied on any more.
    pub(super) fn is_exhausted(&self) -> bool {
        self.looks_left.get() == 0
    }

    /// What stands in the way of a handoff; nothing if that cannot be said.
    pub(super) fn obstacle(
        &self,
        giver: &Member<'f, 's>,
        taker: &Member<'f, 's>,
    ) -> Option<Obstacle> {
        let role = taker.role().filter(|_| !self.is_exhausted())?;
        let lists = [
            giver.entry.and_then(|entry| entry.handoff_to.as_ref()),
            taker.entry.and_then(|entry| entry.handoff_from.as_ref()),
        ];
        let looks = lists.into_iter().flatten().map(Vec::len).sum::<usize>();
        self.looks_left
            .set(self.looks_left.get().saturating_sub(looks));
        let asker = asker(taker, role);
        obstacle((giver.entry, taker.entry), self.handoffs, giver.id(), asker)
    }
}

/// Why an agent could not take a task over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why<'f, 's> {
    /// It may not be handed anything by this agent.
    Obstacle(Obstacle),
    /// It could not do this task.
    Lack(&'f TaskSheet<'s>, Lack<'f>),
}

impl Why<'_, '_> {
    /// The reason in words.
    pub(super) fn words(self, giver: &str, taker: &Member<'_, '_>) -> String {
        let id = taker.id();
        match self {
            Why::Obstacle(obstacle) => {
                let role = taker.role().unwrap_or(Role::Read);
                obstacle.words(giver, asker(taker, role))
            }
            Why::Lack(task, lack) => format!("for `{}`, `{id}` {}", task.stem(), lack.words()),
        }
    }
}

fn member<'f, 's>(sheet: &'f AgentSheet<'s>) -> Member<'f, 's> {
    let sound = sheet.trusts("/role") && is_sound(sheet, "/capabilities");
    Member {
        sheet,
        agent: sheet.value.as_ref().filter(|_| sound),
        entry: None,
        write: OnceCell::new(),
        execute: OnceCell::new(),
    }
}

fn asker<'m>(member: &Member<'m, '_>, role: Role) -> Asker<'m> {
    Asker {
        id: member.id(),
        role,
    }
}

/// Tells whether there are agents whose files cannot be read at all.
pub(super) fn has_strangers(survey: &Survey<'_>) -> bool {
    survey.oddities.iter().any(|odd| {
        odd.path
            .strip_prefix("agents")
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(".json"))
    })
}

/// The agent that a task still to be done is meant for or held by: its place, and the pointer that says so. None for
/// tasks that are done, are nobody's, or cannot be trusted.
pub(super) fn owner(survey: &Survey<'_>, task: &TaskSheet<'_>) -> Option<(usize, &'static str)> {
    let id = match holder(task) {
        Some(holder) => holder,
        None => {
            let value = task.value.as_ref()?;
            value.assigned_to.as_deref()?
        }
    };
    let pointer = match task.value.as_ref()?.claim {
        Some(_) if holder(task).is_some() => holder_pointer(task),
        _ => "/assigned_to",
    };
    task_status(task).filter(|status| is_open(*status))?;
    Some((survey.agent_at(id)?, pointer))
}
