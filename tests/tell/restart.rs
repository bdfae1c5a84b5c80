//! What waits to be told is in a file: it outlives the daemon, and is told once.

use super::receiver::{Answer, Heard, Hearer, OK};
use super::{PATIENCE, SECRET, Told, delivered, story, to_webhooks, webhook};
use mcell::base::clock::Clock;
use mcell::daemon::log::Level;
use mcell::daemon::metrics::Metrics;
use mcell::daemon::tell::{MOST, Note, Pace, Setting, Teller};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn a_story_is_told_once_however_often_it_is_handed_over() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    for _ in 0..3 {
        teller.tell(story("a"));
    }
    told.hears("a delivery", delivered);
    teller.tell(story("a"));
    assert_eq!(teller.stop(PATIENCE), 0);
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("a"));
    teller.tell(story("b"));
    hearer.heard.until("the other", |heard| heard.len() == 2);
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(hearer.heard.all().len(), 2);
}

#[test]
fn what_is_not_told_at_the_end_is_told_at_the_next_start() {
    let told = Told::new();
    let hearer = Hearer::new(|number| if number == 0 { Answer::Nothing } else { OK });
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("a"));
    hearer
        .heard
        .until("the first try", |heard| !heard.is_empty());
    let begun = Instant::now();
    assert_eq!(teller.stop(Duration::from_millis(100)), 1);
    assert!(begun.elapsed() < Duration::from_secs(8), "{begun:?}");
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    told.hears("a delivery", delivered);
    assert_eq!(teller.stop(PATIENCE), 0);
}

#[test]
fn what_is_due_at_the_end_is_told_before_it() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    for number in 0..50 {
        teller.tell(story(&format!("incident {number}")));
    }
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(hearer.heard.all().len(), 50);
}

#[test]
fn of_more_stories_than_can_wait_the_oldest_go_and_that_is_said() {
    let mut told = Told::new();
    told.pace.backoff.first = Duration::from_secs(100);
    told.pace.backoff.cap = Duration::from_secs(100);
    let hearer = Hearer::new(|_| Answer::Status(503, String::new()));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    for number in 0..MOST {
        teller.tell(story(&format!("incident {number}")));
        if number % 100 == 99 {
            // Not faster than they can be written.
            while !teller.unkept().is_empty() {
                std::thread::yield_now();
            }
        }
    }
    teller.tell(story("one more"));
    let note = told.hears("what went", |note| matches!(note, Note::Dropped { .. }));
    assert!(
        note.level() == Level::Error && note.to_string().contains("1000"),
        "{note}"
    );
    assert_eq!(teller.waiting(), MOST);
    assert_eq!(
        told.count("mcell_story_deliveries_total{way=\"webhook\",outcome=\"dropped\"}"),
        1
    );
    drop(teller);
    assert_eq!(told.file()["stories"].as_array().map(Vec::len), Some(MOST));
}

#[test]
fn a_file_that_cannot_be_understood_is_put_aside_and_the_daemon_starts() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let runtime = told.root.path().join(".mcell");
    std::fs::create_dir(&runtime).expect("a folder");
    std::fs::write(runtime.join("stories.json"), "{\"stories\": [tru").expect("a file");
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    told.hears("where it lies", |note| {
        matches!(note, Note::PutAside { .. })
    });
    let aside = std::fs::read_to_string(runtime.join("stories.json.broken"));
    assert_eq!(aside.expect("the old file"), "{\"stories\": [tru");
    teller.tell(story("a"));
    told.hears("a delivery", delivered);
    assert_eq!(teller.stop(PATIENCE), 0);
}

#[test]
fn where_nothing_can_be_written_stories_are_told_all_the_same() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    // A folder where the temp should be.
    std::fs::create_dir_all(told.root.path().join(".mcell/.stories.json.tmp")).expect("a folder");
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("a"));
    told.hears("a delivery", delivered);
    told.hears("a complaint", |note| matches!(note, Note::NotKept { .. }));
    // Whoever keeps the daemon's state knows that the file does not have it.
    assert_eq!(teller.unkept().len(), 1);
}

/// Runs [`part`] in a process of its own: one that can be killed, and has an environment of its own.
fn apart(role: &str, root: &Path, url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--nocapture", "--exact", "tell::restart::part", role]);
    command.arg(root).arg(url);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command
}

/// What [`apart`] runs. As one test among the others it has no part to play.
#[test]
fn part() {
    let words: Vec<String> = std::env::args().collect();
    let [.., role, root, url] = &words[..] else {
        return;
    };
    if role != "tells" {
        return;
    }
    let webhook = webhook(url.clone(), SECRET);
    let teller = Teller::start(Setting {
        root: Path::new(root),
        receivers: to_webhooks(&[webhook]),
        pace: Pace::default(),
        clock: Clock::System,
        metrics: Arc::new(Metrics::new(0)),
        hear: Arc::new(|_| {}),
    })
    .expect("a teller");
    for incident in ["a", "b", "c"] {
        teller.tell(story(incident));
    }
    // Until it is killed, or the test goes away.
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn stories_survive_a_kill() {
    let told = Told::new();
    let hearer = Hearer::new(|number| if number == 0 { Answer::Nothing } else { OK });
    let mut child = apart("tells", told.root.path(), &hearer.webhook().url)
        .spawn()
        .expect("a process");
    // It is in the middle of telling the first one.
    let tried = hearer
        .heard
        .until("the first try", |heard| !heard.is_empty());
    let begun = Instant::now();
    let file = told.root.path().join(".mcell/stories.json");
    let waiting = || {
        let text = std::fs::read(&file).unwrap_or_default();
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        json["stories"].as_array().map_or(0, Vec::len)
    };
    while waiting() < 3 {
        assert!(begun.elapsed() < PATIENCE, "they are not in the file");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    let heard = hearer.heard.until("all three", |heard| heard.len() == 4);
    assert_eq!(heard[1].id(), tried[0].id());
    let mut ids: Vec<&str> = heard[1..].iter().map(Heard::id).collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        ["a", "b", "c"].map(|incident| format!("{incident}/agent.unhealthy"))
    );
    assert_eq!(teller.stop(PATIENCE), 0);
    // Nor are they told once more.
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    assert_eq!(teller.stop(PATIENCE), 0);
    assert_eq!(hearer.heard.all().len(), 4);
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let proxy = Hearer::new(|_| OK);
    let mut command = apart("tells", told.root.path(), &hearer.webhook().url);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, format!("http://{}", proxy.address));
    }
    let mut child = command.spawn().expect("a process");
    hearer.heard.until("all three", |heard| heard.len() == 3);
    drop(child.stdin.take());
    assert!(child.wait().expect("its end").success());
    assert!(proxy.heard.all().is_empty());
}
