//! The signs of one agent's present life, and what is made of them.
//!
//! A sign that comes is heard at once; that one is missing is seen when somebody looks (`settle`), and always the same way:
//! whoever looks late finds what whoever looked in time would have found.

mod deaf;
mod explain;
mod judge;
mod proof;

pub use explain::{Due, Sort, Told};
pub use proof::Proof;

use crate::health::probe::Answer;
use crate::health::reason::{Idle, Since};
use crate::health::settings::{LONGEST_QUIET, Settings};
use crate::health::state::State;
use crate::health::streak::Streak;
use crate::health::{Up, milliseconds};
use crate::mission::agent::Signal;
use crate::mission::beat::Kind;
use serde::{Deserialize, Serialize};

/// What an agent's process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Somebody else's: nothing is known of it.
    NotOurs,
    /// It runs.
    Alive,
    /// It should run, and does not.
    Dead,
}

/// What is known of an agent beside its signs.
#[derive(Clone, Debug)]
pub struct Case {
    /// The numbers that count for it.
    pub settings: Settings,
    /// Why it is not judged, if so.
    pub idle: Option<Idle>,
    /// Its process.
    pub process: Process,
    /// Whether its gateway is asked.
    pub is_probed: bool,
    /// Whether it is to say that it is ready (`run.notify`): until then it has only been started.
    pub says_when_ready: bool,
    /// Seconds the task it works on should take.
    pub task_timeout: Option<u64>,
}

/// How far it says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Progress {
    value: f64,
    since: Up,
}

/// The signs of one agent's present life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signs {
    /// Which life this is.
    pub incarnation: u64,
    /// Silence counts from here at the earliest.
    floor: Up,
    /// Until then missing beats and probes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    grace: Option<Up>,
    /// Why there is grace.
    since: Since,
    /// How it was when the grace began, if it was judged then.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<State>,
    /// Its heartbeats.
    beats: Streak,
    /// Its watchdog's pings.
    pings: Streak,
    /// When it last said that it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<Up>,
    /// Lines in its log.
    output: Streak,
    /// Failures that it reported.
    failures: Streak,
    /// Answers of its gateway.
    probes: Streak,
    /// When it was last heard of in any way.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<Up>,
    /// When it last reported a failure: whoever does is not silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<Up>,
    /// What its gateway says of itself, if that is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
    /// The last words of a failed probe, or of a failure that it reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<String>,
    /// Until then it announced to be quiet.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<Up>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    /// Since when nobody listened, where that is so: never while a daemon does.
    #[serde(skip)]
    deaf: Option<deaf::Deaf>,
}

impl Signs {
    /// A life that begins now.
    pub fn begin(incarnation: u64, settings: &Settings, now: Up) -> Self {
        Signs {
            incarnation,
            floor: now,
            grace: Some(now.saturating_add(milliseconds(settings.grace))),
            ..Signs::default()
        }
    }

    /// Gives grace once more, since what is missing may be our own fault. `before`: how it was when somebody last looked;
    /// that is what is told of it until it gives a sign. What is known to be down stays so.
    pub fn forgive(&mut self, why: Since, before: State, settings: &Settings, now: Up) {
        self.since = why;
        self.before = Some(before);
        self.floor = now;
        self.grace = Some(now.saturating_add(milliseconds(settings.grace)));
    }

    /// Begins to count again after a pause: what was before it does not count any more.
    pub fn resume(&mut self, case: &Case, now: Up) {
        let progress = self.progress.map(|progress| Progress {
            since: now,
            ..progress
        });
        let before = std::mem::take(self);
        let ever = |streak: Streak| Streak {
            last: streak.last,
            ..Streak::default()
        };
        *self = Signs {
            since: Since::Pause,
            contact: before.contact,
            beats: ever(before.beats),
            pings: ever(before.pings),
            ready: before.ready,
            output: ever(before.output),
            progress,
            ..Signs::begin(before.incarnation, &case.settings, now)
        };
    }

    /// Another gateway is asked from now on.
    pub fn forget_probes(&mut self) {
        self.probes = Streak::default();
        self.says = None;
    }

    /// A beat.
    pub fn beat(&mut self, case: &Case, now: Up) {
        self.hear(case, now);
        self.beats.good(now, &case.settings);
        // Whoever beats has got over what it reported.
        self.failures.good(now, &case.settings);
    }

    /// It says that it is ready: a good sign, and no promise of more.
    pub fn ready(&mut self, case: &Case, now: Up) {
        self.hear(case, now);
        self.ready = self.ready.max(Some(now));
    }

    /// A ping of its watchdog.
    pub fn ping(&mut self, case: &Case, now: Up) {
        self.hear(case, now);
        self.pings.good(now, &case.settings);
    }

    /// A line in its log.
    pub fn wrote(&mut self, case: &Case, now: Up) {
        if is_due(case, Signal::Output, &self.output) {
            self.hear(case, now);
        } else {
            // Anything writes a line while it comes up. Where none is due, none ends the grace for what is.
            self.contact = self.contact.max(Some(now));
        }
        self.output.good(now, &case.settings);
    }

    /// A failure that it reports: bad news, and contact.
    pub fn failed(&mut self, case: &Case, words: &str, now: Up) {
        self.settle(case, now);
        (self.contact, self.reported) = (Some(now), Some(now));
        self.failures.bad(&case.settings);
        self.words = Some(words.to_owned());
    }

    /// What its gateway answered.
    pub fn probed(&mut self, case: &Case, answer: Answer, now: Up) {
        self.settle(case, now);
        self.was_asked();
        match answer {
            Answer::Good => {
                self.hear(case, now);
                self.probes.good(now, &case.settings);
                self.says = None;
            }
            Answer::Degraded(status) => {
                self.contact = Some(now);
                self.says = Some(status);
            }
            Answer::Failed(words) => {
                self.says = None;
                self.words = Some(words);
                if !self.is_covered(now) {
                    self.probes.bad(&case.settings);
                }
            }
        }
    }

    /// It will be quiet until then, an hour from now at most; none, or a moment that is past: not any more.
    pub fn announce_quiet(&mut self, until: Option<Up>, now: Up) {
        let most = now.saturating_add(milliseconds(LONGEST_QUIET));
        self.quiet = until
            .map(|until| until.min(most))
            .filter(|until| *until > now);
    }

    /// How far it says that it is. Only a number that rises is progress.
    pub fn progressed(&mut self, value: f64, now: Up) {
        let rises = self.progress.is_none_or(|before| value > before.value);
        if rises && value.is_finite() {
            self.progress = Some(Progress { value, since: now });
        }
    }

    /// It begins another task: what it did before says nothing of this one.
    pub fn begins_another_task(&mut self, now: Up) {
        if let Some(progress) = &mut self.progress {
            progress.since = now;
        }
    }

    fn hear(&mut self, case: &Case, now: Up) {
        self.settle(case, now);
        self.contact = self.contact.max(Some(now));
        self.grace = None;
        self.before = None;
    }

    /// Until when what is missing may be our own fault, where that is so: it is as it was before, and has given no sign since.
    pub fn forgiven(&self, now: Up) -> Option<Up> {
        self.before?;
        self.grace.filter(|until| now < *until)
    }

    /// When this life began, or began to count again.
    pub fn begun(&self) -> Up {
        self.floor
    }

    /// When it was last heard of in any way.
    pub fn contact(&self) -> Option<Up> {
        self.contact
    }

    /// When the last sign of a kind came that is kept on file.
    pub fn last_on_file(&self, kind: Kind) -> Option<Up> {
        match kind {
            Kind::Heartbeat => self.beats.last,
            Kind::Notify => self.pings.last.max(self.ready),
            Kind::Output => self.output.last,
        }
    }

    /// Whether it has said that it is ready. Whoever pings is.
    pub fn is_ready(&self) -> bool {
        self.last_on_file(Kind::Notify).is_some()
    }

    /// When its last beat came.
    pub fn last_beat(&self) -> Option<Up> {
        self.beats.last
    }

    /// The longest run of bad signals it is in.
    pub fn failures(&self) -> u64 {
        self.probes.bad.max(self.failures.bad)
    }

    /// The last words of what failed, while something fails.
    pub fn error(&self) -> Option<&str> {
        let fails = self.failures() > 0 || self.probes.is_down || self.failures.is_down;
        self.words.as_deref().filter(|_| fails)
    }

    /// Whether its gateway fails, and not it alone may be at fault. One that says that it is not well answers.
    pub fn gateway_is_down(&self) -> bool {
        self.probes.state() == State::Unhealthy && self.says.is_none()
    }

    /// Whether its gateway answers; none where that is not known: it was not asked lately, or what failed does not count yet.
    pub fn gateway_answers(&self, case: &Case, now: Up) -> Option<bool> {
        if self.says.is_some() {
            return Some(true);
        }
        if self.probes.bad > 0 || self.gateway_is_down() {
            return Some(false);
        }
        let lately = milliseconds(case.settings.interval).saturating_mul(2);
        let last = self.probes.last?;
        (now.saturating_sub(last) <= lately).then_some(true)
    }

    /// Whether its gateway has answered so often that it is well.
    pub fn gateway_is_well(&self, case: &Case) -> bool {
        self.says.is_some() || self.probes.good >= case.settings.success_threshold
    }

    fn is_covered(&self, now: Up) -> bool {
        self.grace.is_some_and(|until| now < until) || self.quiet.is_some_and(|until| now < until)
    }

    /// When a sort of signal last came.
    fn last(&self, signal: Signal, streak: &Streak) -> Option<Up> {
        match signal {
            Signal::Heartbeat => streak.last.max(self.reported),
            Signal::Notify => streak.last.max(self.ready),
            _ => streak.last,
        }
    }

    /// Since when a sort of signal is missing.
    fn silent_since(&self, signal: Signal, streak: &Streak) -> Up {
        let last = self.last(signal, streak).unwrap_or(0);
        last.max(self.floor).max(self.quiet.unwrap_or(0))
    }

    fn voices(&self) -> [(Signal, &Streak); 3] {
        [
            (Signal::Heartbeat, &self.beats),
            (Signal::Notify, &self.pings),
            (Signal::Output, &self.output),
        ]
    }

    /// Takes note of what is missing by now. Tells whether that is news.
    pub fn settle(&mut self, case: &Case, now: Up) -> bool {
        if case.idle.is_some() || self.is_covered(now) {
            return false;
        }
        let fallen = self.voices().map(|(signal, streak)| {
            let since = self.silent_since(signal, streak);
            let silent = self.heard_until(since, now).saturating_sub(since);
            is_due(case, signal, streak) && silent > milliseconds(limit(&case.settings, signal))
        });
        let mut is_news = false;
        for (streak, fell) in [&mut self.beats, &mut self.pings, &mut self.output]
            .into_iter()
            .zip(fallen)
        {
            is_news |= fell && streak.fall();
        }
        is_news
    }
}

/// Whether a sign is due: after the first of this life, or if it is expected.
fn is_due(case: &Case, signal: Signal, streak: &Streak) -> bool {
    match signal {
        Signal::Output => case.settings.output_timeout.is_some(),
        _ => streak.last.is_some() || case.settings.expects(signal),
    }
}

/// Seconds of silence that mean unhealthy.
fn limit(settings: &Settings, signal: Signal) -> u64 {
    match signal {
        Signal::Output => settings.output_timeout.unwrap_or(settings.timeout),
        _ => settings.timeout,
    }
}
