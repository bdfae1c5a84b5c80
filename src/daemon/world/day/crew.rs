//! The agents of the day as they really are: their processes, what ails them, and the gateways that they share.

use super::super::model::Chance;
use super::disk::Folder;
use crate::base::ids::AgentId;

/// What ails an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ill {
    /// Each life ends, so many milliseconds after it began.
    Ends(End, u64),
    /// Each life is silent: it lives, and gives no sign.
    Mute,
    /// It cannot be started.
    CannotStart,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Code(i32),
    Signal(i32),
    /// Its runner is killed, and what it ran lives on without it.
    RunnerKilled,
}

/// One process of an agent.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) incarnation: u64,
    /// Whether its runner lives, and so holds its lock.
    pub(super) has_runner: bool,
    /// It gives no sign until then.
    pub(super) frozen_until: u64,
}

/// One agent as it really is.
#[derive(Debug)]
pub(super) struct Real {
    pub(super) id: AgentId,
    /// Whether it beats.
    pub(super) beats: bool,
    pub(super) gateway: Option<usize>,
    /// Milliseconds that it takes to end when it is asked to.
    pub(super) ends_in: u64,
    /// What ails it, and until when.
    pub(super) ill: Option<(Ill, u64)>,
    pub(super) lives: Vec<Life>,
}

impl Real {
    pub(super) fn new(chance: &mut Chance, folder: &Folder) -> Self {
        Real {
            id: folder.id.clone(),
            beats: folder.watch.is_some(),
            gateway: folder.gateway,
            ends_in: if chance.once_in(4) { 10_000 } else { 20 },
            ill: None,
            lives: Vec::new(),
        }
    }

    /// What ails it now.
    pub(super) fn ails(&self, now: u64) -> Option<Ill> {
        self.ill
            .filter(|(_, until)| now < *until)
            .map(|(ill, _)| ill)
    }

    pub(super) fn life(&mut self, incarnation: u64) -> Option<&mut Life> {
        self.lives
            .iter_mut()
            .find(|life| life.incarnation == incarnation)
    }

    /// Whether its runner's lock is held.
    pub(super) fn is_alive(&self) -> bool {
        self.lives.iter().any(|life| life.has_runner)
    }

    /// Whether it works, and its gateway with it.
    pub(super) fn is_well(&self, now: u64, gateways: &[u64]) -> bool {
        let works = |life: &Life| life.has_runner && life.frozen_until <= now;
        let answers = self.gateway.is_none_or(|number| gateways[number] <= now);
        answers && self.ails(now).is_none() && self.lives.iter().any(works)
    }
}

/// Something that befalls an agent: what ails it from now on, and for how long. Silence is no ailment of one that gives no
/// signs.
pub(super) fn ailment(chance: &mut Chance, beats: bool) -> (Ill, u64) {
    let end = match chance.below(8) {
        0 => End::Code(1),
        1 => End::Code(0),
        2 | 3 => End::Code(75),
        4 => End::Code(78),
        5 => End::Signal(11),
        6 => End::Signal(9),
        _ => End::RunnerKilled,
    };
    let longest = if chance.once_in(2) { 3_000 } else { 90_000 };
    let ill = match chance.below(10) {
        0..=6 => Ill::Ends(end, 10 + chance.below(longest)),
        7 | 8 if beats => Ill::Mute,
        _ => Ill::CannotStart,
    };
    let lasts = match chance.below(3) {
        0 => 0,
        1 => 1_000 * chance.below(600),
        _ => 1_000 * chance.below(2 * 3_600),
    };
    (ill, lasts)
}
