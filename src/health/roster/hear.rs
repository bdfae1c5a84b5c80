//! What is heard of an agent: beats, failures, answers of its gateway.

use super::{Order, Roster, Slot, Watched, seconds};
use crate::base::boot::Clocks;
use crate::health::Up;
use crate::health::probe::Answer;
use crate::health::signs::Signs;
use crate::mission::beat::{self, Kind, Says};
use serde_json::{Map, Value};
use std::time::Duration;

/// What may come with a beat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beat {
    /// The life that it is of, if it says so.
    pub incarnation: Option<u64>,
    /// What the agent calls its own status.
    pub status: Option<String>,
    /// Any number that rises as the work goes on.
    pub progress: Option<f64>,
    /// Seconds since 1970 until which it will be quiet; null ends that.
    pub quiet_until: Option<Option<f64>>,
    /// What it wants to be known of it, merged into what is known; null deletes.
    pub metadata: Map<String, Value>,
}

/// An accepted beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beaten {
    /// The life that it counts for.
    pub incarnation: u64,
    /// Seconds until the next one is due.
    pub interval: u64,
    /// What the agent is to do.
    pub orders: Vec<Order>,
}

/// Why a beat is not accepted. Nothing of it counts then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is of an older life than the present one, which is this.
    Fenced(u64),
    /// It is of a life that mcell has not begun.
    Unborn(u64),
    /// The metadata would be larger than may be, by so many bytes in all.
    TooMuch(usize),
    /// The agent is gone.
    Gone,
}

/// The most bytes of metadata that are kept of an agent.
pub const MOST_METADATA: usize = 4096;

impl Roster {
    /// A beat of an agent. Says first whether it counts, then changes anything.
    pub fn beat(&mut self, slot: Slot, beat: &Beat, now: Clocks) -> Result<Beaten, Refusal> {
        let watched = self.get_mut(slot).ok_or(Refusal::Gone)?;
        let merged = merged(&watched.heard.metadata, &beat.metadata)?;
        watched.check_life(beat.incarnation, now.up)?;
        watched.signs.beat(&watched.case, now.up);
        if let Some(quiet) = beat.quiet_until {
            let until = quiet.map(|until| up_at(until, now));
            watched.signs.announce_quiet(until, now.up);
        }
        if let Some(progress) = beat.progress {
            watched.signs.progressed(progress, now.up);
        }
        let heard = &mut watched.heard;
        (heard.beat, heard.contact) = (Some(now.wall), heard.contact.max(Some(now.wall)));
        if let Some(merged) = merged {
            heard.metadata = merged;
        }
        if beat.status.is_some() {
            heard.status.clone_from(&beat.status);
        }
        Ok(Beaten {
            incarnation: watched.signs.incarnation,
            interval: watched.case.settings.interval,
            orders: watched.take_orders(),
        })
    }

    /// A sign of life that came by file. None if it is no news: of another boot, or not newer than what is known.
    pub fn hear_file(
        &mut self,
        slot: Slot,
        sign: &beat::Beat,
        boot: Option<&str>,
        now: Clocks,
    ) -> Option<Result<(), Refusal>> {
        if sign.boot.as_deref() != boot || sign.up > now.up {
            return None;
        }
        let watched = self.get(slot)?;
        // What a runner wrote of a life before is there until the next one says something.
        let is_left = sign.incarnation < Some(watched.signs.incarnation);
        if is_left && sign.kind != Kind::Heartbeat {
            return None;
        }
        let known = watched.signs.last_on_file(sign.kind);
        let is_news = known.is_none_or(|known| known < sign.up);
        if !is_news && sign.kind != Kind::Notify {
            return None;
        }
        let ahead = |up: Up| i64::try_from(i128::from(up) - i128::from(now.up)).unwrap_or(i64::MAX);
        let wall = |up: Up| now.wall.saturating_add(ahead(up));
        let then = Clocks {
            up: sign.up,
            wall: wall(sign.up),
            awake: now.awake,
        };
        Some(match sign.kind {
            Kind::Heartbeat => {
                let said = Beat {
                    incarnation: sign.incarnation,
                    status: sign.status.clone(),
                    progress: sign.progress,
                    quiet_until: sign.quiet_until.map(|until| Some(seconds(wall(until)))),
                    metadata: sign.metadata.clone(),
                };
                self.beat(slot, &said, then).map(|_| ())
            }
            Kind::Notify => {
                let said = self.words(slot, sign, now);
                match (said, sign.says) {
                    (Ok(_), Says::Lives) if is_news => self.ping(slot, sign.incarnation, then),
                    (Ok(_), Says::Ready) if is_news => self.ready(slot, sign.incarnation, then),
                    (Ok(false), _) => return None,
                    (said, _) => said.map(drop),
                }
            }
            Kind::Output => self.wrote(slot, sign.incarnation, then),
        })
    }

    /// What its words beside a sign are, if that is news: what it does, and that it will be quiet.
    fn words(&mut self, slot: Slot, sign: &beat::Beat, now: Clocks) -> Result<bool, Refusal> {
        let watched = self.get_mut(slot).ok_or(Refusal::Gone)?;
        watched.check_life(sign.incarnation, now.up)?;
        let mut is_news = false;
        if sign.status.is_some() && watched.heard.status != sign.status {
            watched.heard.status.clone_from(&sign.status);
            is_news = true;
        }
        if sign.quiet_until.is_some_and(|until| until > now.up) {
            is_news |= watched.signs.quiet(now.up).is_none();
            watched.signs.announce_quiet(sign.quiet_until, now.up);
        }
        Ok(is_news)
    }

    /// What an agent wants to be known of it, without a sign of life.
    pub fn describe(&mut self, slot: Slot, metadata: &Map<String, Value>) -> Result<(), Refusal> {
        let watched = self.get_mut(slot).ok_or(Refusal::Gone)?;
        if let Some(merged) = merged(&watched.heard.metadata, metadata)? {
            watched.heard.metadata = merged;
        }
        Ok(())
    }

    /// A failure that an agent reports.
    pub fn failure(
        &mut self,
        slot: Slot,
        incarnation: Option<u64>,
        words: &str,
        now: Clocks,
    ) -> Result<(), Refusal> {
        let watched = self.get_mut(slot).ok_or(Refusal::Gone)?;
        watched.check_life(incarnation, now.up)?;
        watched.signs.failed(&watched.case, words, now.up);
        watched.heard.contact = Some(now.wall);
        Ok(())
    }

    /// What the gateway of an agent answered, and how long it took.
    pub fn probed(&mut self, slot: Slot, answer: Answer, took: Duration, now: Clocks) {
        let Some(watched) = self.get_mut(slot) else {
            return;
        };
        if !matches!(answer, Answer::Failed(_)) {
            watched.heard.contact = Some(now.wall);
            watched.heard.response_time = Some(took.as_secs_f64());
        }
        watched.signs.probed(&watched.case, answer, now.up);
    }

    /// An agent says that it is ready.
    pub fn ready(
        &mut self,
        slot: Slot,
        incarnation: Option<u64>,
        now: Clocks,
    ) -> Result<(), Refusal> {
        self.sign(slot, incarnation, now, Signs::ready)
    }

    /// A ping of an agent's watchdog.
    pub fn ping(
        &mut self,
        slot: Slot,
        incarnation: Option<u64>,
        now: Clocks,
    ) -> Result<(), Refusal> {
        self.sign(slot, incarnation, now, Signs::ping)
    }

    /// A line in an agent's log.
    pub fn wrote(
        &mut self,
        slot: Slot,
        incarnation: Option<u64>,
        now: Clocks,
    ) -> Result<(), Refusal> {
        self.sign(slot, incarnation, now, Signs::wrote)
    }

    fn sign(
        &mut self,
        slot: Slot,
        incarnation: Option<u64>,
        now: Clocks,
        give: fn(&mut Signs, &crate::health::signs::Case, Up),
    ) -> Result<(), Refusal> {
        let watched = self.get_mut(slot).ok_or(Refusal::Gone)?;
        watched.check_life(incarnation, now.up)?;
        give(&mut watched.signs, &watched.case, now.up);
        watched.heard.contact = watched.heard.contact.max(Some(now.wall));
        Ok(())
    }
}

impl Watched {
    /// Refuses what is of another life. Whoever starts itself may begin a new one by saying so.
    fn check_life(&mut self, said: Option<u64>, now: Up) -> Result<(), Refusal> {
        let present = self.signs.incarnation;
        let begun = self.begun.max(present);
        match said {
            Some(said) if said < begun => Err(Refusal::Fenced(begun)),
            // By what it knows of itself it is of the life that was heard last.
            None if present < begun => Err(Refusal::Fenced(begun)),
            Some(said) if said > present && self.has_run => Err(Refusal::Unborn(said)),
            Some(said) if said > present => {
                self.signs = Signs::begin(said, &self.case.settings, now);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Metadata with more merged into it; none if that changes nothing, as with most beats: an agent says the same of itself
/// for as long as it is so.
fn merged(
    known: &Map<String, Value>,
    more: &Map<String, Value>,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let is_known = |(name, value): (&String, &Value)| match known.get(name) {
        Some(known) => known == value,
        None => value.is_null(),
    };
    if more.iter().all(is_known) {
        return Ok(None);
    }
    let mut merged = known.clone();
    for (name, value) in more {
        if value.is_null() {
            merged.shift_remove(name);
        } else {
            merged.insert(name.clone(), value.clone());
        }
    }
    // A map of JSON values can always be written.
    let size = serde_json::to_vec(&merged).map_or(usize::MAX, |text| text.len());
    if size > MOST_METADATA {
        return Err(Refusal::TooMuch(size));
    }
    Ok(Some(merged))
}

/// A moment of the wall clock, in seconds since 1970, on the clock of the boot.
fn up_at(seconds: f64, now: Clocks) -> Up {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest whole number"
    )]
    let ahead = (seconds * 1000.0) as i64;
    let ahead = ahead.saturating_sub(now.wall);
    now.up.saturating_add_signed(ahead)
}
