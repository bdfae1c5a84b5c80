//! The threads that tell: one for each receiver.

use super::board::{Shared, lock, way};
use super::queue::{Failed, Key, Next};
use super::{Note, Receiver, Receivers, Verdict, command, webhook};
use crate::base::error::in_words;
use crate::daemon::metrics::Told;
use crate::daemon::story::Story;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// One try.
struct Job {
    receiver: Receiver,
    story: Arc<Story>,
    deadline: Duration,
}

/// Takes these receivers for those that are told, and starts a thread for each that has none.
pub(super) fn reload(shared: &Arc<Shared>, receivers: &Receivers) {
    let all: Vec<(Key, Receiver)> = receivers.all();
    let mut new = Vec::new();
    let gone = {
        let mut board = lock(&shared.board);
        for (key, receiver) in &all {
            if board.threads.insert(key.clone()) {
                new.push((key.clone(), receiver.words()));
            }
        }
        let gone = board
            .queue
            .keep_receivers(|key| all.iter().any(|(other, _)| other == key));
        board.receivers = all;
        gone
    };
    shared.bell.notify_all();
    if !gone.is_empty() {
        shared.is_dirty();
    }
    for story in gone {
        (shared.hear)(&Note::Unheard { story });
    }
    for (key, to) in new {
        let (ours, theirs) = (Arc::clone(shared), key.clone());
        let begun = std::thread::Builder::new()
            .name(key.clone())
            .spawn(move || ours.work(&theirs));
        if let Err(error) = begun {
            lock(&shared.board).threads.remove(&key);
            let why = in_words(&error);
            (shared.hear)(&Note::NoThread { to, why });
        }
    }
}

impl Shared {
    /// One receiver's thread: tells it what is due, one story after the other.
    fn work(&self, key: &str) {
        while let Some(job) = self.wait_for_work(key) {
            let verdict = match &job.receiver {
                Receiver::Command(words) => {
                    command::tell(words, &job.story, job.deadline, || self.is_over())
                }
                Receiver::Webhook(webhook) => webhook::tell(
                    webhook,
                    &self.agent,
                    &job.story,
                    self.clock.now(),
                    job.deadline,
                ),
            };
            self.settle(key, &job, verdict);
        }
    }

    /// Waits for a story that is due; none if the thread is to end, and then it counts as ended.
    fn wait_for_work(&self, key: &str) -> Option<Job> {
        let mut board = lock(&self.board);
        loop {
            let found = board.receivers.iter().find(|(other, _)| other == key);
            let Some(receiver) = found.map(|(_, receiver)| receiver.clone()) else {
                break;
            };
            let now = self.now();
            let next = board.queue.next(key, now);
            let left = board
                .until
                .map(|until| until.saturating_duration_since(Instant::now()));
            board = match (next, left) {
                (_, Some(Duration::ZERO)) => break,
                (Next::Now(story), left) => {
                    let deadline = self.deadline(&receiver, left);
                    return Some(Job {
                        receiver,
                        story,
                        deadline,
                    });
                }
                (_, Some(_)) => break,
                (Next::At(when), None) => {
                    let wait = Duration::from_millis(when.saturating_sub(now));
                    let waited = self.bell.wait_timeout(board, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                (Next::Nothing, None) => {
                    let waited = self.bell.wait(board);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        board.threads.remove(key);
        drop(board);
        self.bell.notify_all();
        None
    }

    /// How long a try may take, where so much is left for everything.
    fn deadline(&self, receiver: &Receiver, left: Option<Duration>) -> Duration {
        match receiver {
            // It is asked on its way whether it must end.
            Receiver::Command(_) => self.pace.command_deadline,
            Receiver::Webhook(_) => {
                let deadline = self.pace.webhook_deadline;
                left.map_or(deadline, |left| deadline.min(left))
            }
        }
    }

    /// Notes how a try ended.
    fn settle(&self, key: &str, job: &Job, verdict: Verdict) {
        let story = Arc::clone(&job.story);
        let to = job.receiver.words();
        let mut board = lock(&self.board);
        let (how, note) = match verdict {
            Verdict::Interrupted => return,
            Verdict::Delivered => {
                let tries = board.queue.delivered(key, &story.id);
                (Told::Delivered, Note::Delivered { story, to, tries })
            }
            Verdict::Never(why) => {
                let tries = board.queue.refused(key, &story.id);
                given_up(story, to, why, tries)
            }
            Verdict::Again { why, asked } => {
                let now = self.now();
                match board.queue.failed(key, &story.id, now, asked, &self.pace) {
                    Failed::Again(wait) => {
                        let note = Note::Retried {
                            story,
                            to,
                            why,
                            wait,
                        };
                        (Told::Retried, note)
                    }
                    Failed::GivenUp { tries } => given_up(story, to, why, tries),
                }
            }
        };
        drop(board);
        self.is_dirty();
        self.metrics.story(way(key), how);
        (self.hear)(&note);
    }
}

fn given_up(story: Arc<Story>, to: String, why: String, tries: u32) -> (Told, Note) {
    let note = Note::GivenUp {
        story,
        to,
        why,
        tries,
    };
    (Told::GivenUp, note)
}
