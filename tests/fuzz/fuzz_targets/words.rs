//! What people type and files hold in single words: durations, amounts, times, ids, rules, assignments.
//!
//! The whole input is each of them; an assignment is tried on a sound file of every kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcell::base::clock::Time;
use mcell::base::document::Document;
use mcell::base::duration::{Seconds, age, in_words};
use mcell::base::error::Kind;
use mcell::base::ids::{AgentId, CellId, TaskId, is_id, is_uuid, number_of};
use mcell::base::text::{cut, is_same_word, is_slip, nearest, quoted, shown};
use mcell::mission::agent::Agent;
use mcell::mission::amount::{Bytes, Cores};
use mcell::mission::cell::Cell;
use mcell::mission::isolation::{Isolation, Level};
use mcell::mission::permission::Permissions;
use mcell::mission::policy::Policies;
use mcell::mission::rules;
use mcell::mission::shape::{self, lookup, typed};
use mcell::mission::sheet::Record;
use mcell::mission::task::Task;
use mcell::ops::set::{Assignment, text_with};
use mcell::store::read::sound;
use serde::de::DeserializeOwned;

fuzz_target!(
    init: {
        // Fourteen hours east: the end of time must not be one day too late there.
        // SAFETY: nothing else runs yet.
        unsafe { std::env::set_var("TZ", "EAST-14") };
    },
    |input: &str| {
        durations(input);
        amounts(input);
        times(input);
        ids(input);
        texts(input);
        shapes(input);
        assignments(input);
        if let Some(rule) = rules::find(input) {
            assert_eq!(rules::find(rule.code).map(|rule| rule.name), Some(rule.name));
        }
        if let Some(level) = Level::typed(input) {
            assert_eq!(Level::typed(level.word()), Some(level));
        }
    }
);

fn durations(input: &str) {
    match input.parse::<Seconds>() {
        Ok(seconds) => {
            assert_eq!(seconds.to_string().parse(), Ok(seconds));
            let typed = in_words(seconds.0).parse::<Seconds>();
            assert!(typed.is_ok_and(|typed| typed <= seconds));
            let _ = age(seconds.0);
        }
        Err(error) => bounded(&error.to_string(), input),
    }
}

fn amounts(input: &str) {
    match input.parse::<Cores>() {
        Ok(cores) => assert_eq!(cores.to_string().parse(), Ok(cores)),
        Err(error) => bounded(&error.to_string(), input),
    }
    match input.parse::<Bytes>() {
        Ok(bytes) => assert_eq!(bytes.to_string().parse(), Ok(bytes)),
        Err(error) => bounded(&error.to_string(), input),
    }
}

/// What is said of an input must not be far larger than the input.
fn bounded(said: &str, input: &str) {
    assert!(said.len() <= 300 + 10 * input.len());
}

fn times(input: &str) {
    let Some(guess) = Time::guess(input) else {
        assert!(Time::parse(input).is_none());
        return;
    };
    let again = Time::parse(&guess.to_string()).expect("what was guessed can be written and read");
    assert_eq!(again.unix(), guess.unix());
    let first = Time::parse("0000-01-01T00:00:00Z").expect("a time");
    let last = first.plus(u64::MAX);
    for other in [first, last] {
        assert_eq!(guess.since(other), -other.since(guess));
        let _ = (
            guess.local(other),
            other.local(guess),
            guess.plus(u64::MAX).to_string(),
        );
    }
    let json = serde_json::to_string(&guess).expect("a time is text");
    assert_eq!(
        serde_json::from_str::<Time>(&json)
            .expect("and is read back")
            .unix(),
        guess.unix()
    );
}

fn ids(input: &str) {
    let is = is_id(input);
    assert_eq!(AgentId::new(input).is_ok(), is);
    assert_eq!(input.parse::<TaskId>().is_ok(), is);
    match CellId::new(input) {
        Ok(id) => assert!(is && input.starts_with(id.short()) && !input.contains('/')),
        Err(error) => assert!(!is && error.kind() == Kind::Usage),
    }
    assert!(!is_uuid(input) || is);
    let _ = number_of(input, "task_");
}

fn texts(input: &str) {
    let visible = shown(input);
    assert!(!visible.contains(char::is_control) && shown(&visible) == visible);
    for most in [0, 1, 40] {
        assert!(cut(input, most).chars().count() <= most.max(1));
    }
    let words = quoted(input);
    assert_eq!(unquoted(&words), input);
    let (one, other) = input.split_once('\n').unwrap_or((input, "dependencies"));
    let meant = nearest(one, [other, "status"]);
    assert!(meant.is_none_or(|meant| meant == other || meant == "status"));
    assert!(is_slip(one, one) && is_same_word(other, other.trim()));
    assert_eq!(is_slip(one, other), is_slip(other, one));
}

/// One word as a shell reads it.
fn unquoted(words: &str) -> String {
    let (mut text, mut is_quoted) = (String::new(), false);
    let mut letters = words.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            '\\' if !is_quoted => text.extend(letters.next()),
            letter => {
                let is_plain = letter.is_ascii_alphanumeric() || "/._-+,:@%".contains(letter);
                assert!(
                    is_quoted || is_plain,
                    "a shell takes this for more than a letter"
                );
                text.push(letter);
            }
        }
    }
    assert!(!is_quoted);
    text
}

fn shapes(input: &str) {
    let _ = (lookup::name_of(input), lookup::key_of(input));
    for shape in shape::ALL {
        let _ = lookup::at(shape, input);
        for field in shape.fields {
            match typed::typed(input, field) {
                Ok(value) => {
                    let text = value.to_string();
                    assert!(Document::parse(text.as_bytes()).is_ok());
                }
                Err(allowed) => assert!(!allowed.is_empty()),
            }
        }
    }
}

/// Sets fields, one a line.
fn assignments(input: &str) {
    let wanted: Result<Vec<Assignment>, _> = input.lines().map(str::parse).collect();
    let Ok(wanted) = wanted else { return };
    set::<Cell>(CELL, "cell.json", &wanted);
    set::<Agent>(AGENT, "agents/agent_001.json", &wanted);
    set::<Task>(TASK, "tasks/task_001.json", &wanted);
    set::<Isolation>(ISOLATION, "config/isolation.json", &wanted);
    set::<Policies>("{}", "config/policies.json", &wanted);
    set::<Permissions>("{}", "config/permissions.json", &wanted);
}

/// What is set into a sound file leaves it sound, and setting it again changes nothing.
fn set<T: Record + DeserializeOwned>(text: &str, file: &str, wanted: &[Assignment]) {
    let set = |text: &[u8]| text_with(T::SHAPE, (file, file), text, wanted, &[]);
    match set(text.as_bytes()) {
        Ok(after) => {
            if let Err(error) = sound::<T>(file, file, &after) {
                panic!("set to what is not sound: {}", error.message());
            }
            assert_eq!(set(&after).expect("set once more"), after);
        }
        Err(error) => assert!(
            matches!(error.kind(), Kind::Usage | Kind::Malformed),
            "{}",
            error.message()
        ),
    }
}

const CELL: &str = r#"{"cell_id": "c0ffee00-0000-4000-8000-000000000001", "mission_name": "Example Mission",
  "created_at": "2026-01-02T03:04:05Z", "created_by": "ada", "status": "active", "isolation_level": "none",
  "max_agents": 10}"#;
const AGENT: &str = r#"{
  "agent_id": "agent_001",
  "name": "Lead",
  "role": "lead",
  "capabilities": [],
  "gateway": null,
  "status": "idle",
  "current_task": null,
  "checkpoint": null
}
"#;
const TASK: &str = r#"{"task_id":"task_001","title":"Review","description":"","assigned_to":null,"status":"pending",
  "priority":"high","dependencies":[],"artifacts":[],"timeout":1800,"created_at":"2026-01-02T03:04:05Z"}"#;
const ISOLATION: &str = r#"{"level": "none"}"#;
