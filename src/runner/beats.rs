//! The signs of life that a runner notes of its agent: what that says over its socket, and that its log grows. A sign is one
//! small write, and there are never more than one of a kind in a while: what comes meanwhile is noted when that is over.

use super::notify::Said;
use super::order::Order;
use crate::base::boot;
use crate::base::boot::Clocks;
use crate::base::clock::Clock;
use crate::mission::beat::{Beat, Kind, Says};
use crate::store::beat;
use crate::store::folder::Folder;
use serde_json::Map;
use std::time::{Duration, Instant};

/// Between two signs of one kind.
const SOON: Duration = Duration::from_secs(1);
/// Between two signs that a log grows, at most.
const SELDOM: Duration = Duration::from_secs(10);

/// The signs of an agent.
#[derive(Debug)]
pub(super) struct Beats<'c> {
    cell: &'c Folder,
    order: &'c Order,
    notify: Line,
    output: Line,
}

/// The last sign of a kind.
#[derive(Debug)]
struct Line {
    /// Between two that are noted.
    pause: Duration,
    sign: Option<Beat>,
    /// When one was last noted.
    noted: Option<Instant>,
    /// Whether the last one is not noted yet.
    waits: bool,
}

impl Line {
    fn new(pause: Duration) -> Self {
        Line {
            pause,
            sign: None,
            noted: None,
            waits: false,
        }
    }

    /// When the last sign is to be noted, if it is not yet; not before `now`.
    fn due(&self, now: Instant) -> Option<Instant> {
        let at = self.noted.map_or(now, |noted| noted + self.pause);
        self.waits.then(|| at.max(now))
    }
}

impl<'c> Beats<'c> {
    /// None yet.
    pub(super) fn new(cell: &'c Folder, order: &'c Order) -> Self {
        // Who is dead after a short silence is heard of the more often; who is not is not worth a write each second.
        let often = order.output_timeout.map(|limit| {
            let tenth = Duration::from_secs(limit) / 10;
            tenth.clamp(SOON, SELDOM)
        });
        Beats {
            cell,
            order,
            notify: Line::new(SOON),
            output: Line::new(often.unwrap_or(SELDOM)),
        }
    }

    /// The agent said something over its socket.
    pub(super) fn said(&mut self, said: &Said) {
        let now = self.now(Kind::Notify);
        let sign = match self.notify.sign.take() {
            Some(sign) => sign,
            None => Beat {
                says: Says::Words,
                ..now.clone()
            },
        };
        // A ping that is not noted yet is not lost in what comes after it.
        let has_pinged = self.notify.waits && sign.says == Says::Lives;
        let says = if said.pings || (said.is_ready && has_pinged) {
            Says::Lives
        } else if said.is_ready {
            Says::Ready
        } else {
            sign.says
        };
        let is_sign = said.pings || said.is_ready || says == Says::Words;
        let quiet = now
            .up
            .saturating_add(self.order.stop_timeout.saturating_mul(1000));
        let sign = Beat {
            up: if is_sign { now.up } else { sign.up },
            says,
            status: said.status.clone().or(sign.status),
            quiet_until: said.stops.then_some(quiet).or(sign.quiet_until),
            ..now
        };
        self.notify.sign = Some(sign);
        self.notify.waits = true;
        self.note();
    }

    /// The agent's log grew.
    pub(super) fn wrote(&mut self) {
        self.output.sign = Some(self.now(Kind::Output));
        self.output.waits = true;
        self.note();
    }

    /// Notes what is due.
    pub(super) fn note(&mut self) {
        let now = Instant::now();
        let (cell, order) = (self.cell, self.order);
        for line in [&mut self.notify, &mut self.output] {
            if line.due(now) == Some(now) {
                note(cell, order, line, now);
            }
        }
    }

    /// Notes everything: there is no later.
    pub(super) fn note_all(&mut self) {
        let (cell, order) = (self.cell, self.order);
        for line in [&mut self.notify, &mut self.output] {
            if line.waits {
                note(cell, order, line, Instant::now());
            }
        }
    }

    /// When something is to be noted that is not yet.
    pub(super) fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        let due = [self.notify.due(now), self.output.due(now)];
        due.into_iter().flatten().min()
    }

    fn now(&self, kind: Kind) -> Beat {
        Beat {
            up: Clocks::now(Clock::System).up,
            boot: boot::id().map(str::to_owned),
            incarnation: Some(self.order.incarnation),
            kind,
            says: Says::Lives,
            status: None,
            progress: None,
            quiet_until: None,
            metadata: Map::new(),
        }
    }
}

fn note(cell: &Folder, order: &Order, line: &mut Line, now: Instant) {
    line.noted = Some(now);
    let Some(sign) = &mut line.sign else { return };
    // What a status has no room for is left out of it.
    while sign.line().is_err() {
        let Some(status) = sign.status.take().filter(|status| !status.is_empty()) else {
            break;
        };
        let half = status.chars().count() / 2;
        sign.status = Some(status.chars().take(half).collect());
    }
    // Where the disk takes none it is tried again after the next pause.
    line.waits = beat::write(cell, &order.agent, sign).is_err();
}
