//! Stories reach a program and webhooks, over real sockets and with real processes, and none is lost or told twice.

mod command;
mod page;
mod receiver;
mod restart;
mod webhook;

use mcell::base::backoff::Backoff;
use mcell::base::clock::{Clock, Time};
use mcell::daemon::metrics::{Metrics, Snapshot};
use mcell::daemon::story::{Event, Story};
use mcell::daemon::tell::{Note, Pace, Receivers, Setting, Teller};
use mcell::ops::config::{Secret, Webhook};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// For what must happen: long, since a slow machine is no failure.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "a secret of the two";

/// What is seen from several threads, and can be waited for.
struct Seen<T> {
    things: Mutex<Vec<T>>,
    bell: Condvar,
}

impl<T: Clone> Seen<T> {
    fn new() -> Arc<Self> {
        Arc::new(Seen {
            things: Mutex::new(Vec::new()),
            bell: Condvar::new(),
        })
    }

    fn add(&self, thing: T) {
        self.things.lock().unwrap().push(thing);
        self.bell.notify_all();
    }

    fn all(&self) -> Vec<T> {
        self.things.lock().unwrap().clone()
    }

    /// Waits until what is seen is enough, and gives it.
    #[track_caller]
    fn until(&self, what: &str, is_enough: impl Fn(&[T]) -> bool) -> Vec<T> {
        let things = self.things.lock().unwrap();
        let (things, waited) = self
            .bell
            .wait_timeout_while(things, PATIENCE, |things| !is_enough(things))
            .unwrap();
        assert!(!waited.timed_out(), "this never came: {what}");
        things.clone()
    }
}

/// A root, and what is said and counted about its stories.
struct Told {
    root: tempfile::TempDir,
    notes: Arc<Seen<Note>>,
    metrics: Arc<Metrics>,
    pace: Pace,
}

impl Told {
    fn new() -> Self {
        Told {
            root: tempfile::tempdir().expect("a root"),
            notes: Seen::new(),
            metrics: Arc::new(Metrics::new(0)),
            pace: Pace {
                backoff: Backoff {
                    first: Duration::from_millis(5),
                    cap: Duration::from_millis(40),
                },
                tries: 20,
                ..Pace::default()
            },
        }
    }

    fn start(&self, receivers: Receivers) -> Teller {
        let notes = Arc::clone(&self.notes);
        Teller::start(Setting {
            root: self.root.path(),
            receivers,
            pace: self.pace,
            clock: Clock::System,
            metrics: Arc::clone(&self.metrics),
            hear: Arc::new(move |note| notes.add(note.clone())),
        })
        .expect("a teller")
    }

    fn file(&self) -> serde_json::Value {
        let text = std::fs::read(self.root.path().join(".mcell/stories.json")).expect("the file");
        serde_json::from_slice(&text).expect("JSON")
    }

    fn count(&self, series: &str) -> u64 {
        let text = self.metrics.render(&Snapshot::default()).expect("metrics");
        let line = text.lines().find(|line| line.starts_with(series));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.expect("the series").parse().expect("a number")
    }

    #[track_caller]
    fn hears(&self, what: &str, is_it: impl Fn(&Note) -> bool) -> Note {
        let notes = self.notes.until(what, |notes| notes.iter().any(&is_it));
        notes.into_iter().find(is_it).expect("it was heard")
    }
}

fn story(incident: &str) -> Story {
    let at = Time::parse("2026-01-02T03:04:05Z").expect("a time");
    Story {
        cell_id: Some(String::from("2f1c9a4e")),
        agent_id: Some(String::from("agent_002")),
        mission_name: Some(String::from("Example Mission")),
        ..Story::new(Event::AgentUnhealthy, incident, at, "silent for 312 s")
    }
}

/// A webhook that wants everything.
fn webhook(url: String, secret: &str) -> Webhook {
    Webhook {
        url,
        secret: Secret::Text(secret.to_owned()),
        events: vec![String::from("*")],
    }
}

fn to_webhooks(webhooks: &[Webhook]) -> Receivers {
    Receivers {
        command: Vec::new(),
        webhooks: webhooks.to_vec(),
    }
}

fn to_shell(script: &str) -> Receivers {
    Receivers {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        webhooks: Vec::new(),
    }
}

fn delivered(note: &Note) -> bool {
    matches!(note, Note::Delivered { .. })
}
