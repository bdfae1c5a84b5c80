//! All connections, what each is at and since when, and the one clock that ends those that take too long.
//!
//! A timer for each request would cost more than the request. A tick passes over the table instead, and only while there is
//! a connection at all: a daemon nobody speaks to is not woken.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::sync::Notify;

/// How often the table is passed over. A limit is kept to within one tick.
pub(super) const TICK: Duration = Duration::from_millis(250);
const TICKS_A_SECOND: u32 = 4;

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A head is awaited: the first one, or one of which a byte has come.
    Head,
    /// Between two requests.
    Idle,
    /// A body is awaited.
    Body,
    /// Its answer is being made.
    Working,
    /// Its answer is being sent.
    Sending,
    /// It hears events.
    Listening,
    /// It is over; what was sent to no purpose is read away, so that the answer is not lost to a reset.
    Leaving,
}

impl Phase {
    /// How many seconds it may last. Of sending, without a byte that goes.
    const fn limit(self) -> Option<u32> {
        match self {
            Phase::Head | Phase::Body => Some(5),
            Phase::Idle => Some(60),
            Phase::Sending => Some(10),
            Phase::Leaving => Some(2),
            Phase::Working | Phase::Listening => None,
        }
    }
}

impl Phase {
    /// Which goes first when there is no more room; none goes of whom an answer is made or sent.
    const fn rank(self) -> Option<u8> {
        match self {
            Phase::Head | Phase::Idle | Phase::Leaving => Some(0),
            // Else whoever sends half of a body, often enough, would keep everybody out.
            Phase::Body => Some(1),
            Phase::Working | Phase::Sending | Phase::Listening => None,
        }
    }
}

/// How many may wait for the rest of a body at a time: each holds a buffer of hyper's, and what came so far.
const BODIES: usize = 1024;
/// How long between two requests until a connection gives its buffers back.
const PARKED_AFTER: u32 = TICKS_A_SECOND;
/// How long without an event until a comment says that the stream lives.
const COMMENT_AFTER: u32 = 15 * TICKS_A_SECOND;

/// The tick, and the number of changes so far.
#[derive(Debug, Default)]
struct Clock {
    now: Cell<u32>,
    turns: Cell<u64>,
}

impl Clock {
    fn turn(&self) -> u64 {
        self.turns.replace(self.turns.get() + 1)
    }
}

/// One connection, as its task, its stream, its answers and the tick see it.
#[derive(Debug)]
pub(super) struct Slot {
    number: usize,
    phase: Cell<Phase>,
    since: Cell<u32>,
    /// Tells which of two that began in the same tick began first.
    turn: Cell<u64>,
    clock: Rc<Clock>,
    is_ended: Cell<bool>,
    wants_parking: Cell<bool>,
    wants_comment: Cell<bool>,
    /// Whether all of the present answer was handed to hyper.
    pub(super) is_said: Cell<bool>,
    /// Whether a message of it has two lengths.
    pub(super) is_ambiguous: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Goes on to something else, from now.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.clock.now.get());
        self.turn.set(self.clock.turn());
    }

    /// Notes that bytes went.
    pub(super) fn moved(&self) {
        self.since.set(self.clock.now.get());
    }

    /// Asks its task to end.
    fn end(&self) {
        self.is_ended.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether its task is to end. Its task is woken when that changes.
    pub(super) fn is_ended(&self, context: &Context<'_>) -> bool {
        self.watch(context);
        self.is_ended.get()
    }

    fn watch(&self, context: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            *waker = Some(context.waker().clone());
        }
    }

    /// Whether it is to give its buffers back; said once.
    pub(super) fn takes_parking(&self) -> bool {
        self.wants_parking.take() && self.phase.get() == Phase::Idle
    }

    /// Whether a comment is due on its stream; said once.
    pub(super) fn takes_comment(&self) -> bool {
        self.wants_comment.take()
    }
}

/// All connections.
#[derive(Debug)]
pub(super) struct Table {
    slots: RefCell<Vec<Option<Rc<Slot>>>>,
    free: RefCell<Vec<usize>>,
    /// How many there are that were not asked to end.
    living: Cell<usize>,
    clock: Rc<Clock>,
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
            clock: Rc::default(),
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
        let slot = Rc::new(Slot {
            number,
            phase: Cell::new(Phase::Head),
            since: Cell::new(self.clock.now.get()),
            turn: Cell::new(self.clock.turn()),
            clock: self.clock.clone(),
            is_ended: Cell::new(false),
            wants_parking: Cell::new(false),
            wants_comment: Cell::new(false),
            is_said: Cell::new(false),
            is_ambiguous: Cell::new(false),
            waker: RefCell::new(None),
        });
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
        self.end_first(Phase::rank)
    }

    /// Ends the connection of the lowest rank that has been in its phase for longest.
    fn end_first(&self, rank: impl Fn(Phase) -> Option<u8>) -> bool {
        let slots = self.slots.borrow();
        let living = slots.iter().flatten().filter(|slot| !slot.is_ended.get());
        let first = living
            .filter_map(|slot| Some((rank(slot.phase.get())?, slot.turn.get(), slot)))
            .min_by_key(|(rank, turn, _)| (*rank, *turn));
        if let Some((_, _, slot)) = first {
            self.end(slot);
        }
        first.is_some()
    }

    /// Notes that one more waits for the rest of a body. If those are too many, the one that waits for longest goes.
    pub(super) fn wait_for_body(&self) -> Waiting<'_> {
        self.waiting.set(self.waiting.get() + 1);
        if self.waiting.get() > BODIES {
            self.end_first(|phase| (phase == Phase::Body).then_some(0));
        }
        Waiting(self)
    }

    fn end(&self, slot: &Slot) {
        if !slot.is_ended.get() {
            self.living.set(self.living.get() - 1);
            slot.end();
        }
    }

    /// Ends what waits for a request and what hears events, and gives how many answers are still being made or sent.
    pub(super) fn end_all_but_answers(&self) -> usize {
        let mut left = 0;
        self.each(|slot| match slot.phase.get() {
            Phase::Body | Phase::Working | Phase::Sending if !slot.is_ended.get() => left += 1,
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
        let now = self.clock.now.get().wrapping_add(1);
        self.clock.now.set(now);
        self.each(|slot| {
            if slot.is_ended.get() {
                return;
            }
            let lasted = now.wrapping_sub(slot.since.get());
            let phase = slot.phase.get();
            if phase
                .limit()
                .is_some_and(|limit| lasted > limit * TICKS_A_SECOND)
            {
                self.end(slot);
            } else if phase == Phase::Idle && lasted == PARKED_AFTER {
                slot.wants_parking.set(true);
                slot.wake();
            } else if phase == Phase::Listening && lasted >= COMMENT_AFTER {
                slot.moved();
                slot.wants_comment.set(true);
                slot.wake();
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
        if !self.slot.is_ended.get() {
            self.table.living.set(self.table.living.get() - 1);
        }
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

    #[test]
    fn the_oldest_without_a_whole_head_goes_when_the_table_is_full() {
        let table = Rc::new(Table::new(3));
        let guests: Vec<_> = (0..3).map(|_| table.admit().unwrap()).collect();
        guests[0].slot.enter(Phase::Working);
        guests[2].slot.enter(Phase::Idle);
        let context = Context::from_waker(Waker::noop());
        let ended = |guests: &[Guest]| -> Vec<bool> {
            guests
                .iter()
                .map(|guest| guest.slot.is_ended(&context))
                .collect()
        };
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
}
