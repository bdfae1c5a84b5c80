//! What waits to be told, and to whom. Pure: time comes in as milliseconds of any clock that does not jump.
//!
//! Each receiver is waited for by itself: one that is down holds up nobody else. While a receiver does not answer, the
//! waits between tries grow; the stories take turns, so that none uses up its tries alone, and one that the receiver
//! stumbles over does not stand before the others for an hour. Only stories of one incident keep their order: its end is
//! never told before its beginning.

#[cfg(test)]
mod tests;

use super::Pace;
use crate::base::backoff;
use crate::daemon::story::Story;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The most stories that wait; of more, the oldest go.
pub const MOST: usize = 1_000;
/// How many stories that were told are remembered: as many as can wait.
const MOST_REMEMBERED: usize = MOST;

/// The name of a receiver.
pub(super) type Key = String;

/// All that waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// The ids of what is done with, oldest first.
    done: VecDeque<String>,
    receivers: BTreeMap<Key, Receiver>,
}

#[derive(Clone, Debug)]
struct Waiting {
    story: Arc<Story>,
    to: Vec<To>,
    /// Whether it is in the file: nothing is told before, or a crash would lose what it was about to repeat.
    is_kept: bool,
}

/// One receiver of one story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct To {
    key: Key,
    tries: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Receiver {
    /// Failures in a row.
    failures: u32,
    /// No try before this moment.
    not_before: u64,
}

/// What became of a story that was to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It is known, or nobody wants it.
    Not,
    /// It waits.
    Well,
    /// It waits, and the oldest one had to go for it: that one, and those whom it did not reach.
    InPlaceOf(Arc<Story>, Vec<Key>),
}

/// What there is to do for a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This story is to be told now.
    Now(Arc<Story>),
    /// Something is, at this moment.
    At(u64),
    /// Nothing.
    Nothing,
}

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// It is tried again after this wait.
    Again(Duration),
    /// It is not.
    GivenUp {
        /// How often it was tried.
        tries: u32,
    },
}

/// The queue in its file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    stories: Vec<serde_json::Value>,
    #[serde(default)]
    done: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FileEntry<S> {
    story: S,
    to: Vec<To>,
}

impl Queue {
    /// Adds a story for these receivers. One that waits or was told already is not added again.
    pub(super) fn add(&mut self, story: Arc<Story>, to: Vec<Key>) -> Added {
        let is_known = self.done.contains(&story.id)
            || self.waiting.iter().any(|other| other.story.id == story.id);
        if is_known || to.is_empty() {
            return Added::Not;
        }
        let oldest = if self.waiting.len() >= MOST {
            self.waiting.pop_front()
        } else {
            None
        };
        self.waiting.push_back(Waiting {
            story,
            to: to.into_iter().map(|key| To { key, tries: 0 }).collect(),
            is_kept: false,
        });
        let Some(oldest) = oldest else {
            return Added::Well;
        };
        self.remember(oldest.story.id.clone());
        Added::InPlaceOf(
            oldest.story,
            oldest.to.into_iter().map(|to| to.key).collect(),
        )
    }

    /// How many stories wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What is to be done for a receiver.
    pub(super) fn next(&self, key: &str, now: u64) -> Next {
        let mut incidents = HashSet::new();
        let mut best: Option<(u32, &Waiting)> = None;
        for waiting in self.waiting.iter().filter(|waiting| waiting.is_kept) {
            let Some(to) = waiting.to.iter().find(|to| to.key == key) else {
                continue;
            };
            let is_first = incidents.insert(&waiting.story.incident);
            if is_first && best.is_none_or(|(tries, _)| to.tries < tries) {
                best = Some((to.tries, waiting));
            }
        }
        let Some((_, waiting)) = best else {
            return Next::Nothing;
        };
        match self.receivers.get(key) {
            Some(receiver) if receiver.not_before > now => Next::At(receiver.not_before),
            _ => Next::Now(Arc::clone(&waiting.story)),
        }
    }

    /// The receiver has taken the story; gives how many tries it took.
    pub(super) fn delivered(&mut self, key: &str, id: &str) -> u32 {
        self.receivers.remove(key);
        self.done_with(key, id) + 1
    }

    /// The receiver will never take this story, and may take others. Gives how often it was tried.
    pub(super) fn refused(&mut self, key: &str, id: &str) -> u32 {
        self.delivered(key, id)
    }

    /// The receiver did not take the story this time. It may ask for a longer wait than its failures give, up to the cap.
    pub(super) fn failed(
        &mut self,
        key: &str,
        id: &str,
        now: u64,
        asked: Option<Duration>,
        pace: &Pace,
    ) -> Failed {
        let receiver = self.receivers.entry(key.to_owned()).or_default();
        receiver.failures = receiver.failures.saturating_add(1);
        let seed = backoff::seed(&[key, id]);
        let wait = pace.backoff.wait(receiver.failures, seed);
        let wait = wait.max(asked.unwrap_or_default().min(pace.backoff.cap));
        receiver.not_before = now.saturating_add(millis(wait));
        let waiting = self.waiting.iter_mut().find(|other| other.story.id == id);
        let to = waiting.and_then(|waiting| waiting.to.iter_mut().find(|to| to.key == key));
        if let Some(to) = to {
            to.tries = to.tries.saturating_add(1);
            if to.tries < pace.tries {
                return Failed::Again(wait);
            }
        }
        Failed::GivenUp {
            tries: self.done_with(key, id),
        }
    }

    /// Takes a story off a receiver's list; gives how often it was tried before.
    fn done_with(&mut self, key: &str, id: &str) -> u32 {
        let Some(at) = self.waiting.iter().position(|other| other.story.id == id) else {
            return 0;
        };
        let Some(waiting) = self.waiting.get_mut(at) else {
            return 0;
        };
        let mut tries = 0;
        waiting.to.retain(|to| {
            let is_it = to.key == key;
            tries += if is_it { to.tries } else { 0 };
            !is_it
        });
        if waiting.to.is_empty() {
            self.waiting.remove(at);
            self.remember(id.to_owned());
        }
        tries
    }

    fn remember(&mut self, id: String) {
        if self.done.len() >= MOST_REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(id);
    }

    /// Takes receivers off every list that are not there any more; gives the stories that nobody is left to hear.
    pub(super) fn keep_receivers(&mut self, is_there: impl Fn(&str) -> bool) -> Vec<Arc<Story>> {
        self.receivers.retain(|key, _| is_there(key));
        for waiting in &mut self.waiting {
            waiting.to.retain(|to| is_there(&to.key));
        }
        let (left, gone) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| !waiting.to.is_empty());
        self.waiting = left;
        let gone: VecDeque<Waiting> = gone;
        gone.into_iter()
            .map(|waiting| {
                self.remember(waiting.story.id.clone());
                waiting.story
            })
            .collect()
    }

    /// What `written` has is in the file now.
    pub(super) fn are_kept(&mut self, written: &Queue) {
        let ids: HashSet<&str> = written
            .waiting
            .iter()
            .map(|waiting| waiting.story.id.as_str())
            .collect();
        for waiting in &mut self.waiting {
            waiting.is_kept |= ids.contains(waiting.story.id.as_str());
        }
    }

    /// The text of the file.
    pub(super) fn to_file(&self) -> serde_json::Result<Vec<u8>> {
        let stories = self.waiting.iter().map(|waiting| {
            serde_json::to_value(FileEntry {
                story: &*waiting.story,
                to: waiting.to.clone(),
            })
        });
        serde_json::to_vec(&File {
            stories: stories.collect::<Result<_, _>>()?,
            done: self.done.iter().cloned().collect(),
        })
    }

    /// Reads the text of the file; waits begin anew. Gives also how many stories in it could not be read: those of a later
    /// version may be of events that this one does not know.
    pub(super) fn of_file(text: &[u8]) -> serde_json::Result<(Self, usize)> {
        let file: File = serde_json::from_slice(text)?;
        let all = file.stories.len();
        let entries = file
            .stories
            .into_iter()
            .filter_map(|entry| serde_json::from_value::<FileEntry<Story>>(entry).ok());
        let waiting: VecDeque<Waiting> = entries
            .map(|entry| Waiting {
                story: Arc::new(entry.story),
                to: entry.to,
                is_kept: true,
            })
            .collect();
        let lost = all - waiting.len();
        let queue = Queue {
            waiting,
            done: file.done.into(),
            receivers: BTreeMap::new(),
        };
        Ok((queue, lost))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
