//! Signs as they are found by whoever looks once in a while, and does not listen all the time: what was not heard may have
//! been said, and no grace is given where nobody waits.

use super::{Case, Signs};
use crate::health::Up;

/// Nobody listens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Deaf {
    /// Since when.
    since: Up,
    /// Whether its gateway was asked all the same.
    is_asked: bool,
}

impl Signs {
    /// A life of which nothing is known yet. What it does not say, nobody missed.
    pub fn unwatched(incarnation: u64, now: Up) -> Self {
        Signs {
            incarnation,
            floor: now,
            ..Signs::default()
        }
    }

    /// It was known at that moment already: silence counts from there.
    pub fn known_since(&mut self, then: Up) {
        self.floor = self.floor.min(then);
    }

    /// Nobody listened since then. What was missing by then stays missing.
    pub fn nobody_listened_since(&mut self, case: &Case, then: Up) {
        self.settle(case, then);
        self.deaf = Some(Deaf {
            since: then,
            is_asked: false,
        });
    }

    /// Its gateway was asked: what is made of the answers is of now.
    pub(super) fn was_asked(&mut self) {
        if let Some(deaf) = &mut self.deaf {
            deaf.is_asked = true;
        }
    }

    /// Since when its gateway was not asked, where nobody does.
    pub(super) fn unasked_since(&self) -> Option<Up> {
        self.deaf
            .filter(|deaf| !deaf.is_asked)
            .map(|deaf| deaf.since)
    }

    /// Until when somebody listened to a silence that began then. What is on file since is heard whenever somebody looks.
    pub(super) fn heard_until(&self, since: Up, now: Up) -> Up {
        match self.deaf {
            Some(deaf) if since <= deaf.since => deaf.since.min(now),
            _ => now,
        }
    }
}
