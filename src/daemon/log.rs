//! What the daemon says of itself: a line an event on stderr, as words or JSON, and the same in its file.

use crate::base::clock::Clock;
use crate::base::text::shown;
pub use crate::ops::config::LogLevel as Level;
use crate::store::daemon_log::DaemonLog;
use serde_json::{Map, Value};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// In which form lines go to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The log of a daemon.
#[derive(Debug)]
pub struct Log {
    format: LogFormat,
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    least: Level,
    file: Option<DaemonLog>,
}

impl Log {
    /// A log to stderr and to a file.
    pub fn new(format: LogFormat, least: Level, clock: Clock, file: Option<DaemonLog>) -> Self {
        Log {
            format,
            clock,
            inner: Mutex::new(Inner { least, file }),
        }
    }

    /// Passes over what matters less from now on.
    pub fn at_least(&self, least: Level) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .least = least;
    }

    /// Says a line: what sort of event, in words, and what it is about.
    pub fn say(&self, level: Level, event: &str, text: &str, about: &[(&str, &str)]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if level < inner.least {
            return;
        }
        let now = self.clock.now();
        let mut object = Map::new();
        let pairs = [
            ("at", now.to_string()),
            ("level", level.word().to_owned()),
            ("event", event.to_owned()),
        ];
        for (name, value) in pairs {
            object.insert(name.to_owned(), Value::String(value));
        }
        for (name, value) in about {
            object.insert((*name).to_owned(), Value::String((*value).to_owned()));
        }
        object.insert(String::from("text"), Value::String(text.to_owned()));
        let json = Value::Object(object).to_string();
        let line = match self.format {
            LogFormat::Json => json.clone(),
            LogFormat::Text => words(&now.to_string(), level, text),
        };
        // When stderr is gone, or the disk is full, there is nobody to tell; the daemon goes on.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
        if let Some(file) = &mut inner.file {
            let _ = file.add(&json);
        }
    }

    /// Says what happened.
    pub fn info(&self, event: &str, text: &str) {
        self.say(Level::Info, event, text, &[]);
    }

    /// Says what should be looked at.
    pub fn warn(&self, event: &str, text: &str) {
        self.say(Level::Warning, event, text, &[]);
    }
}

/// A line for people.
pub fn words(at: &str, level: Level, text: &str) -> String {
    format!("{at} {:<7} {}", level.word(), shown(text))
}
