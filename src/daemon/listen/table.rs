//! All connections, and the one clock that ends those that take too long.
//!
//! A timer for each request would cost more than the request. A tick passes over the table instead, and only while there is
//! a connection at all: a daemon nobody speaks to is not woken.

use super::slot::{Phase, Shared, Slot};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

/// How often the table is passed over. A limit is kept to within one tick.
const TICK: Duration = Duration::from_millis(250);
/// So often.
pub(super) const TICKS_A_SECOND: u32 = 4;

/// How long without a byte until a connection gives its buffers back.
const PARKED_AFTER: u32 = TICKS_A_SECOND;
/// How long without an event until a comment says that the stream lives.
const COMMENT_AFTER: u32 = 15 * TICKS_A_SECOND;
/// How many may wait for the rest of a body at a time: each holds a buffer of hyper's, and what came so far.
const BODIES: usize = 1024;
/// How many bytes of answers may wait for those who do not read them.
const UNSENT: usize = 24 << 20;

/// All connections.
#[derive(Debug)]
pub(super) struct Table {
    slots: RefCell<Vec<Option<Rc<Slot>>>>,
    free: RefCell<Vec<usize>>,
    /// How many there are that were not asked to end.
    living: Cell<usize>,
    shared: Rc<Shared>,
    most: usize,
    /// How many wait for the rest of a body.
    waiting: Cell<usize>,
    filled: Notify,
}

impl Table {
    /// An empty table for so many connections.
    pub(super) fn new(most: usize) -> Self {
        Table {
            slots: RefCell::default(),
            free: RefCell::default(),
            living: Cell::new(0),
            shared: Rc::default(),
            most,
            waiting: Cell::new(0),
            filled: Notify::new(),
        }
    }

    /// Makes room for one more connection, whose first head is awaited from now. None if of each that is there an answer
    /// is made or sent.
    pub(super) fn admit(self: &Rc<Self>) -> Option<Guest> {
        if self.living.get() >= self.most && !self.drop_oldest() {
            return None;
        }
        let number = self.free.borrow_mut().pop();
        let mut slots = self.slots.borrow_mut();
        let number = number.unwrap_or_else(|| {
            slots.push(None);
            slots.len() - 1
        });
        let slot = Rc::new(Slot::new(number, &self.shared));
        if let Some(place) = slots.get_mut(number) {
            *place = Some(slot.clone());
        }
        if self.living.replace(self.living.get() + 1) == 0 {
            self.filled.notify_one();
        }
        Some(Guest {
            slot,
            table: self.clone(),
        })
    }

    fn each(&self, mut see: impl FnMut(&Slot)) {
        for slot in self.slots.borrow().iter().flatten() {
            see(slot);
        }
    }

    /// Ends the connection that has been without a whole head for longest; if there is none, the one that has been without
    /// a whole body for longest. False if there is neither.
    pub(super) fn drop_oldest(&self) -> bool {
        self.end_first(|slot| slot.phase().rank())
    }

    /// Ends the connection of the lowest rank that has been in its phase for longest.
    fn end_first(&self, rank: impl Fn(&Slot) -> Option<u8>) -> bool {
        let slots = self.slots.borrow();
        let living = slots.iter().flatten().filter(|slot| !slot.was_ended());
        let first = living
            .filter_map(|slot| Some((rank(slot)?, slot.turn.get(), slot)))
            .min_by_key(|(rank, turn, _)| (*rank, *turn));
        if let Some((_, _, slot)) = first {
            self.end(slot);
        }
        first.is_some()
    }

    fn end(&self, slot: &Slot) {
        if slot.end() {
            self.living.set(self.living.get() - 1);
        }
    }

    /// Notes that one more waits for the rest of a body. If those are too many, the one that waits for longest goes.
    pub(super) fn wait_for_body(&self) -> Waiting<'_> {
        self.waiting.set(self.waiting.get() + 1);
        if self.waiting.get() > BODIES {
            self.end_first(|slot| (slot.phase() == Phase::Body).then_some(0));
        }
        Waiting(self)
    }

    /// An answer of so many bytes is to be sent. If too much waits for those who do not read, the one that is sent to for
    /// longest goes, and not this one.
    pub(super) fn owe(&self, slot: &Slot, bytes: usize) {
        slot.owes(bytes);
        if self.shared.unsent.get() > UNSENT {
            let own = slot.number;
            self.end_first(|slot| {
                (slot.phase() == Phase::Sending && slot.number != own).then_some(0)
            });
        }
    }

    /// Ends what waits for a request and what hears events, and gives how many answers are still being made or sent.
    pub(super) fn end_all_but_answers(&self) -> usize {
        let mut left = 0;
        self.each(|slot| match slot.phase() {
            Phase::Body | Phase::Working | Phase::Sending if !slot.was_ended() => left += 1,
            _ => self.end(slot),
        });
        left
    }

    /// Passes over the table for ever.
    pub(super) async fn keep_limits(self: Rc<Self>) {
        loop {
            if self.living.get() == 0 {
                self.filled.notified().await;
            }
            tokio::time::sleep(TICK).await;
            self.pass();
        }
    }

    fn pass(&self) {
        let now = self.shared.now.get().wrapping_add(1);
        self.shared.now.set(now);
        self.each(|slot| {
            let phase = slot.phase();
            let lasted = now.wrapping_sub(slot.since.get());
            if phase.limit().is_some_and(|limit| lasted > limit) {
                self.end(slot);
            } else if matches!(phase, Phase::Idle | Phase::Head) && lasted == PARKED_AFTER {
                slot.park();
            } else if phase == Phase::Listening && lasted >= COMMENT_AFTER {
                slot.comment();
            }
        });
    }
}

/// Somebody who waits for the rest of a body.
#[derive(Debug)]
pub(super) struct Waiting<'t>(&'t Table);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

/// A connection's place in the table, for as long as its task lives.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) slot: Rc<Slot>,
    table: Rc<Table>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.table.end(&self.slot);
        let mut slots = self.table.slots.borrow_mut();
        if let Some(place) = slots.get_mut(self.slot.number) {
            *place = None;
        }
        self.table.free.borrow_mut().push(self.slot.number);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that finds less has failed")]
mod tests {
    use super::*;

    fn ended(guests: &[Guest]) -> Vec<bool> {
        guests.iter().map(|guest| guest.slot.was_ended()).collect()
    }

    fn three() -> (Rc<Table>, Vec<Guest>) {
        let table = Rc::new(Table::new(3));
        let guests = (0..3).map(|_| table.admit().unwrap()).collect();
        (table, guests)
    }

    #[test]
    fn the_oldest_without_a_whole_head_goes_when_the_table_is_full() {
        let (table, guests) = three();
        guests[0].slot.enter(Phase::Working);
        guests[2].slot.enter(Phase::Idle);
        let fourth = table.admit().unwrap();
        assert_eq!(ended(&guests), [false, true, false]);
        let fifth = table.admit().unwrap();
        assert_eq!(ended(&guests), [false, true, true]);
        fourth.slot.enter(Phase::Body);
        let sixth = table.admit().unwrap();
        assert_eq!(ended(&[fourth, fifth]), [false, true]);
        sixth.slot.enter(Phase::Sending);
        let seventh = table.admit().unwrap();
        seventh.slot.enter(Phase::Working);
        assert!(table.admit().is_none());
        drop(guests);
        assert!(table.admit().is_some());
    }

    #[test]
    fn who_does_not_read_goes_when_too_much_waits_to_be_read() {
        let (table, guests) = three();
        let owe = |number: usize, bytes| {
            guests[number].slot.enter(Phase::Sending);
            table.owe(&guests[number].slot, bytes);
        };
        // However large one is alone.
        owe(0, UNSENT * 2);
        assert_eq!(ended(&guests), [false; 3]);
        owe(1, 1);
        assert_eq!(ended(&guests), [true, false, false]);
        drop(guests[0].slot.equip());
        assert_eq!(table.shared.unsent.get(), 1);
        owe(2, 1);
        assert_eq!(ended(&guests), [true, false, false]);
    }

    #[test]
    fn each_phase_lasts_as_long_as_it_may() {
        let (table, guests) = three();
        guests[1].slot.enter(Phase::Idle);
        guests[2].slot.enter(Phase::Working);
        for _ in 0..5 * TICKS_A_SECOND {
            table.pass();
        }
        assert_eq!(ended(&guests), [false; 3]);
        table.pass();
        assert_eq!(ended(&guests), [true, false, false]);
        for _ in 0..60 * TICKS_A_SECOND {
            table.pass();
        }
        assert_eq!(ended(&guests), [true, true, false]);
    }
}
