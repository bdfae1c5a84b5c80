//! What is made of the signs of an agent: each sort of sign says how it is, and the worst counts.

use super::{Case, Process, Signs, is_due, limit};
use crate::health::reason::{Failed, Reason};
use crate::health::settings::{MISSED, Settings};
use crate::health::state::{State, Verdict};
use crate::health::streak::Streak;
use crate::health::{Up, milliseconds};
use crate::mission::agent::Signal;

impl Signs {
    /// What is made of the signs now.
    pub fn judge(&self, case: &Case, now: Up) -> Verdict<'_> {
        if let Some(idle) = case.idle {
            return plain(State::Unknown, Reason::NotJudged(idle));
        }
        if let Some(died) = of_process(case).filter(|_| case.process == Process::Dead) {
            return died;
        }
        let due = self
            .voices()
            .into_iter()
            .filter(|(signal, streak)| is_due(case, *signal, streak));
        let told = due
            .map(|(signal, streak)| self.of_voice(case, signal, streak, now))
            .chain(case.is_probed.then(|| self.of_probes(case, now)))
            .chain((self.failures.state() > State::Healthy).then(|| self.of_failures(case)));
        let mut verdict = told
            .reduce(worse)
            .or_else(|| self.of_life(case, now))
            .unwrap_or_else(|| plain(State::Unknown, Reason::NothingDue));
        verdict.stalled = self.stalled(case, verdict.state, now);
        verdict
    }

    /// Where nothing is due: its process says all there is to say, once it is ready.
    fn of_life(&self, case: &Case, now: Up) -> Option<Verdict<'_>> {
        if case.process == Process::Alive && case.says_when_ready && !self.is_ready() {
            let age = now.saturating_sub(self.floor) / 1000;
            return Some(plain(State::Unknown, Reason::NotReady(age)));
        }
        of_process(case)
    }

    pub(super) fn of_voice(
        &self,
        case: &Case,
        signal: Signal,
        streak: &Streak,
        now: Up,
    ) -> Verdict<'_> {
        let since = self.silent_since(signal, streak);
        let until = self.heard_until(since, now);
        if until < now && !self.is_covered(now) {
            let late = milliseconds(patience(&case.settings, signal));
            let then = self.of_heard(case, signal, streak, until).state;
            if now.saturating_sub(since) > late && then != State::Unhealthy {
                return unheard(then, until, now);
            }
        }
        self.of_heard(case, signal, streak, now)
    }

    fn of_heard(&self, case: &Case, signal: Signal, streak: &Streak, now: Up) -> Verdict<'_> {
        let settings = &case.settings;
        let since = self.silent_since(signal, streak);
        let silent = now.saturating_sub(since);
        let late = milliseconds(patience(settings, signal));
        let dead = milliseconds(limit(settings, signal));
        if streak.is_down {
            let whole = now.saturating_sub(self.last(signal, streak).unwrap_or(self.floor)) / 1000;
            return match streak.good {
                0 => plain(State::Unhealthy, Reason::Silent(signal, whole)),
                good => plain(
                    State::Degraded,
                    Reason::Recovering(signal, good, settings.success_threshold),
                ),
            };
        }
        let age = streak.last.map(|last| now.saturating_sub(last));
        if self.is_covered(now) && age.is_none_or(|age| age > late) {
            return self.of_cover(now);
        }
        if silent > dead {
            return plain(State::Unhealthy, Reason::Silent(signal, silent / 1000));
        }
        if silent > late {
            let reason = Reason::Missing(signal, silent / 1000, dead / 1000);
            return becoming(
                State::Degraded,
                reason,
                since.saturating_add(dead),
                State::Unhealthy,
            );
        }
        let (state, reason) = match age {
            Some(age) => (State::Healthy, Reason::Well(signal, age / 1000)),
            None => (State::Unknown, Reason::Awaited(signal, silent / 1000)),
        };
        let next = if late < dead {
            (late, State::Degraded)
        } else {
            (dead, State::Unhealthy)
        };
        becoming(state, reason, since.saturating_add(next.0), next.1)
    }

    /// Nothing came, and that does not count.
    fn of_cover(&self, now: Up) -> Verdict<'_> {
        let left = |until: Up| until.saturating_sub(now).div_ceil(1000);
        if let Some(until) = self.quiet.filter(|until| now < *until) {
            return plain(State::Healthy, Reason::Quiet(left(until)));
        }
        let left = left(self.grace.unwrap_or(now));
        match self.before {
            Some(state) if state > State::Unknown => {
                plain(state, Reason::AsBefore(self.since, left))
            }
            _ => plain(State::Unknown, Reason::Grace(self.since, left)),
        }
    }

    pub(super) fn of_probes(&self, case: &Case, now: Up) -> Verdict<'_> {
        let then = self.of_answers(case, now);
        let late = milliseconds(patience(&case.settings, Signal::Probe));
        match self.unasked_since() {
            Some(since) if now.saturating_sub(since) > late && then.state != State::Unhealthy => {
                unheard(then.state, since, now)
            }
            _ => then,
        }
    }

    fn of_answers(&self, case: &Case, now: Up) -> Verdict<'_> {
        let (settings, probes) = (&case.settings, &self.probes);
        if let Some(says) = &self.says {
            // It answers now. What failed before goes on counting, and is told again with the next failure.
            return plain(State::Degraded, Reason::SaysSo(says));
        }
        let words = Failed::Probe(self.words.as_deref().unwrap_or_default());
        match probes.state() {
            State::Unhealthy => plain(State::Unhealthy, Reason::Down(words, probes.bad)),
            State::Degraded if probes.bad > 0 => plain(
                State::Degraded,
                Reason::Failing(words, probes.bad, settings.failure_threshold),
            ),
            State::Degraded => {
                let reason =
                    Reason::Recovering(Signal::Probe, probes.good, settings.success_threshold);
                plain(State::Degraded, reason)
            }
            _ => match probes.last {
                Some(last) => plain(
                    State::Healthy,
                    Reason::Well(Signal::Probe, now.saturating_sub(last) / 1000),
                ),
                None if self.is_covered(now) => self.of_cover(now),
                None => {
                    let age = now.saturating_sub(self.floor) / 1000;
                    plain(State::Unknown, Reason::Awaited(Signal::Probe, age))
                }
            },
        }
    }

    pub(super) fn of_failures(&self, case: &Case) -> Verdict<'_> {
        let (settings, failures) = (&case.settings, &self.failures);
        let words = Failed::Reported(self.words.as_deref().unwrap_or_default());
        match failures.state() {
            State::Unhealthy => plain(State::Unhealthy, Reason::Down(words, failures.bad)),
            _ if failures.bad > 0 => plain(
                State::Degraded,
                Reason::Failing(words, failures.bad, settings.failure_threshold),
            ),
            _ => {
                let reason = Reason::Recovering(
                    Signal::Heartbeat,
                    failures.good,
                    settings.success_threshold,
                );
                plain(State::Degraded, reason)
            }
        }
    }

    /// Seconds without progress, where it says how far it is, lives, and that is longer than its task should take.
    fn stalled(&self, case: &Case, state: State, now: Up) -> Option<u64> {
        let (progress, allowed) = (self.progress?, case.task_timeout?);
        let still = now.saturating_sub(progress.since) / 1000;
        (state != State::Unhealthy && still > allowed).then_some(still)
    }
}

/// Seconds of silence that mean degraded.
pub(super) fn patience(settings: &Settings, signal: Signal) -> u64 {
    match signal {
        Signal::Output => limit(settings, signal),
        _ => settings
            .interval
            .saturating_mul(MISSED)
            .min(limit(settings, signal)),
    }
}

/// What its process alone says; none if it is somebody else's.
pub(super) fn of_process<'s>(case: &Case) -> Option<Verdict<'s>> {
    match case.process {
        Process::NotOurs => None,
        Process::Alive => Some(plain(State::Healthy, Reason::ProcessOnly)),
        Process::Dead => Some(plain(State::Unhealthy, Reason::Died)),
    }
}

/// The worse of two, the first where they are alike; whatever changes first is next.
fn worse<'s>(one: Verdict<'s>, other: Verdict<'s>) -> Verdict<'s> {
    let next = [one.next, other.next].into_iter().flatten().min();
    let worse = if other.state > one.state { other } else { one };
    Verdict { next, ..worse }
}

/// Nobody listened since then, so that nobody knows.
fn unheard<'s>(then: State, since: Up, now: Up) -> Verdict<'s> {
    let age = now.saturating_sub(since) / 1000;
    plain(State::Unknown, Reason::Unheard(then, age))
}

fn plain(state: State, reason: Reason<'_>) -> Verdict<'_> {
    Verdict {
        state,
        reason,
        next: None,
        stalled: None,
    }
}

fn becoming(state: State, reason: Reason<'_>, at: Up, next: State) -> Verdict<'_> {
    Verdict {
        next: Some((at, next)),
        ..plain(state, reason)
    }
}
