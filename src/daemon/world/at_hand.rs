//! Who is seen to just now: never two at one agent, and no more than two at a time.

use crate::base::ids::{AgentId, CellId};
use std::collections::HashMap;
use std::time::Duration;

/// How many agents are being started at a time.
pub const SLOTS: usize = 2;
/// After how long what could not be done is tried again.
pub const AGAIN: Duration = Duration::from_secs(5);

/// One agent in its cell.
pub type Whom = (CellId, AgentId);

/// The agents that somebody is at, or was at in vain: none while somebody is, else when it may be tried again.
#[derive(Debug)]
pub struct AtHand<T>(HashMap<Whom, Option<T>>);

impl<T> Default for AtHand<T> {
    fn default() -> Self {
        AtHand(HashMap::new())
    }
}

impl<T: Copy + PartialOrd> AtHand<T> {
    /// Takes an agent in hand, unless somebody is at it, or it is too early after what failed. Tells whether it did.
    pub fn take(&mut self, whom: &Whom, now: T) -> bool {
        let is_free = match self.0.get(whom) {
            None => true,
            Some(Some(again)) => *again <= now,
            Some(None) => false,
        };
        if is_free {
            self.0.insert(whom.clone(), None);
        }
        is_free
    }

    /// Leaves it again. `again`: when it may be tried again, if it could not be done.
    pub fn leave(&mut self, whom: &Whom, again: Option<T>) {
        match again {
            None => self.0.remove(whom),
            again => self.0.insert(whom.clone(), again),
        };
    }
}
