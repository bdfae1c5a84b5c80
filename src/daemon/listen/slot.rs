//! One connection, as its task, its stream, its answers and the tick see it.

use super::table::TICKS_A_SECOND;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

/// How many connections may keep hyper's part, 20 KiB each, between two requests.
const EQUIPPED: usize = 512;

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
    /// How many ticks it may last. Of sending, without a byte that goes.
    pub(super) const fn limit(self) -> Option<u32> {
        let seconds = match self {
            Phase::Head | Phase::Body => 5,
            Phase::Idle => 60,
            Phase::Sending => 10,
            Phase::Leaving => 2,
            Phase::Working | Phase::Listening => return None,
        };
        Some(seconds * TICKS_A_SECOND)
    }

    /// Which goes first when there is no more room; none goes of whom an answer is made or sent.
    pub(super) const fn rank(self) -> Option<u8> {
        match self {
            Phase::Head | Phase::Idle | Phase::Leaving => Some(0),
            // Else whoever sends half of a body, often enough, would keep everybody out.
            Phase::Body => Some(1),
            Phase::Working | Phase::Sending | Phase::Listening => None,
        }
    }
}

/// What all connections count together.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The tick.
    pub(super) now: Cell<u32>,
    /// How often a connection went on to something else.
    turns: Cell<u64>,
    /// How many connections have hyper's part.
    equipped: Cell<usize>,
    /// Bytes of answers that are made and not sent.
    pub(super) unsent: Cell<usize>,
}

fn add(cell: &Cell<usize>, number: usize) {
    cell.set(cell.get() + number);
}

fn take(cell: &Cell<usize>, number: usize) {
    cell.set(cell.get().saturating_sub(number));
}

/// One connection.
#[derive(Debug)]
pub(super) struct Slot {
    /// Its place in the table.
    pub(super) number: usize,
    phase: Cell<Phase>,
    /// The tick at which it began with that, or at which bytes went.
    pub(super) since: Cell<u32>,
    /// Tells which of two that began in the same tick began first.
    pub(super) turn: Cell<u64>,
    shared: Rc<Shared>,
    is_ended: Cell<bool>,
    wants_parking: Cell<bool>,
    wants_comment: Cell<bool>,
    unsent: Cell<usize>,
    /// Whether all of the present answer was handed to hyper.
    pub(super) is_said: Cell<bool>,
    /// Whether a message of it has two lengths.
    pub(super) is_ambiguous: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// One that awaits its first head from now on.
    pub(super) fn new(number: usize, shared: &Rc<Shared>) -> Self {
        let slot = Slot {
            number,
            phase: Cell::new(Phase::Head),
            since: Cell::new(0),
            turn: Cell::new(0),
            shared: shared.clone(),
            is_ended: Cell::new(false),
            wants_parking: Cell::new(false),
            wants_comment: Cell::new(false),
            unsent: Cell::new(0),
            is_said: Cell::new(false),
            is_ambiguous: Cell::new(false),
            waker: RefCell::new(None),
        };
        slot.enter(Phase::Head);
        slot
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Goes on to something else, from now.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.moved();
        let turns = &self.shared.turns;
        self.turn.set(turns.replace(turns.get() + 1));
    }

    /// Notes that bytes went.
    pub(super) fn moved(&self) {
        self.since.set(self.shared.now.get());
    }

    /// An answer of so many bytes is to be sent.
    pub(super) fn owes(&self, bytes: usize) {
        add(&self.unsent, bytes);
        add(&self.shared.unsent, bytes);
    }

    /// Its answers are out, or will never be.
    fn settle(&self) {
        take(&self.shared.unsent, self.unsent.take());
    }

    /// The present answer is out.
    pub(super) fn sent(&self, context: &Context<'_>, next: Phase) {
        self.settle();
        self.enter(next);
        // Where there are few, the next request finds all as it was.
        if self.shared.equipped.get() > EQUIPPED {
            self.wants_parking.set(true);
            context.waker().wake_by_ref();
        }
    }

    /// Asks its task to end; false if it was asked before.
    pub(super) fn end(&self) -> bool {
        let is_first = !self.is_ended.replace(true);
        self.wake();
        is_first
    }

    /// Whether its task was asked to end.
    pub(super) fn was_ended(&self) -> bool {
        self.is_ended.get()
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether its task is to end. Its task is woken when that changes.
    pub(super) fn is_ended(&self, context: &Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        let is_known = waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()));
        if !is_known {
            *waker = Some(context.waker().clone());
        }
        self.is_ended.get()
    }

    /// Asks its task to give its buffers back.
    pub(super) fn park(&self) {
        self.wants_parking.set(true);
        self.wake();
    }

    /// Whether it is to give its buffers back; said once.
    pub(super) fn takes_parking(&self) -> bool {
        self.wants_parking.take() && matches!(self.phase.get(), Phase::Idle | Phase::Head)
    }

    /// Asks for a comment on its stream.
    pub(super) fn comment(&self) {
        self.moved();
        self.wants_comment.set(true);
        self.wake();
    }

    /// Whether a comment is due on its stream; said once.
    pub(super) fn takes_comment(&self) -> bool {
        self.wants_comment.take()
    }

    /// Notes that it has hyper's part, for as long as this lives.
    pub(super) fn equip(self: &Rc<Self>) -> Equipped {
        add(&self.shared.equipped, 1);
        Equipped(self.clone())
    }
}

/// Hyper's part of a connection.
#[derive(Debug)]
pub(super) struct Equipped(Rc<Slot>);

impl Drop for Equipped {
    fn drop(&mut self) {
        take(&self.0.shared.equipped, 1);
        self.0.settle();
    }
}
