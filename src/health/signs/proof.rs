//! Whether a life of an agent has proved that it lives: what brings agents back believes nothing less.

use super::{Case, Process, Signs, is_due};
use crate::health::{Up, milliseconds};

/// Seconds for which an agent lives that gives no other sign than its process.
const ALIVE_FOR: u64 = 5;

/// Whether a life has proved that it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It has.
    Given,
    /// It will have then, if nothing happens.
    At(Up),
    /// Good signals are awaited.
    Awaited,
}

impl Signs {
    /// Whether the present life has proved that it lives: by as many good signals of each sort that is due as it takes to be
    /// healthy, and where none is by its process, which lives for five seconds. One that says when it is ready has proved
    /// nothing before.
    pub fn proof(&self, case: &Case, now: Up) -> Proof {
        let is_coming_up = case.says_when_ready && !self.is_ready();
        if case.process == Process::Dead || is_coming_up {
            return Proof::Awaited;
        }
        let wanted = case.settings.success_threshold;
        let voices = self.voices();
        let mut due = voices
            .into_iter()
            .filter(|(signal, streak)| is_due(case, *signal, streak))
            .map(|(_, streak)| streak)
            .chain(case.is_probed.then_some(&self.probes))
            .peekable();
        if due.peek().is_some() {
            let is_given = due.all(|streak| streak.good >= wanted);
            return if is_given {
                Proof::Given
            } else {
                Proof::Awaited
            };
        }
        let since = self.ready.unwrap_or(0).max(self.floor);
        let at = since.saturating_add(milliseconds(ALIVE_FOR));
        if at <= now {
            Proof::Given
        } else {
            Proof::At(at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::probe::Answer;
    use crate::health::settings::Settings;

    fn case() -> Case {
        Case {
            settings: Settings::default(),
            idle: None,
            process: Process::Alive,
            is_probed: false,
            says_when_ready: false,
            task_timeout: None,
        }
    }

    #[test]
    fn a_process_alone_has_to_live_for_five_seconds() {
        let mut case = case();
        let signs = Signs::begin(1, &case.settings, 1_000);
        assert_eq!(signs.proof(&case, 5_999), Proof::At(6_000));
        assert_eq!(signs.proof(&case, 6_000), Proof::Given);
        case.process = Process::Dead;
        assert_eq!(signs.proof(&case, 6_000), Proof::Awaited);
    }

    #[test]
    fn what_says_when_it_is_ready_has_proved_nothing_before() {
        let mut case = case();
        case.says_when_ready = true;
        let mut signs = Signs::begin(1, &case.settings, 0);
        assert_eq!(signs.proof(&case, 60_000), Proof::Awaited);
        signs.ready(&case, 61_000);
        assert_eq!(signs.proof(&case, 61_000), Proof::At(66_000));
        assert_eq!(signs.proof(&case, 66_000), Proof::Given);
        // A ping makes pings due, and one of them is not enough.
        signs.ping(&case, 67_000);
        assert_eq!(signs.proof(&case, 67_000), Proof::Awaited);
        signs.ping(&case, 68_000);
        assert_eq!(signs.proof(&case, 68_000), Proof::Given);
    }

    #[test]
    fn what_beats_or_is_asked_proves_it_by_two_good_signals_of_each() {
        let mut case = case();
        case.is_probed = true;
        let mut signs = Signs::begin(1, &case.settings, 0);
        signs.beat(&case, 1);
        signs.beat(&case, 2);
        signs.probed(&case, Answer::Good, 3);
        assert_eq!(signs.proof(&case, 60_000), Proof::Awaited);
        signs.probed(&case, Answer::Good, 4);
        assert_eq!(signs.proof(&case, 4), Proof::Given);
        signs.probed(&case, Answer::Failed(String::from("refused")), 200_000);
        assert_eq!(signs.proof(&case, 200_000), Proof::Awaited);
    }
}
