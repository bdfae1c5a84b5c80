//! What a look makes of a record and of signs on file, and what is told of parts.

use super::{Found, Record, Refusal, Roster};
use crate::base::boot::Clocks;
use crate::base::ids::{AgentId, CellId};
use crate::health::settings::Settings;
use crate::health::state::State;
use crate::mission::agent::{AgentStatus, Role, Signal};
use crate::mission::beat::{Beat, Kind, Says};
use crate::mission::cell::CellStatus;
use crate::mission::census::{AgentCensus, CellCensus};
use crate::mission::run::RunNote;
use serde_json::Map;
use std::sync::Arc;

const BOOT: Option<&str> = Some("one");

fn at(seconds: u64) -> Clocks {
    Clocks {
        up: seconds * 1000,
        awake: seconds * 1000,
        wall: 1_800_000_000_000 + i64::try_from(seconds * 1000).unwrap(),
    }
}

fn agent(id: &str, incarnation: Option<u64>) -> AgentCensus {
    AgentCensus {
        id: AgentId::new(id).unwrap(),
        name: id.to_owned(),
        role: Role::Write,
        status: AgentStatus::Idle,
        gateway: None,
        watch: None,
        has_run: false,
        says_when_ready: false,
        ends: None,
        is_wanted: false,
        begun: 0,
        is_alive: false,
        is_in_hand: false,
        current_task: None,
        task_timeout: None,
        last_checkpoint: None,
        revival: None,
        is_suppressed: false,
        drill: None,
        run: incarnation.map(|incarnation| RunNote {
            incarnation,
            ..RunNote::default()
        }),
    }
}

/// The agents of a cell, each with the life that its runner says it is in.
type Crew<'c> = &'c [(&'c str, Option<u64>)];

fn roster(cells: &[(&str, Crew<'_>)], usual: Settings, now: Clocks) -> Roster {
    let mut roster = Roster::new(usual);
    for (cell, agents) in cells {
        let census = CellCensus {
            cell_id: CellId::new(*cell).unwrap(),
            mission_name: String::from("Example"),
            status: Some(CellStatus::Active),
            checkpoint_interval: 300,
            revive_timeout: 300,
            agents: agents.iter().map(|(id, life)| agent(id, *life)).collect(),
            due: Vec::new(),
            troubles: Vec::new(),
        };
        roster.enrol(&Arc::new(census), |_| None, now);
    }
    roster
}

fn beat(seconds: u64, incarnation: Option<u64>) -> Beat {
    Beat {
        up: seconds * 1000,
        boot: BOOT.map(str::to_owned),
        incarnation,
        kind: Kind::Heartbeat,
        says: Says::Lives,
        status: None,
        progress: None,
        quiet_until: None,
        metadata: Map::new(),
    }
}

fn state(roster: &Roster, agent: &str, now: Clocks) -> (State, String) {
    let Found::One(slot) = roster.find(agent, None) else {
        panic!("one {agent}");
    };
    let report = roster.report(slot, now).unwrap();
    (report.status, report.reason)
}

/// A daemon that heard a beat at 100 s, and wrote everything down at 110 s.
fn record() -> Record {
    let mut watched = roster(&[("c", &[("a", None)])], Settings::default(), at(50));
    let Found::One(slot) = watched.find("a", Some("c")) else {
        panic!("an agent");
    };
    assert_eq!(
        watched.hear_file(slot, &beat(100, None), BOOT, at(100)),
        Some(Ok(()))
    );
    let stray = watched.take_in(&AgentId::new("stray").unwrap(), at(100));
    watched
        .beat(stray, &super::Beat::default(), at(100))
        .unwrap();
    Record {
        boot: BOOT.map(str::to_owned),
        up: at(110).up,
        // As it is written, and read again.
        agents: serde_json::from_value(serde_json::to_value(watched.record(at(110))).unwrap())
            .unwrap(),
        ..Record::default()
    }
}

#[test]
fn a_look_goes_on_from_a_record_without_grace_and_without_silence_that_nobody_heard() {
    let mut soon = roster(&[("c", &[("a", None)])], Settings::default(), at(140));
    soon.recall(Some(record()), BOOT, at(140));
    let well = (State::Healthy, String::from("its last beat came 40 s ago"));
    assert_eq!(state(&soon, "a", at(140)), well);
    assert_eq!(state(&soon, "stray", at(140)).0, State::Healthy);
    let mut late = roster(&[("c", &[("a", None)])], Settings::default(), at(4000));
    late.recall(Some(record()), BOOT, at(4000));
    let unheard = "nobody has listened for 1 h 4 min; it was healthy then";
    assert_eq!(
        state(&late, "a", at(4000)),
        (State::Unknown, unheard.to_owned())
    );
    // What is on file since is heard, and so is the silence after it.
    let Found::One(slot) = late.find("a", Some("c")) else {
        panic!("an agent");
    };
    assert_eq!(
        late.hear_file(slot, &beat(3000, None), BOOT, at(4000)),
        Some(Ok(()))
    );
    assert_eq!(state(&late, "a", at(4000)).0, State::Unhealthy);
}

#[test]
fn after_a_reboot_a_record_says_only_what_agents_said() {
    let mut next = roster(&[("c", &[("a", None)])], Settings::default(), at(20));
    next.recall(Some(record()), Some("two"), at(20));
    let (state, reason) = state(&next, "a", at(20));
    assert_eq!(state, State::Unknown);
    assert!(reason.starts_with("nothing is due"), "{reason}");
    let Found::One(slot) = next.find("a", None) else {
        panic!("an agent");
    };
    assert!(next.report(slot, at(20)).unwrap().last_heartbeat.is_some());
}

#[test]
fn what_is_expected_and_was_never_heard_is_not_missed_by_one_who_looks_once() {
    let usual = Settings {
        expect: vec![Signal::Heartbeat],
        ..Settings::default()
    };
    let mut look = roster(&[("c", &[("a", None)])], usual, at(9000));
    look.recall(None, BOOT, at(9000));
    let awaited = (
        State::Unknown,
        String::from("no beat yet; the first is awaited"),
    );
    assert_eq!(state(&look, "a", at(9000)), awaited);
}

#[test]
fn a_sign_on_file_counts_if_it_is_news_of_this_boot_and_this_life() {
    let mut roster = roster(&[("c", &[("a", Some(3))])], Settings::default(), at(500));
    let Found::One(slot) = roster.find("a", None) else {
        panic!("an agent");
    };
    let mut hear = |sign: &Beat, boot| roster.hear_file(slot, sign, boot, at(500));
    assert_eq!(hear(&beat(400, Some(3)), Some("two")), None, "another boot");
    assert_eq!(hear(&beat(501, Some(3)), BOOT), None, "not yet");
    let fenced = Some(Err(Refusal::Fenced(3)));
    assert_eq!(hear(&beat(400, Some(2)), BOOT), fenced);
    assert_eq!(hear(&beat(400, Some(3)), BOOT), Some(Ok(())));
    assert_eq!(hear(&beat(400, Some(3)), BOOT), None, "it was taken before");
    assert_eq!(
        hear(&beat(390, Some(3)), BOOT),
        None,
        "older than what is known"
    );
}

#[test]
fn a_sign_of_one_kind_hides_none_of_another_that_came_a_moment_before() {
    let usual = Settings {
        output_timeout: Some(60),
        ..Settings::default()
    };
    let mut roster = roster(&[("c", &[("a", Some(3))])], usual, at(500));
    let Found::One(slot) = roster.find("a", None) else {
        panic!("an agent");
    };
    let of = |kind, seconds| Beat {
        kind,
        ..beat(seconds, Some(3))
    };
    for sign in [
        of(Kind::Heartbeat, 450),
        of(Kind::Notify, 449),
        of(Kind::Output, 448),
    ] {
        assert_eq!(roster.hear_file(slot, &sign, BOOT, at(500)), Some(Ok(())));
    }
    let signs = &roster.get(slot).unwrap().signs;
    let last = Kind::ALL.map(|kind| signs.last_on_file(kind));
    assert_eq!(last, [Some(450_000), Some(449_000), Some(448_000)]);
    assert_eq!(signs.contact(), Some(450_000));
}

#[test]
fn words_are_shown_and_are_no_sign_and_what_an_older_runner_left_is_not_even_that() {
    let mut roster = roster(&[("c", &[("a", Some(3))])], Settings::default(), at(500));
    let Found::One(slot) = roster.find("a", None) else {
        panic!("an agent");
    };
    let of = |says, seconds, status: &str| Beat {
        kind: Kind::Notify,
        says,
        status: Some(status.to_owned()),
        ..beat(seconds, Some(3))
    };
    let mut hear = |sign: &Beat| {
        let heard = roster.hear_file(slot, sign, BOOT, at(500));
        let watched = roster.get(slot).unwrap();
        (
            heard,
            watched.signs.is_ready(),
            watched.heard.status.clone(),
        )
    };
    let said = |text: &str| Some(text.to_owned());
    let old = Beat {
        incarnation: Some(2),
        ..of(Says::Lives, 400, "old")
    };
    assert_eq!(hear(&old), (None, false, None));
    let loads = of(Says::Words, 400, "loads");
    assert_eq!(hear(&loads), (Some(Ok(())), false, said("loads")));
    assert_eq!(hear(&loads), (None, false, said("loads")));
    let ready = of(Says::Ready, 410, "ready");
    assert_eq!(hear(&ready), (Some(Ok(())), true, said("ready")));
    // The same sign with other words: it is no second sign.
    let works = of(Says::Ready, 410, "works");
    assert_eq!(hear(&works), (Some(Ok(())), true, said("works")));
    let ends = Beat {
        quiet_until: Some(510_000),
        ..of(Says::Ready, 410, "ends")
    };
    assert_eq!(hear(&ends).2, said("ends"));
    assert_eq!(
        roster.get(slot).unwrap().signs.quiet(500_000),
        Some(510_000)
    );
}

#[test]
fn a_part_counts_what_it_has_and_names_it_anew() {
    let cells: &[(&str, Crew<'_>)] = &[("c", &[("a", None), ("b", None)]), ("d", &[("a", None)])];
    let roster = roster(cells, Settings::default(), at(9));
    let reports = roster.all().map(|(_, watched)| watched.report(at(9)));
    let cells = roster.cell_reports(at(9));
    let all = super::Overview::of(at(9).wall, reports.collect(), cells);
    let keys =
        |overview: &super::Overview| -> Vec<String> { overview.agents.keys().cloned().collect() };
    assert_eq!(keys(&all), ["b", "c/a", "d/a"]);
    let of_cell = all.clone().only(|_| true, Some("c"));
    assert_eq!(keys(&of_cell), ["a", "b"]);
    assert_eq!(
        (of_cell.total_cells, of_cell.total_agents, of_cell.unknown),
        (1, 2, 2)
    );
    let named = all.clone().only(|agent| agent.agent_id == "a", None);
    assert_eq!(keys(&named), ["c/a", "d/a"]);
    assert_eq!(named.cells["c"].total_agents, 1);
    let whole = of_cell.and(all.clone().only(|_| true, Some("d")));
    assert_eq!(whole, all);
}

#[test]
fn from_its_fence_on_an_older_life_is_refused_though_the_new_one_is_not_started_yet() {
    let mut roster = Roster::new(Settings::default());
    let mut fenced = agent("a", Some(3));
    (fenced.has_run, fenced.is_wanted, fenced.is_alive) = (true, true, true);
    let mut census = CellCensus {
        cell_id: CellId::new("c").unwrap(),
        mission_name: String::from("Example"),
        status: Some(CellStatus::Active),
        checkpoint_interval: 300,
        revive_timeout: 300,
        agents: vec![fenced],
        due: Vec::new(),
        troubles: Vec::new(),
    };
    let mut beat = |begun: u64, run: u64, said: Option<u64>| {
        census.agents[0].begun = begun;
        census.agents[0].run.as_mut().unwrap().incarnation = run;
        roster.enrol(&Arc::new(census.clone()), |_| None, at(0));
        let Found::One(slot) = roster.find("a", None) else {
            panic!("an agent");
        };
        let beat = super::Beat {
            incarnation: said,
            ..super::Beat::default()
        };
        roster
            .beat(slot, &beat, at(1))
            .map(|beaten| beaten.incarnation)
    };
    assert_eq!(beat(3, 3, Some(3)), Ok(3));
    // Another life was begun; the process of this one still stops.
    assert_eq!(beat(4, 3, Some(3)), Err(Refusal::Fenced(4)));
    assert_eq!(beat(4, 3, None), Err(Refusal::Fenced(4)));
    assert_eq!(beat(4, 4, Some(3)), Err(Refusal::Fenced(4)));
    assert_eq!(beat(4, 4, None), Ok(4));
}
