use super::*;
use crate::base::clock::Time;
use crate::daemon::story::Event;

fn story(incident: &str, event: Event) -> Arc<Story> {
    let at = Time::parse("2026-01-02T03:04:05Z").unwrap();
    Arc::new(Story::new(event, incident, at, "because"))
}

fn key(name: &str) -> Key {
    Key::from(name)
}

fn kept(mut queue: Queue) -> Queue {
    let written = queue.clone();
    queue.are_kept(&written);
    queue
}

/// A queue with these incidents, each with its beginning, for one receiver.
fn queue(incidents: &[&str]) -> Queue {
    let mut queue = Queue::default();
    for incident in incidents {
        queue.add(story(incident, Event::AgentUnhealthy), vec![key("hook")]);
    }
    kept(queue)
}

fn incident_of(next: &Next) -> &str {
    match next {
        Next::Now(story) => &story.incident,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_told_before_it_is_in_the_file() {
    let mut queue = Queue::default();
    queue.add(story("a", Event::AgentUnhealthy), vec![key("hook")]);
    assert_eq!(queue.next("hook", 0), Next::Nothing);
    let queue = kept(queue);
    assert_eq!(incident_of(&queue.next("hook", 0)), "a");
}

#[test]
fn a_receiver_that_fails_is_left_alone_for_longer_and_longer_and_then_the_story_is_given_up() {
    let pace = Pace::default();
    let mut queue = queue(&["a"]);
    let mut now = 0;
    for failures in 1..pace.tries {
        let Next::Now(story) = queue.next("hook", now) else {
            panic!("it is due");
        };
        let Failed::Again(wait) = queue.failed(&key("hook"), &story.id, now, None, &pace) else {
            panic!("there are tries left after {failures}");
        };
        let step = Duration::from_secs((1 << (failures - 1).min(20)).min(300));
        assert!(wait >= step && wait <= step * 5 / 4, "{failures}: {wait:?}");
        let due = now + millis(wait);
        assert_eq!(queue.next("hook", due - 1), Next::At(due));
        now = due;
    }
    // About an hour in all.
    assert!((3_000_000..5_400_000).contains(&now), "{now}");
    let id = story("a", Event::AgentUnhealthy).id.clone();
    let last = queue.failed(&key("hook"), &id, now, None, &pace);
    assert_eq!(last, Failed::GivenUp { tries: 20 });
    assert_eq!(
        (queue.len(), queue.next("hook", u64::MAX)),
        (0, Next::Nothing)
    );
}

#[test]
fn the_wait_that_a_receiver_asks_for_counts_up_to_the_cap() {
    let pace = Pace::default();
    for (asked, least) in [(0, 1), (90, 90), (86_400, 300)] {
        let mut queue = queue(&["a"]);
        let id = story("a", Event::AgentUnhealthy).id.clone();
        let asked = Some(Duration::from_secs(asked));
        let failed = queue.failed(&key("hook"), &id, 0, asked, &pace);
        let Failed::Again(wait) = failed else {
            panic!("{failed:?}");
        };
        assert!(wait >= Duration::from_secs(least) && wait <= Duration::from_secs(300));
    }
}

#[test]
fn stories_take_turns_so_that_one_does_not_stop_the_others() {
    let pace = Pace::default();
    let mut queue = queue(&["poison", "b", "c"]);
    let mut told = Vec::new();
    let mut now = 0;
    for _ in 0..4 {
        let Next::Now(story) = queue.next("hook", now) else {
            panic!("it is due");
        };
        told.push(story.incident.clone());
        if story.incident == "poison" {
            queue.failed(&key("hook"), &story.id, now, None, &pace);
        } else {
            queue.delivered("hook", &story.id);
        }
        now += 2_000;
    }
    assert_eq!(told, ["poison", "b", "c", "poison"]);
}

#[test]
fn the_end_of_an_incident_is_not_told_before_its_beginning() {
    let pace = Pace::default();
    let mut queue = queue(&["a", "b"]);
    queue.add(story("a", Event::AgentRecovered), vec![key("hook")]);
    let mut queue = kept(queue);
    let began = story("a", Event::AgentUnhealthy).id.clone();
    queue.failed(&key("hook"), &began, 0, None, &pace);
    queue.delivered("hook", &story("b", Event::AgentUnhealthy).id);
    let Next::Now(next) = queue.next("hook", 10_000) else {
        panic!("it is due");
    };
    assert_eq!(next.event, Event::AgentUnhealthy);
    queue.delivered("hook", &began);
    let Next::Now(next) = queue.next("hook", 10_000) else {
        panic!("it is due");
    };
    assert_eq!(next.event, Event::AgentRecovered);
}

#[test]
fn one_receiver_that_is_down_holds_up_no_other() {
    let pace = Pace::default();
    let mut queue = Queue::default();
    let began = story("a", Event::AgentUnhealthy);
    queue.add(began.clone(), vec![key("down"), key("up")]);
    let mut queue = kept(queue);
    queue.failed(&key("down"), &began.id, 0, None, &pace);
    assert!(matches!(queue.next("down", 0), Next::At(_)));
    assert_eq!(incident_of(&queue.next("up", 0)), "a");
    queue.delivered("up", &began.id);
    assert_eq!((queue.next("up", 0), queue.len()), (Next::Nothing, 1));
}

#[test]
fn the_thousand_and_first_story_costs_the_oldest() {
    let mut queue = Queue::default();
    for number in 0..MOST {
        let incident = format!("incident {number}");
        let added = queue.add(story(&incident, Event::AgentUnhealthy), vec![key("hook")]);
        assert_eq!(added, Added::Well);
    }
    assert_eq!(
        queue.add(story("one more", Event::AgentUnhealthy), vec![key("hook")]),
        Added::InPlaceOf(
            story("incident 0", Event::AgentUnhealthy),
            vec![key("hook")]
        )
    );
    assert_eq!(queue.len(), MOST);
    // What comes back from an old state is not told after all.
    assert_eq!(
        queue.add(
            story("incident 0", Event::AgentUnhealthy),
            vec![key("hook")]
        ),
        Added::Not
    );
    assert_eq!(queue.len(), MOST);
}

#[test]
fn a_story_is_told_once_also_over_a_restart() {
    let pace = Pace::default();
    let mut queue = queue(&["a", "b"]);
    let (a, b) = (
        story("a", Event::AgentUnhealthy),
        story("b", Event::AgentUnhealthy),
    );
    queue.delivered("hook", &a.id);
    queue.failed(&key("hook"), &b.id, 0, None, &pace);
    let (mut again, lost) = Queue::of_file(&queue.to_file().unwrap()).unwrap();
    assert_eq!(lost, 0);
    again.add(a, vec![key("hook")]);
    again.add(b.clone(), vec![key("hook")]);
    assert_eq!(again.len(), 1);
    // It waits no longer, but its tries are remembered.
    assert_eq!(incident_of(&again.next("hook", 0)), "b");
    assert_eq!(again.delivered("hook", &b.id), 2);
}

#[test]
fn a_receiver_that_is_no_longer_in_the_config_is_not_waited_for() {
    let mut queue = Queue::default();
    queue.add(
        story("a", Event::AgentUnhealthy),
        vec![key("old"), key("new")],
    );
    queue.add(story("b", Event::AgentUnhealthy), vec![key("old")]);
    let gone = queue.keep_receivers(|key| key == "new");
    assert_eq!(gone.len(), 1);
    assert_eq!((gone[0].incident.as_str(), queue.len()), ("b", 1));
}

#[test]
fn what_a_later_version_wrote_does_not_cost_the_rest() {
    let text = br#"{"version": 9, "stories": [
        {"story": {"id": "x", "event": "agent.exploded", "incident": "x", "at": "2026-01-02T03:04:05Z"}, "to": []},
        {"story": {"id": "a", "event": "hold.begun", "incident": "a", "at": "2026-01-02T03:04:05Z"},
         "to": [{"key": "hook", "tries": 3}]}]}"#;
    let (queue, lost) = Queue::of_file(text).unwrap();
    assert_eq!((queue.len(), lost), (1, 1));
    assert_eq!(incident_of(&queue.next("hook", 0)), "a");
    assert!(Queue::of_file(b"{}").is_ok());
    assert!(Queue::of_file(b"").is_err());
}
