use super::*;
use crate::base::boot::Moment;
use crate::health::incident::{Incidents, Look, Turn};

fn now() -> Time {
    Time::parse("2026-03-02T09:05:12Z").unwrap()
}

fn incident() -> Incident {
    let moment = Moment {
        wall: now(),
        boot: None,
        up: 0,
    };
    match Incidents::default().look("x", Look::Ill, false, &moment) {
        Some(Turn::Began(incident)) => incident,
        other => panic!("{other:?}"),
    }
}

fn unhealthy(mission_name: &str, reason: &str) -> Story {
    let whom = Whom {
        cell_id: Some("2f1c9a4e"),
        mission_name,
        agent_id: "agent_002",
    };
    Story {
        host: String::from("pit"),
        root: String::from("/var/missions"),
        ..Story::of_agent(Event::AgentUnhealthy, whom, &incident(), now(), reason)
            .change("healthy", "unhealthy")
            .then("a revival, which waits for approval")
    }
}

#[test]
fn a_story_is_read_by_people_from_its_first_line_on() {
    assert_eq!(
        unhealthy("Example Mission", "silent for 312 s, its limit is 300 s").text(),
        "agent_002 of Example Mission is unhealthy: silent for 312 s, its limit is 300 s\n\
         \n\
         at        2026-03-02T09:05:12Z\n\
         host      pit\n\
         root      /var/missions\n\
         cell      2f1c9a4e (Example Mission)\n\
         agent     agent_002\n\
         change    from healthy to unhealthy\n\
         reason    silent for 312 s, its limit is 300 s\n\
         next      a revival, which waits for approval\n\
         type      mcell why 2f1c9a4e/agent_002\n\
         event     agent.unhealthy\n\
         incident  2f1c9a4e/agent_002/1772442312\n"
    );
}

#[test]
fn a_mission_s_name_cannot_write_lines_of_its_own() {
    let story = unhealthy("x\nBcc: all@example.org\u{1b}[2J", "y\r\nz\0");
    let subject = story.subject();
    assert!(!subject.contains(char::is_control), "{subject}");
    let lines = story.text().lines().count();
    assert_eq!(lines, unhealthy("x", "y").text().lines().count());
}

#[test]
fn what_is_endless_in_a_file_is_short_in_a_story() {
    let story = unhealthy(&"m".repeat(100_000), &"r".repeat(100_000));
    assert!(story.subject().chars().count() <= LONGEST_SUBJECT);
    assert!(story.text().len() < 4_000, "{}", story.text().len());
}

#[test]
fn a_story_survives_as_json_with_its_public_names() {
    let story = unhealthy("Example Mission", "dead");
    let json = serde_json::to_value(&story).unwrap();
    assert_eq!(json["id"], "2f1c9a4e/agent_002/1772442312/agent.unhealthy");
    assert_eq!(json["event"], "agent.unhealthy");
    assert_eq!(json["at"], "2026-03-02T09:05:12Z");
    assert_eq!(json["mission_name"], "Example Mission");
    assert_eq!(serde_json::from_value::<Story>(json).unwrap(), story);
    // What the first version wrote is read for ever.
    let old =
        r#"{"id": "a", "event": "hold.begun", "incident": "hold/1", "at": "2026-03-02T09:05:12Z"}"#;
    assert_eq!(
        serde_json::from_str::<Story>(old).unwrap().event,
        Event::HoldBegun
    );
}

#[test]
fn the_beginning_and_the_end_share_their_incident_and_not_their_id() {
    let whom = Whom {
        cell_id: None,
        mission_name: "",
        agent_id: "test_agent",
    };
    let tell = |event| Story::of_agent(event, whom, &incident(), now(), "because");
    let (began, ended) = (tell(Event::AgentUnhealthy), tell(Event::AgentRecovered));
    assert_eq!(began.incident, ended.incident);
    assert_ne!(began.id, ended.id);
    assert_eq!(ended.subject(), "test_agent is healthy again");
    assert_eq!(began.command.unwrap(), "mcell why test_agent");
}

#[test]
fn a_webhook_names_the_events_that_it_wants() {
    for event in Event::ALL {
        assert!(event.is_meant_by("*") && event.is_meant_by(event.word()));
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            event.word(),
            "two spellings"
        );
    }
    let in_config = crate::ops::config::EVENTS;
    assert_eq!(in_config, Event::ALL.map(Event::word));
    assert!(Event::AgentStalled.is_meant_by("agent.*"));
    assert!(!Event::HoldBegun.is_meant_by("agent.*"));
    assert!(!Event::HoldBegun.is_meant_by("hold"));
}
