//! Why an agent is as it is, in one sentence.

use crate::base::text::shown;
use crate::health::settings::MISSED;
use crate::health::state::State;
use crate::mission::agent::Signal;
use crate::mission::cell::CellStatus;
use crate::mission::run::Meaning;
use std::fmt;

/// Why an agent is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// An operator holds it.
    AgentPaused,
    /// Its cell is not active.
    Cell(Option<CellStatus>),
    /// It has a command, and mcell is not to keep it running.
    NotWanted,
    /// Somebody starts or stops it just now.
    InHand,
    /// Its process ended as it may, and what follows from that is under way.
    Ended(Meaning),
}

/// What has no news yet, and why that does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// It was seen for the first time, or started.
    #[default]
    Start,
    /// The daemon was started.
    Daemon,
    /// The machine slept, a clock was set, or the daemon stood still.
    Disturbance,
    /// A pause of it or of its cell ended.
    Pause,
}

impl Since {
    const fn words(self) -> &'static str {
        match self {
            Since::Start => "it started",
            Since::Daemon => "the daemon started",
            Since::Disturbance => "the machine slept, or its clock was set",
            Since::Pause => "its pause ended",
        }
    }
}

/// Why an agent is as it is. Durations in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason<'s> {
    /// It is not judged.
    NotJudged(Idle),
    /// Nothing is due from it.
    NothingDue,
    /// Nothing came yet, and it has so long before that counts.
    Grace(Since, u64),
    /// It said that it would be quiet for so long.
    Quiet(u64),
    /// It is expected to give this sign, and has not yet.
    Awaited(Signal, u64),
    /// This sign comes; the last one so long ago.
    Well(Signal, u64),
    /// Its process lives, and has not said for so long that it is ready.
    NotReady(u64),
    /// Its process lives, and nothing else is due.
    ProcessOnly,
    /// Silent for so long; dead at so much.
    Missing(Signal, u64, u64),
    /// Silent for longer than may be.
    Silent(Signal, u64),
    /// Good again, so many times of so many.
    Recovering(Signal, u64, u64),
    /// So many failed in a row, of so many that mean unhealthy.
    Failing(Failed<'s>, u64, u64),
    /// So many failed in a row: enough.
    Down(Failed<'s>, u64),
    /// Its gateway answers, and says this of itself.
    SaysSo(&'s str),
    /// Its process ended.
    Died,
    /// Nobody has listened for so long; then it was so.
    Unheard(State, u64),
    /// The same as before the daemon started or the clock jumped, until it gives a sign.
    AsBefore(Since, u64),
}

/// What failed, with its last words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed<'s> {
    /// Its gateway did not answer as it should.
    Probe(&'s str),
    /// It said so itself.
    Reported(&'s str),
}

impl Failed<'_> {
    /// So many in a row, and what more there is to say between that and the last words.
    fn tell(self, out: &mut fmt::Formatter<'_>, bad: u64, more: &str) -> fmt::Result {
        let (many, row) = if bad == 1 {
            ("", "")
        } else {
            ("s", " in a row")
        };
        let words = match self {
            Failed::Probe(words) => {
                write!(out, "{bad} probe{many}{row} failed{more}")?;
                words
            }
            Failed::Reported(words) => {
                write!(out, "it reported {bad} failure{many}{row}{more}")?;
                words
            }
        };
        match words {
            "" => Ok(()),
            words => write!(out, ": {}", shown(words)),
        }
    }
}

/// So many seconds, in words.
struct For(u64);

impl fmt::Display for For {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&crate::base::duration::in_words(self.0))
    }
}

const fn noun(signal: Signal) -> &'static str {
    match signal {
        Signal::Heartbeat => "beat",
        Signal::Notify => "watchdog ping",
        Signal::Output => "line in its log",
        Signal::Probe => "answer of its gateway",
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NotJudged(Idle::AgentPaused) => out.write_str("not judged: it is paused"),
            Reason::NotJudged(Idle::Cell(Some(status))) => {
                write!(out, "not judged: its cell is {}", status.word())
            }
            Reason::NotJudged(Idle::Cell(None)) => {
                out.write_str("not judged: its cell.json cannot be read")
            }
            Reason::NotJudged(Idle::NotWanted) => {
                out.write_str("not judged: mcell has not started it, or was told to stop it")
            }
            Reason::NotJudged(Idle::InHand) => {
                out.write_str("not judged: it is being started or stopped")
            }
            Reason::NotJudged(Idle::Ended(Meaning::Restart)) => {
                out.write_str("not judged: it ended to be started again")
            }
            Reason::NotJudged(Idle::Ended(_)) => out.write_str("not judged: it has finished"),
            Reason::NothingDue => {
                out.write_str("nothing is due from it: no beat came yet, and no gateway is asked")
            }
            Reason::Grace(since, left) => write!(
                out,
                "no sign yet since {}; in grace for {} more",
                since.words(),
                For(*left)
            ),
            Reason::Quiet(left) => write!(out, "it announced to be quiet for {} more", For(*left)),
            Reason::Awaited(signal, 0) => {
                write!(out, "no {} yet; the first is awaited", noun(*signal))
            }
            Reason::Awaited(signal, age) => write!(
                out,
                "no {} in {}; the first is awaited",
                noun(*signal),
                For(*age)
            ),
            Reason::Well(signal, age) => match signal {
                Signal::Heartbeat => write!(out, "its last beat came {} ago", For(*age)),
                Signal::Notify => write!(out, "its watchdog pinged {} ago", For(*age)),
                Signal::Output => write!(out, "it wrote to its log {} ago", For(*age)),
                Signal::Probe => write!(out, "its gateway answered {} ago", For(*age)),
            },
            Reason::NotReady(0) => out.write_str("its process lives, and is not ready yet"),
            Reason::NotReady(age) => write!(
                out,
                "its process lives, and has not said in {} that it is ready",
                For(*age)
            ),
            Reason::ProcessOnly => out.write_str("its process lives (process only)"),
            Reason::Missing(Signal::Heartbeat, silent, dead) => {
                write!(
                    out,
                    "silent for {}, {MISSED} beats missed; dead at {}",
                    For(*silent),
                    For(*dead)
                )
            }
            Reason::Missing(signal, silent, dead) => {
                write!(
                    out,
                    "no {} for {}; dead at {}",
                    noun(*signal),
                    For(*silent),
                    For(*dead)
                )
            }
            Reason::Silent(Signal::Heartbeat, silent) => write!(out, "silent for {}", For(*silent)),
            Reason::Silent(signal, silent) => {
                write!(out, "no {} for {}", noun(*signal), For(*silent))
            }
            Reason::Recovering(signal, good, of) => {
                write!(
                    out,
                    "recovering: {good} good of {of}, by each {}",
                    noun(*signal)
                )
            }
            Reason::Failing(failed, bad, of) => {
                failed.tell(out, *bad, &format!(", unhealthy at {of}"))
            }
            Reason::Down(failed, bad) => failed.tell(out, *bad, ""),
            Reason::SaysSo(status) => {
                write!(out, "its gateway answers, and says {}", shown(status))
            }
            Reason::Unheard(State::Unknown, age) => {
                write!(out, "nobody has listened for {}", For(*age))
            }
            Reason::Unheard(then, age) => write!(
                out,
                "nobody has listened for {}; it was {} then",
                For(*age),
                then.word()
            ),
            Reason::Died => out.write_str("its process ended, and should run"),
            Reason::AsBefore(since, left) => {
                write!(
                    out,
                    "as it was before {}; in grace for {} more",
                    since.words(),
                    For(*left)
                )
            }
        }
    }
}
