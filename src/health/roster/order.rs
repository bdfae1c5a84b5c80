//! What an agent is told with the answer to its beat.

use super::{Roster, Slot, Watched};
use crate::health::reason::Idle;
use crate::health::{Up, milliseconds};
use crate::mission::cell::CellStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Order {
    /// Finish what you are at, and begin nothing: you or your cell are paused.
    Drain,
    /// Save a checkpoint now.
    CheckpointNow,
    /// Stop: your mission is over.
    Stop,
}

impl Order {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Order::Drain => "drain",
            Order::CheckpointNow => "checkpoint_now",
            Order::Stop => "stop",
        }
    }
}

/// When the next checkpoint is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checkpoints {
    /// At this moment; none before the first look.
    due: Option<Up>,
    /// Whether the order waits for the next beat.
    is_ordered: bool,
}

impl Checkpoints {
    /// One was saved, or the agent was seen for the first time: the next is due a whole interval later.
    pub(super) fn saved(&mut self, interval: u64, now: Up) {
        *self = Checkpoints {
            due: Some(now.saturating_add(milliseconds(interval))),
            is_ordered: false,
        };
    }

    /// Orders one, if it is time.
    fn look(&mut self, interval: u64, now: Up) -> bool {
        if self.due.is_none_or(|due| now < due) {
            return false;
        }
        *self = Checkpoints {
            due: Some(now.saturating_add(milliseconds(interval))),
            is_ordered: true,
        };
        true
    }
}

impl Roster {
    /// Orders checkpoints where it is time; gives those of whom one is ordered.
    pub fn order_checkpoints(&mut self, now: Up) -> Vec<Slot> {
        let mut ordered = Vec::new();
        for housed in self.cells.values() {
            for slot in &housed.slots {
                let watched = self.slots.get_mut(slot.0 as usize).and_then(Option::as_mut);
                let interval = housed.census.checkpoint_interval;
                if watched.is_some_and(|one| {
                    one.case.idle.is_none() && one.checkpoints.look(interval, now)
                }) {
                    ordered.push(*slot);
                }
            }
        }
        ordered
    }
}

impl Watched {
    /// What it is told with every beat, as long as its cell and it are as they are.
    pub fn standing_order(&self) -> Option<Order> {
        match self.case.idle? {
            Idle::AgentPaused | Idle::Cell(Some(CellStatus::Paused)) => Some(Order::Drain),
            Idle::Cell(Some(CellStatus::Completed | CellStatus::Failed)) => Some(Order::Stop),
            Idle::Cell(_) | Idle::NotWanted | Idle::InHand | Idle::Ended(_) => None,
        }
    }

    /// The orders for the answer to a beat. A checkpoint is ordered once.
    pub fn take_orders(&mut self) -> Vec<Order> {
        let mut orders: Vec<Order> = self.standing_order().into_iter().collect();
        if std::mem::take(&mut self.checkpoints.is_ordered) {
            orders.push(Order::CheckpointNow);
        }
        orders
    }
}
