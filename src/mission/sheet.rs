//! One mission file as it was read: its text, what it says, and what is wrong with its form.
//!
//! Nearly every file is sound, so the good path is one strict parse that borrows from the text. Only a file that fails
//! it is scanned for places, and then as much of it as is sound is kept, so that the other rules can go on.

use crate::base::document::{Document, Fault};
use crate::base::ids::is_id;
use crate::base::text::Text;
use crate::mission::agent::Agent;
use crate::mission::cell::Cell;
use crate::mission::isolation::Isolation;
use crate::mission::permission::Permissions;
use crate::mission::policy::Policies;
use crate::mission::shape::{self, Flaw, Shape};
use crate::mission::task::Task;
use serde::Deserialize;

/// A type that is one kind of mission file.
pub trait Record {
    /// Its form.
    const SHAPE: &'static Shape;
    /// A quick look that may only say yes where the form surely holds beyond what the types say (lengths, ids, ranges).
    fn is_plainly_sound(&self) -> bool;
}

/// What is wrong with the form of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// It is no JSON at all.
    Fault(Fault),
    /// It is JSON, with flaws.
    Flaws(Vec<Flaw>),
}

/// One mission file as it was read.
#[derive(Clone, Debug)]
pub struct Sheet<'a, T> {
    /// Its path in the cell.
    pub file: std::borrow::Cow<'a, str>,
    /// Its text.
    pub text: &'a [u8],
    /// What it says, as far as it is sound; none if it is no JSON.
    pub value: Option<T>,
    /// What is wrong with its form.
    pub trouble: Option<Trouble>,
    /// Where the stem lies in `file`: asked for so often that it is looked for once.
    stem: std::ops::Range<usize>,
}

impl<'a, T: Record + Deserialize<'a>> Sheet<'a, T> {
    /// Reads a text.
    pub fn read(file: impl Into<std::borrow::Cow<'a, str>>, text: &'a [u8]) -> Self {
        let file = file.into();
        let stem = stem_in(&file);
        // serde's derived structs would take a list too.
        if text.trim_ascii_start().first() == Some(&b'{')
            && let Ok(value) = serde_json::from_slice::<T>(text)
            && value.is_plainly_sound()
        {
            return Sheet {
                file,
                text,
                value: Some(value),
                trouble: None,
                stem,
            };
        }
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(fault) => {
                return Sheet {
                    file,
                    text,
                    value: None,
                    trouble: Some(Trouble::Fault(fault)),
                    stem,
                };
            }
        };
        let reading = shape::read(
            &document,
            T::SHAPE,
            file.get(stem.clone()).unwrap_or_default(),
        );
        // The value has been held against the shape, so the types take it; the test of shapes and types keeps that so.
        let value = T::deserialize(reading.value).ok();
        let trouble = (!reading.flaws.is_empty()).then_some(Trouble::Flaws(reading.flaws));
        Sheet {
            file,
            text,
            value,
            trouble,
            stem,
        }
    }
}

impl<T> Sheet<'_, T> {
    /// The file's name without folder and `.json`: the id that counts.
    pub fn stem(&self) -> &str {
        self.file.get(self.stem.clone()).unwrap_or_default()
    }

    /// Tells whether the field at a pointer is sound, so that a rule about it says nothing twice.
    pub fn trusts(&self, pointer: &str) -> bool {
        match &self.trouble {
            None => true,
            Some(Trouble::Fault(_)) => false,
            Some(Trouble::Flaws(flaws)) => !flaws.iter().any(|flaw| match &flaw.kind {
                shape::FlawKind::Missing(name, _) => format!("{}/{name}", flaw.pointer) == pointer,
                // What is said of a value holds for all that should be in it; of a file that is no object, for all.
                _ => pointer
                    .strip_prefix(flaw.pointer.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            }),
        }
    }
}

/// The name of a file without its folder and its `.json`.
pub fn stem(file: &str) -> &str {
    file.get(stem_in(file)).unwrap_or(file)
}

fn stem_in(file: &str) -> std::ops::Range<usize> {
    let start = file.rfind('/').map_or(0, |slash| slash + 1);
    let end = file.strip_suffix(".json").map_or(file.len(), str::len);
    start..end.max(start)
}

const LONG_NUMBER: u64 = 86_400;

fn short(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most
}

fn word(text: &str) -> bool {
    short(text, 200) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn small(number: Option<u64>) -> bool {
    number.is_none_or(|number| (1..=LONG_NUMBER).contains(&number))
}

fn id(text: Option<&str>) -> bool {
    text.is_none_or(is_id)
}

impl<S: AsRef<str>> Record for Cell<S> {
    const SHAPE: &'static Shape = &shape::CELL;
    fn is_plainly_sound(&self) -> bool {
        crate::base::ids::is_uuid(self.cell_id.as_ref())
            && short(self.mission_name.as_ref(), 200)
            && short(self.created_by.as_ref(), 200)
            && small(self.max_agents)
            && small(self.timeout)
            && self
                .policies
                .as_ref()
                .is_none_or(|policies| small(policies.checkpoint_interval))
    }
}

impl<S: AsRef<str>> Record for Agent<S> {
    const SHAPE: &'static Shape = &shape::AGENT;
    fn is_plainly_sound(&self) -> bool {
        is_id(self.agent_id.as_ref())
            && short(self.name.as_ref(), 200)
            && self.capabilities.iter().all(|capability| word(capability.as_ref()))
            && self.gateway.as_ref().is_none_or(|gateway| short(gateway.as_ref(), 4096))
            && id(self.current_task.as_ref().map(AsRef::as_ref))
            && self.checkpoint.as_ref().is_none_or(|checkpoint| {
                let hash = checkpoint.context_hash.as_ref().map(AsRef::as_ref);
                hash.is_none_or(|hash| hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
                    && checkpoint.artifacts.iter().all(|name| short(name.as_ref(), 4096))
            })
            // Rare enough for the thorough way.
            && self.run.is_none()
            && self.health.is_none()
    }
}

impl<S: AsRef<str>> Record for Task<S> {
    const SHAPE: &'static Shape = &shape::TASK;
    fn is_plainly_sound(&self) -> bool {
        is_id(self.task_id.as_ref())
            && short(self.title.as_ref(), 1000)
            && self
                .description
                .as_ref()
                .is_none_or(|text| text.as_ref().len() <= 65_536)
            && id(self.assigned_to.as_ref().map(AsRef::as_ref))
            && self.dependencies.iter().all(|task| is_id(task.as_ref()))
            && self.artifacts.iter().all(|name| short(name.as_ref(), 4096))
            && small(self.timeout)
            && self
                .claim
                .as_ref()
                .is_none_or(|claim| is_id(claim.agent.as_ref()))
            // A duplicate key inside would go unseen.
            && !self.result.as_ref().is_some_and(|result| result.is_object() || result.is_array())
            && self
                .required_capabilities
                .iter()
                .all(|capability| word(capability.as_ref()))
    }
}

impl<S: AsRef<str>> Record for Policies<S> {
    const SHAPE: &'static Shape = &shape::POLICIES;
    fn is_plainly_sound(&self) -> bool {
        small(self.revive_timeout)
            && self.max_retries.is_none_or(|retries| retries <= 1000)
            && self
                .substitute_agents
                .iter()
                .flatten()
                .all(|agent| is_id(agent.as_ref()))
    }
}

impl<S: AsRef<str>> Record for Isolation<S> {
    const SHAPE: &'static Shape = &shape::ISOLATION;
    fn is_plainly_sound(&self) -> bool {
        let amounts = self.resource_limits.as_ref().is_none_or(|limits| {
            let bytes = |amount: Option<&S>| {
                amount.is_none_or(|text| {
                    text.as_ref()
                        .parse::<crate::mission::amount::Bytes>()
                        .is_ok()
                })
            };
            limits.cpu.as_ref().is_none_or(|text| {
                text.as_ref()
                    .parse::<crate::mission::amount::Cores>()
                    .is_ok()
            }) && bytes(limits.memory.as_ref())
                && bytes(limits.disk.as_ref())
        });
        amounts
            && self.security_context.as_ref().is_none_or(|context| {
                let known =
                    |name: &S| crate::mission::isolation::CAPABILITIES.contains(&name.as_ref());
                context.user.as_ref().is_none_or(|user| word(user.as_ref()))
                    && context
                        .group
                        .as_ref()
                        .is_none_or(|group| word(group.as_ref()))
                    && context.capabilities.iter().all(known)
            })
            && self.image.is_none()
            && self.read_only_paths.is_empty()
            && self.writable_paths.is_empty()
            && self.environment.is_empty()
    }
}

impl<S: AsRef<str>> Record for Permissions<S> {
    const SHAPE: &'static Shape = &shape::PERMISSIONS;
    fn is_plainly_sound(&self) -> bool {
        let of_ids = |list: &Option<Vec<S>>| {
            let is_thing = |thing: &S| thing.as_ref() == "*" || is_id(thing.as_ref());
            list.iter().flatten().all(is_thing)
        };
        self.0.iter().all(|(agent, entry)| {
            let lists = [
                &entry.read,
                &entry.write,
                &entry.execute,
                &entry.handoff_to,
                &entry.handoff_from,
            ];
            is_id(agent.as_ref()) && lists.into_iter().all(of_ids)
        })
    }
}

/// The six kinds as scans hold them.
pub type CellSheet<'a> = Sheet<'a, Cell<Text<'a>>>;
/// An agent's file.
pub type AgentSheet<'a> = Sheet<'a, Agent<Text<'a>>>;
/// A task's file.
pub type TaskSheet<'a> = Sheet<'a, Task<Text<'a>>>;
/// `config/isolation.json`.
pub type IsolationSheet<'a> = Sheet<'a, Isolation<Text<'a>>>;
/// `config/policies.json`.
pub type PoliciesSheet<'a> = Sheet<'a, Policies<Text<'a>>>;
/// `config/permissions.json`.
pub type PermissionsSheet<'a> = Sheet<'a, Permissions<Text<'a>>>;
