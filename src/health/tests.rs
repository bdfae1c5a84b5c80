//! Each row of what is promised about health, on a stepped clock. A script is what happens, a word a step:
//! `+30` seconds pass, `beat`, `ping`, `line`, `good`, `fail`, `says:degraded`, `error:out of disk`; the answer is the state.

use super::probe::Answer;
use super::reason::{Idle, Since};
use super::settings::Settings;
use super::signs::{Case, Process, Signs};
use super::state::State;
use crate::mission::agent::Signal;
use crate::mission::cell::CellStatus;

/// An agent on a stepped clock.
struct Patient {
    now: u64,
    case: Case,
    signs: Signs,
}

impl Patient {
    fn new() -> Self {
        let case = Case {
            settings: Settings::default(),
            idle: None,
            process: Process::NotOurs,
            is_probed: false,
            says_when_ready: false,
            task_timeout: None,
        };
        let now = 1_000_000;
        Patient {
            now,
            signs: Signs::begin(1, &case.settings, now),
            case,
        }
    }

    fn probed() -> Self {
        let mut patient = Patient::new();
        patient.case.is_probed = true;
        patient
    }

    fn expected() -> Self {
        let mut patient = Patient::new();
        patient.case.settings.expect = vec![Signal::Heartbeat];
        patient
    }

    /// Lets a script happen; what is missing is looked for at every step, as a sweep does.
    fn lives(&mut self, script: &str) -> &mut Self {
        for word in script.split_whitespace() {
            let (act, words) = word.split_once(':').unwrap_or((word, "refused"));
            let answer = match act {
                "good" => Some(Answer::Good),
                "fail" => Some(Answer::Failed(words.to_owned())),
                "says" => Some(Answer::Degraded(words.to_owned())),
                _ => None,
            };
            match (act, answer) {
                (_, Some(answer)) => self.signs.probed(&self.case, answer, self.now),
                ("beat", _) => self.signs.beat(&self.case, self.now),
                ("ping", _) => self.signs.ping(&self.case, self.now),
                ("line", _) => self.signs.wrote(&self.case, self.now),
                ("error", _) => self.signs.failed(&self.case, words, self.now),
                (seconds, _) => {
                    self.now += 1000 * seconds.strip_prefix('+').unwrap().parse::<u64>().unwrap();
                }
            }
            self.signs.settle(&self.case, self.now);
        }
        self
    }

    /// The daemon is started anew.
    fn is_forgiven(&mut self) {
        let before = self.state();
        self.signs
            .forgive(Since::Daemon, before, &self.case.settings, self.now);
    }

    fn state(&self) -> State {
        self.signs.judge(&self.case, self.now).state
    }

    fn reason(&self) -> String {
        self.signs.judge(&self.case, self.now).reason.to_string()
    }

    #[track_caller]
    fn is(&mut self, script: &str, state: State, reason: &str) {
        self.lives(script);
        assert_eq!(
            (self.state(), self.reason().as_str()),
            (state, reason),
            "after {script}"
        );
    }
}

#[test]
fn beats_missed_degrade_and_silence_kills() {
    let mut one = Patient::new();
    one.is(
        "",
        State::Unknown,
        "nothing is due from it: no beat came yet, and no gateway is asked",
    );
    one.is("beat +12", State::Healthy, "its last beat came 12 s ago");
    one.is("+78", State::Healthy, "its last beat came 90 s ago");
    one.is(
        "+1",
        State::Degraded,
        "silent for 91 s, 3 beats missed; dead at 5 min",
    );
    one.is(
        "+209",
        State::Degraded,
        "silent for 5 min, 3 beats missed; dead at 5 min",
    );
    one.is("+1", State::Unhealthy, "silent for 5 min 1 s");
    one.is(
        "beat",
        State::Degraded,
        "recovering: 1 good of 2, by each beat",
    );
    one.is("+30 beat", State::Healthy, "its last beat came 0 s ago");
}

#[test]
fn a_recovery_that_breaks_off_is_none() {
    let mut one = Patient::new();
    one.is(
        "beat +301 beat +301",
        State::Unhealthy,
        "silent for 5 min 1 s",
    );
    one.is(
        "beat +10 beat",
        State::Healthy,
        "its last beat came 0 s ago",
    );
}

#[test]
fn it_does_not_matter_when_somebody_looks() {
    let mut often = Patient::new();
    often.lives("beat +100 +100 +101 beat");
    let mut never = Patient::new();
    never.signs.beat(&never.case, never.now);
    never.now += 301_000;
    never.signs.beat(&never.case, never.now);
    assert_eq!(
        (often.state(), often.reason()),
        (never.state(), never.reason())
    );
}

#[test]
fn the_next_change_is_told() {
    let mut one = Patient::new();
    one.lives("beat +10");
    let next = |patient: &Patient| patient.signs.judge(&patient.case, patient.now).next;
    assert_eq!(next(&one), Some((one.now + 80_000, State::Degraded)));
    one.lives("+100");
    assert_eq!(next(&one), Some((one.now + 190_000, State::Unhealthy)));
}

#[test]
fn one_failed_probe_kills_nobody() {
    let mut one = Patient::probed();
    one.is("good", State::Healthy, "its gateway answered 0 s ago");
    one.is(
        "fail:refused",
        State::Degraded,
        "1 probe failed, unhealthy at 3: refused",
    );
    one.is(
        "fail:slow",
        State::Degraded,
        "2 probes in a row failed, unhealthy at 3: slow",
    );
    one.is("good", State::Healthy, "its gateway answered 0 s ago");
    one.is(
        "fail fail fail:gone",
        State::Unhealthy,
        "3 probes in a row failed: gone",
    );
    one.is(
        "good",
        State::Degraded,
        "recovering: 1 good of 2, by each answer of its gateway",
    );
    one.is("fail", State::Unhealthy, "1 probe failed: refused");
    one.is("good good", State::Healthy, "its gateway answered 0 s ago");
}

#[test]
fn a_degraded_gateway_is_contact_and_touches_no_streak() {
    let mut one = Patient::probed();
    for _ in 0..100 {
        one.lives("says:degraded +30");
    }
    assert_eq!(one.state(), State::Degraded);
    assert_eq!(one.signs.contact(), Some(one.now - 30_000));
    assert_eq!(one.signs.failures(), 0);
    one.lives("good fail fail says:degraded");
    assert_eq!(one.signs.failures(), 2, "the streak goes on");
    one.is(
        "fail",
        State::Unhealthy,
        "3 probes in a row failed: refused",
    );
}

#[test]
fn a_gateway_that_was_down_and_answers_degraded_is_degraded_and_what_failed_is_not_forgotten() {
    let says = "its gateway answers, and says degraded";
    let mut one = Patient::probed();
    one.lives("good fail fail fail");
    assert!(one.signs.gateway_is_down());
    one.is("says:degraded", State::Degraded, says);
    assert!(!one.signs.gateway_is_down(), "a hold for it ends");
    one.is("says:degraded +3600 says:degraded", State::Degraded, says);
    one.is(
        "fail",
        State::Unhealthy,
        "4 probes in a row failed: refused",
    );
    one.is("says:degraded", State::Degraded, says);
    one.is(
        "good",
        State::Degraded,
        "recovering: 1 good of 2, by each answer of its gateway",
    );
    one.is("says:degraded", State::Degraded, says);
    one.is("good", State::Healthy, "its gateway answered 0 s ago");
}

#[test]
fn a_reported_failure_is_contact_and_three_are_enough() {
    let mut one = Patient::new();
    one.lives("beat +80 error:oom +80");
    assert_eq!(one.state(), State::Degraded);
    assert_eq!(one.reason(), "it reported 1 failure, unhealthy at 3: oom");
    one.is(
        "error error:disk",
        State::Unhealthy,
        "it reported 3 failures in a row: disk",
    );
    one.is(
        "beat",
        State::Degraded,
        "recovering: 1 good of 2, by each beat",
    );
    one.is("beat", State::Healthy, "its last beat came 0 s ago");
    assert_eq!(
        one.signs.failures(),
        0,
        "no degraded for ever with 0 failures"
    );
}

#[test]
fn a_dead_process_is_unhealthy_at_once_also_in_grace_and_quiet() {
    let mut one = Patient::new();
    one.case.process = Process::Alive;
    one.is("", State::Healthy, "its process lives (process only)");
    one.lives("beat");
    one.signs.announce_quiet(Some(one.now + 600_000), one.now);
    one.case.process = Process::Dead;
    one.is("", State::Unhealthy, "its process ended, and should run");
}

#[test]
fn each_signal_has_its_own_streak_and_the_worst_counts() {
    let mut one = Patient::probed();
    one.lives("beat good +31 good +31 good +31 good");
    assert_eq!(
        one.state(),
        State::Degraded,
        "answers do not stand in for beats"
    );
    one.lives("beat fail");
    assert_eq!(
        one.state(),
        State::Degraded,
        "beats do not stand in for answers"
    );
}

#[test]
fn pings_of_a_watchdog_are_beats_and_a_log_may_not_stand_still() {
    let mut one = Patient::new();
    one.is("ping +90", State::Healthy, "its watchdog pinged 90 s ago");
    one.is(
        "+1",
        State::Degraded,
        "no watchdog ping for 91 s; dead at 5 min",
    );
    let mut one = Patient::new();
    one.case.settings.output_timeout = Some(60);
    one.is("line +60", State::Healthy, "it wrote to its log 60 s ago");
    one.is("+1", State::Unhealthy, "no line in its log for 61 s");
}

#[test]
fn grace_covers_what_is_missing_and_is_over_with_the_first_good_signal() {
    let mut one = Patient::expected();
    one.is(
        "+100",
        State::Unknown,
        "no sign yet since it started; in grace for 20 s more",
    );
    one.is(
        "+20",
        State::Degraded,
        "silent for 2 min, 3 beats missed; dead at 5 min",
    );
    one.is("+181", State::Unhealthy, "silent for 5 min 1 s");
    let mut one = Patient::probed();
    one.is(
        "fail fail fail fail",
        State::Unknown,
        "no sign yet since it started; in grace for 2 min more",
    );
    one.lives("good fail fail fail");
    assert_eq!(
        one.state(),
        State::Unhealthy,
        "the good answer ended the grace"
    );
}

#[test]
fn grace_is_never_longer_than_two_minutes() {
    let watch = serde_json::from_str(r#"{"grace": 9999, "timeout": 0}"#).unwrap();
    let settings = Settings::default().with(Some(&watch));
    assert_eq!((settings.grace, settings.timeout), (120, 1));
}

#[test]
fn a_restart_of_the_daemon_keeps_what_was_known() {
    let mut one = Patient::new();
    one.lives("beat +200");
    assert_eq!(one.state(), State::Degraded);
    one.is_forgiven();
    one.is(
        "+1",
        State::Degraded,
        "as it was before the daemon started; in grace for 119 s more",
    );
    one.is(
        "+120",
        State::Degraded,
        "silent for 2 min 1 s, 3 beats missed; dead at 5 min",
    );
    one.lives("+180");
    assert_eq!(one.state(), State::Unhealthy);
    one.is_forgiven();
    assert_eq!(
        one.state(),
        State::Unhealthy,
        "what is known to be down stays so"
    );
}

#[test]
fn gastown_589_a_fresh_agent_is_not_judged_by_the_heartbeat_from_before_its_crash() {
    let mut one = Patient::new();
    one.lives("beat +301");
    assert_eq!(one.state(), State::Unhealthy);
    one.signs = Signs::begin(2, &one.case.settings, one.now);
    assert_eq!(one.state(), State::Unknown);
    one.lives("+3000");
    assert_eq!(
        one.state(),
        State::Unknown,
        "nothing is due before its first beat"
    );
}

#[test]
fn gastown_1265_legal_quiet_is_no_alarm() {
    let mut one = Patient::new();
    one.lives("beat");
    one.signs.announce_quiet(Some(one.now + 1_800_000), one.now);
    one.is(
        "+1700",
        State::Healthy,
        "it announced to be quiet for 100 s more",
    );
    one.is("+110", State::Healthy, "its last beat came 30 min ago");
    one.lives("+300");
    assert_eq!(
        one.state(),
        State::Unhealthy,
        "quiet is over, and it is silent since"
    );
}

#[test]
fn quiet_is_an_hour_at_most_and_ends_when_it_says_so() {
    let mut one = Patient::new();
    one.lives("beat");
    one.signs
        .announce_quiet(Some(one.now + 100_000_000), one.now);
    one.lives("+3500");
    assert_eq!(one.state(), State::Healthy);
    one.lives("+401");
    assert_eq!(one.state(), State::Unhealthy);
    let mut one = Patient::new();
    one.lives("beat");
    one.signs.announce_quiet(Some(one.now + 1_800_000), one.now);
    one.signs.announce_quiet(None, one.now);
    one.lives("+91");
    assert_eq!(one.state(), State::Degraded);
}

#[test]
fn whoever_is_paused_is_not_judged_and_starts_anew_afterwards() {
    for idle in [
        Idle::AgentPaused,
        Idle::Cell(Some(CellStatus::Paused)),
        Idle::NotWanted,
        Idle::Cell(None),
    ] {
        let mut one = Patient::new();
        one.lives("beat");
        one.case.idle = Some(idle);
        one.lives("+100000");
        assert_eq!(one.state(), State::Unknown);
        assert!(one.reason().starts_with("not judged: "), "{}", one.reason());
        one.case.idle = None;
        one.signs.resume(&one.case, one.now);
        one.is(
            "+100",
            State::Unknown,
            "no sign yet since its pause ended; in grace for 20 s more",
        );
        one.lives("+201");
        assert_eq!(
            one.state(),
            State::Unhealthy,
            "it has beaten before, so beats are due"
        );
    }
}

#[test]
fn alive_without_progress_is_stalled_and_nothing_worse() {
    let mut one = Patient::new();
    one.case.task_timeout = Some(600);
    let stalled = |patient: &Patient| patient.signs.judge(&patient.case, patient.now).stalled;
    one.signs.progressed(1.0, one.now);
    for _ in 0..20 {
        one.lives("beat +30");
        one.signs.progressed(1.0, one.now);
    }
    assert_eq!(stalled(&one), None);
    one.lives("beat +30 beat");
    assert_eq!((stalled(&one), one.state()), (Some(630), State::Healthy));
    one.signs.progressed(2.0, one.now);
    assert_eq!(stalled(&one), None);
}

#[test]
fn uptime_kuma_3031_up_and_down_in_the_same_second_flaps_nothing() {
    let mut one = Patient::probed();
    one.lives("good fail fail fail");
    for _ in 0..50 {
        one.lives("good fail");
        assert_eq!(one.state(), State::Unhealthy);
    }
}

#[test]
fn numbers_of_its_own_count() {
    let watch =
        serde_json::from_str(r#"{"interval": 5, "timeout": 20, "failure_threshold": 1}"#).unwrap();
    let mut one = Patient::probed();
    one.case.settings = one.case.settings.with(Some(&watch));
    one.lives("beat good +16");
    assert_eq!(one.state(), State::Degraded);
    one.lives("+5");
    assert_eq!(one.state(), State::Unhealthy);
    one.lives("beat beat good fail");
    assert_eq!(
        one.state(),
        State::Unhealthy,
        "one is enough where it says so"
    );
}

/// An agent that a daemon watched until now, as one finds it who looks later and did not listen meanwhile.
fn nobody_listens(one: &mut Patient) {
    let now = one.now;
    one.signs.nobody_listened_since(&one.case, now);
}

#[test]
fn what_nobody_listened_to_was_not_silence() {
    let mut one = Patient::new();
    one.lives("beat +20");
    nobody_listens(&mut one);
    one.is("+60", State::Healthy, "its last beat came 80 s ago");
    one.is(
        "+600",
        State::Unknown,
        "nobody has listened for 11 min; it was healthy then",
    );
    one.is("beat", State::Healthy, "its last beat came 0 s ago");
    one.is("+301", State::Unhealthy, "silent for 5 min 1 s");
}

#[test]
fn what_was_missing_when_the_last_one_listened_stays_missing() {
    let mut late = Patient::new();
    late.lives("beat +100");
    nobody_listens(&mut late);
    late.is(
        "+600",
        State::Unknown,
        "nobody has listened for 10 min; it was degraded then",
    );
    let mut dead = Patient::new();
    dead.lives("beat +301");
    nobody_listens(&mut dead);
    dead.is("+600", State::Unhealthy, "silent for 15 min");
}

#[test]
fn a_gateway_that_nobody_asks_any_more_is_unknown_until_somebody_does() {
    let mut one = Patient::probed();
    one.lives("good +10");
    nobody_listens(&mut one);
    one.is("+80", State::Healthy, "its gateway answered 90 s ago");
    one.is(
        "+60",
        State::Unknown,
        "nobody has listened for 2 min 20 s; it was healthy then",
    );
    one.is(
        "fail",
        State::Degraded,
        "1 probe failed, unhealthy at 3: refused",
    );
    let mut down = Patient::probed();
    down.lives("good fail fail fail");
    nobody_listens(&mut down);
    down.is(
        "+600",
        State::Unhealthy,
        "3 probes in a row failed: refused",
    );
}

#[test]
fn one_look_gives_no_grace_and_makes_nobody_late() {
    let mut one = Patient::expected();
    one.signs = Signs::unwatched(0, one.now);
    one.is("", State::Unknown, "no beat yet; the first is awaited");
    let mut probed = Patient::probed();
    probed.signs = Signs::unwatched(0, probed.now);
    probed.is(
        "fail",
        State::Degraded,
        "1 probe failed, unhealthy at 3: refused",
    );
    // What is on file was said long before anybody looked.
    let mut late = Patient::new();
    late.signs = Signs::unwatched(0, late.now);
    let then = late.now - 400_000;
    late.signs.beat(&late.case, then);
    late.signs.known_since(then);
    assert_eq!(late.state(), State::Unhealthy);
}
