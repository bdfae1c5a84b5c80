//! Webhooks: what they get, and what becomes of what they do not take.

use super::receiver::{Answer, Hearer, OK};
use super::{PATIENCE, SECRET, Told, delivered, story, to_webhooks, webhook};
use mcell::base::clock::Clock;
use mcell::daemon::story::{Event, Story};
use mcell::daemon::tell::{Note, signature};
use mcell::ops::config::{Secret, Webhook};
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn a_webhook_gets_the_story_signed() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("2f1c9a4e/agent_002/1"));
    told.hears("a delivery", delivered);
    let heard = hearer.heard.all();
    assert_eq!(heard.len(), 1);
    let heard = &heard[0];
    assert_eq!(heard.line, "POST /hooks/mcell HTTP/1.1");
    assert_eq!(heard.header("content-type"), Some("application/json"));
    assert_eq!(heard.header("x-mcell-event"), Some("agent.unhealthy"));
    assert_eq!(heard.id(), "2f1c9a4e/agent_002/1/agent.unhealthy");
    let timestamp = heard.header("x-mcell-timestamp").expect("a timestamp");
    let age = Clock::System.now().unix() - timestamp.parse::<i64>().expect("seconds");
    assert!((0..=60).contains(&age), "{age}");
    let wanted = format!(
        "sha256={}",
        signature(SECRET.as_bytes(), timestamp, &heard.body)
    );
    assert_eq!(heard.header("x-mcell-signature"), Some(wanted.as_str()));
    let json = heard.json();
    assert_eq!(json["agent_id"], "agent_002");
    assert_eq!(json["reason"], "silent for 312 s");
    let root = told.root.path().canonicalize().expect("a path");
    assert_eq!(json["root"], root.display().to_string());
    assert_ne!(json["host"], "");
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(told.file()["stories"], serde_json::json!([]));
}

#[test]
fn a_secret_in_a_file_is_read_at_each_use_and_nothing_is_sent_unsigned() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let file = told.root.path().join("secret");
    let teller = told.start(to_webhooks(&[Webhook {
        secret: Secret::File(file.clone()),
        ..hearer.webhook()
    }]));
    teller.tell(story("a"));
    let note = told.hears("that it lacks", |note| matches!(note, Note::Retried { .. }));
    assert!(note.to_string().contains("secret_file"), "{note}");
    assert!(hearer.heard.all().is_empty());
    std::fs::write(&file, "from a file\n").expect("a file");
    let heard = hearer.heard.until("a", |heard| !heard.is_empty());
    let timestamp = heard[0].header("x-mcell-timestamp").expect("a timestamp");
    let wanted = format!(
        "sha256={}",
        signature(b"from a file", timestamp, &heard[0].body)
    );
    assert_eq!(heard[0].header("x-mcell-signature"), Some(wanted.as_str()));
    teller.stop(PATIENCE);
}

#[test]
fn one_address_may_be_named_twice_for_different_events() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let of = |word: &str| Webhook {
        events: vec![word.to_owned()],
        ..hearer.webhook()
    };
    let teller = told.start(to_webhooks(&[of("hold.*"), of("agent.*")]));
    teller.tell(story("a"));
    let heard = hearer.heard.until("a", |heard| !heard.is_empty());
    assert_eq!(heard[0].header("x-mcell-event"), Some("agent.unhealthy"));
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(hearer.heard.all().len(), 1);
}

#[test]
fn a_receiver_that_is_down_at_first_is_told_when_it_is_back() {
    // An address of its own: no other test takes the port while nobody listens there.
    let address = TcpListener::bind("127.0.43.1:0").and_then(|socket| socket.local_addr());
    let address = address.expect("an address").to_string();
    let told = Told::new();
    let teller = told.start(to_webhooks(&[webhook(
        format!("http://{address}/"),
        SECRET,
    )]));
    teller.tell(story("a"));
    told.notes.until("two failures", |notes| notes.len() >= 2);
    let failures = ["connection refused", "it answers 503", "end of file"];
    let hearer = Hearer::at(&address, |number| match number {
        0 => Answer::Status(503, String::new()),
        1 => Answer::Close,
        _ => OK,
    });
    let note = told.hears("a delivery", delivered);
    assert!(note.to_string().contains("at try"), "{note}");
    let heard = hearer.heard.all();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|one| one.id() == heard[0].id()));
    let said: Vec<String> = told.notes.all().iter().map(Note::to_string).collect();
    for failure in &failures[..2] {
        assert!(said.iter().any(|line| line.contains(failure)), "{said:?}");
    }
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(
        told.count("mcell_story_deliveries_total{way=\"webhook\",outcome=\"delivered\"}"),
        1
    );
    assert!(told.count("mcell_story_deliveries_total{way=\"webhook\",outcome=\"retried\"}") >= 4);
}

#[test]
fn a_receiver_that_hangs_stops_neither_the_sweep_nor_others() {
    let (mut told, good) = (Told::new(), Hearer::new(|_| OK));
    told.pace.webhook_deadline = Duration::from_millis(300);
    let hanging = Hearer::new(|_| Answer::Nothing);
    let teller = told.start(to_webhooks(&[hanging.webhook(), good.webhook()]));
    let mut slowest = Vec::new();
    for number in 0..200 {
        let story = story(&format!("incident {number}"));
        let begun = Instant::now();
        teller.tell(story);
        slowest.push(begun.elapsed());
    }
    slowest.sort();
    // Not the slowest one: this machine may look elsewhere for longer than that.
    assert!(slowest[190] < Duration::from_millis(1), "{slowest:?}");
    good.heard.until("all 200", |heard| heard.len() == 200);
    let note = told.hears("that it hangs", |note| matches!(note, Note::Retried { .. }));
    assert!(
        note.to_string().contains("no answer within 0.3 s"),
        "{note}"
    );
    assert_eq!(teller.waiting(), 200);
}

#[test]
fn what_a_receiver_refuses_is_not_told_again() {
    let told = Told::new();
    let elsewhere = Hearer::new(|_| OK);
    let place = format!("location: http://{}/\r\n", elsewhere.address);
    let hearer = Hearer::new(move |number| match number {
        0 => Answer::Status(400, String::new()),
        1 => Answer::Status(307, place.clone()),
        _ => OK,
    });
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    for incident in ["a", "b", "c"] {
        teller.tell(story(incident));
    }
    told.hears("a delivery", delivered);
    let said: Vec<String> = told.notes.all().iter().map(Note::to_string).collect();
    assert!(said[0].contains("it answers 400"), "{said:?}");
    assert!(said[1].contains("redirects are not followed"), "{said:?}");
    assert_eq!(hearer.heard.all().len(), 3);
    assert!(elsewhere.heard.all().is_empty());
    assert_eq!(teller.stop(PATIENCE), 0);
}

#[test]
fn the_wait_that_a_receiver_asks_for_is_kept() {
    let mut told = Told::new();
    told.pace.backoff.cap = Duration::from_secs(300);
    let hearer = Hearer::new(|_| Answer::Status(429, String::from("retry-after: 60\r\n")));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("a"));
    let note = told.hears("a failure", |note| matches!(note, Note::Retried { .. }));
    let Note::Retried { wait, .. } = note else {
        panic!("{note}");
    };
    assert_eq!(wait, Duration::from_secs(60));
    // It waits, and so the end comes at once.
    let begun = Instant::now();
    assert_eq!(teller.stop(PATIENCE), 1);
    assert!(begun.elapsed() < PATIENCE / 2);
    assert_eq!(hearer.heard.all().len(), 1);
}

#[test]
fn a_story_that_nobody_takes_is_given_up() {
    let mut told = Told::new();
    told.pace.tries = 3;
    let hearer = Hearer::new(|_| Answer::Status(500, String::new()));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("a"));
    let note = told.hears("the end", |note| matches!(note, Note::GivenUp { .. }));
    assert!(
        note.to_string().contains("given up after 3 tries"),
        "{note}"
    );
    assert_eq!((hearer.heard.all().len(), teller.stop(PATIENCE)), (3, 0));
}

#[test]
fn a_webhook_hears_only_the_events_that_it_names() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let picky = Webhook {
        events: vec![String::from("hold.*")],
        ..hearer.webhook()
    };
    let teller = told.start(to_webhooks(&[picky]));
    teller.tell(story("a"));
    teller.tell(Story::new(
        Event::HoldBegun,
        "hold/1",
        story("a").at,
        "many fell",
    ));
    let heard = hearer.heard.until("the hold", |heard| !heard.is_empty());
    assert_eq!(heard[0].header("x-mcell-event"), Some("hold.begun"));
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(hearer.heard.all().len(), 1);
}

#[test]
fn after_a_reload_others_are_told() {
    let told = Told::new();
    let (old, new) = (
        Hearer::new(|_| Answer::Status(503, String::new())),
        Hearer::new(|_| OK),
    );
    let teller = told.start(to_webhooks(&[old.webhook()]));
    teller.tell(story("a"));
    told.hears("a failure", |note| matches!(note, Note::Retried { .. }));
    teller.reload(&to_webhooks(&[new.webhook()]));
    told.hears("that a is not told", |note| {
        matches!(note, Note::Unheard { .. })
    });
    teller.tell(story("b"));
    let heard = new.heard.until("b", |heard| !heard.is_empty());
    assert_eq!(heard[0].id(), "b/agent.unhealthy");
    assert_eq!(teller.stop(PATIENCE), 0);
}

#[test]
fn after_a_reload_the_new_secret_signs() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    let other = Webhook {
        secret: Secret::Text(String::from("another")),
        ..hearer.webhook()
    };
    teller.reload(&to_webhooks(&[other]));
    teller.tell(story("a"));
    let heard = hearer.heard.until("a", |heard| !heard.is_empty());
    let timestamp = heard[0].header("x-mcell-timestamp").expect("a timestamp");
    let wanted = format!(
        "sha256={}",
        signature(b"another", timestamp, &heard[0].body)
    );
    assert_eq!(heard[0].header("x-mcell-signature"), Some(wanted.as_str()));
    teller.stop(PATIENCE);
}
