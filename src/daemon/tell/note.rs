//! What the teller has to say of its own work, for the daemon's log.

use crate::base::error::Error;
use crate::daemon::log::Level;
use crate::daemon::story::Story;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One thing that happened to a story, or to their file.
#[derive(Clone, Debug)]
pub enum Note {
    /// It was told.
    Delivered {
        /// The story.
        story: Arc<Story>,
        /// To whom, in words.
        to: String,
        /// How many tries it took.
        tries: u32,
    },
    /// It was not, and is tried again.
    Retried {
        /// The story.
        story: Arc<Story>,
        /// To whom, in words.
        to: String,
        /// What stood in the way.
        why: String,
        /// When it is tried again.
        wait: Duration,
    },
    /// It was not, and is not tried again.
    GivenUp {
        /// The story.
        story: Arc<Story>,
        /// To whom, in words.
        to: String,
        /// What stood in the way.
        why: String,
        /// How often it was tried.
        tries: u32,
    },
    /// It had to go: too many wait.
    Dropped {
        /// The story.
        story: Arc<Story>,
    },
    /// Nobody is left to hear it: the config was changed.
    Unheard {
        /// The story.
        story: Arc<Story>,
    },
    /// The file cannot be written: what waits is told, and would be lost with the daemon.
    NotKept {
        /// What stands in the way.
        error: Error,
    },
    /// The file could not be read, as a whole or in part, and was put aside.
    PutAside {
        /// Where it lies now.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A thread cannot be had: nobody tells this receiver anything until the next reload.
    NoThread {
        /// Whom, in words.
        to: String,
        /// What stands in the way.
        why: String,
    },
}

impl Note {
    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Note::Delivered { .. } | Note::Unheard { .. } => Level::Info,
            Note::Retried { .. } => Level::Warning,
            Note::GivenUp { .. }
            | Note::Dropped { .. }
            | Note::NotKept { .. }
            | Note::PutAside { .. }
            | Note::NoThread { .. } => Level::Error,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Delivered {
                story,
                to,
                tries: 1,
            } => write!(out, "told {to}: {}", story.subject()),
            Note::Delivered { story, to, tries } => {
                write!(out, "told {to} at try {tries}: {}", story.subject())
            }
            Note::Retried {
                story,
                to,
                why,
                wait,
            } => write!(
                out,
                "cannot tell {to}: {why}; again in {} s: {}",
                wait.as_secs_f32().ceil(),
                story.subject()
            ),
            Note::GivenUp {
                story,
                to,
                why,
                tries: 1,
            } => write!(out, "cannot tell {to}: {why}: {}", story.subject()),
            Note::GivenUp {
                story,
                to,
                why,
                tries,
            } => write!(
                out,
                "cannot tell {to}: {why}; given up after {tries} tries: {}",
                story.subject()
            ),
            Note::Dropped { story } => write!(
                out,
                "more than {} stories wait, so the oldest is never told: {}",
                super::MOST,
                story.subject()
            ),
            Note::Unheard { story } => write!(
                out,
                "nobody in the config is left to be told: {}",
                story.subject()
            ),
            Note::NotKept { error } => write!(
                out,
                "what waits to be told would be lost with the daemon: {error}"
            ),
            Note::PutAside { place, why } => write!(
                out,
                "what waited to be told cannot all be read ({why}); the file lies in {place}"
            ),
            Note::NoThread { to, why } => {
                write!(out, "{to} is told nothing until the next reload: {why}")
            }
        }
    }
}
