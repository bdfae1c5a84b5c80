//! Every sort of sign of an agent, whether it is due, and what is made of it: what people are told who ask why.

use super::{Case, Process, Signs, is_due, judge, limit};
use crate::health::Up;
use crate::health::reason::Since;
use crate::health::state::Verdict;
use crate::health::streak::Streak;
use crate::mission::agent::Signal;
use schemars::JsonSchema;
use serde::Serialize;

/// What may be known of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Sort {
    /// Its process.
    Process,
    /// `POST /heartbeat` or `mcell heartbeat`.
    Heartbeat,
    /// sd_notify's WATCHDOG=1.
    Notify,
    /// A line in its log.
    Output,
    /// An answer of its gateway.
    Probe,
    /// A failure that it reported.
    Failure,
}

impl Sort {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Sort::Process => "process",
            Sort::Heartbeat => "heartbeat",
            Sort::Notify => "notify",
            Sort::Output => "output",
            Sort::Probe => "probe",
            Sort::Failure => "failure",
        }
    }
}

/// Why something is due, or that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is not.
    No,
    /// The first one of this life came.
    Begun,
    /// The settings name it.
    Expected,
    /// It is watched for what it is: a process that should run, a gateway that can be asked, a failure.
    Itself,
}

/// One sort of sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Told<'s> {
    /// Which.
    pub sort: Sort,
    /// Whether it is due, and why.
    pub due: Due,
    /// When the last good one came.
    pub last: Option<Up>,
    /// Seconds of silence that mean degraded, and unhealthy; none where silence is not what counts.
    pub silence: Option<(u64, u64)>,
    /// Bad ones in a row.
    pub bad: u64,
    /// Good ones in a row, since it was down.
    pub good: Option<u64>,
    /// What is made of it; none if it is not due.
    pub verdict: Option<Verdict<'s>>,
}

impl Signs {
    /// Every sort, in the order in which they are told.
    pub fn explain(&self, case: &Case, now: Up) -> Vec<Told<'_>> {
        let mut told = vec![of_process(case)];
        for (signal, streak) in self.voices() {
            let sort = match signal {
                Signal::Heartbeat => Sort::Heartbeat,
                Signal::Notify => Sort::Notify,
                Signal::Output | Signal::Probe => Sort::Output,
            };
            let due = match (is_due(case, signal, streak), streak.last) {
                (false, _) => Due::No,
                (true, Some(_)) if signal != Signal::Output => Due::Begun,
                (true, _) => Due::Expected,
            };
            let late = judge::patience(&case.settings, signal);
            let silence = Some((late, limit(&case.settings, signal)));
            told.push(Told {
                silence: silence.filter(|_| due != Due::No),
                verdict: (due != Due::No).then(|| self.of_voice(case, signal, streak, now)),
                ..of_streak(sort, due, streak)
            });
        }
        let due = if case.is_probed { Due::Itself } else { Due::No };
        told.push(Told {
            verdict: case.is_probed.then(|| self.of_probes(case, now)),
            ..of_streak(Sort::Probe, due, &self.probes)
        });
        let has_failed = self.failures.bad > 0 || self.failures.is_down;
        if has_failed {
            told.push(Told {
                last: self.reported,
                verdict: Some(self.of_failures(case)),
                ..of_streak(Sort::Failure, Due::Itself, &self.failures)
            });
        }
        told
    }

    /// Until when missing signs do not count, and why, if that is still so.
    pub fn grace(&self, now: Up) -> Option<(Since, Up)> {
        let until = self.grace.filter(|until| now < *until)?;
        Some((self.since, until))
    }

    /// Until when it announced to be quiet, if that is still so.
    pub fn quiet(&self, now: Up) -> Option<Up> {
        self.quiet.filter(|until| now < *until)
    }
}

fn of_process<'s>(case: &Case) -> Told<'s> {
    let due = match case.process {
        Process::NotOurs => Due::No,
        Process::Alive | Process::Dead => Due::Itself,
    };
    Told {
        verdict: judge::of_process(case),
        ..of_streak(Sort::Process, due, &Streak::default())
    }
}

fn of_streak<'s>(sort: Sort, due: Due, streak: &Streak) -> Told<'s> {
    Told {
        sort,
        due,
        last: streak.last,
        silence: None,
        bad: streak.bad,
        good: streak.is_down.then_some(streak.good),
        verdict: None,
    }
}
