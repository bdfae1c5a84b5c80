//! What the teller's threads share.

use super::queue::{Key, Queue};
use super::{COMMAND, Hear, MOST, Note, Pace, Receiver, Setting};
use crate::base::clock::Clock;
use crate::daemon::metrics::{Metrics, Way};
use crate::daemon::story::Story;
use crate::ops::http;
use crate::store::root::Root;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long it takes at most until a program that must end has ended.
const COMMAND_ENDS: Duration = Duration::from_secs(2);

/// What the threads share. Of the two locks the inbox's is never held for longer than a few moves of memory, so that the
/// sweep never waits; nobody takes one while holding the other.
pub(super) struct Shared {
    pub(super) inbox: Mutex<Inbox>,
    /// Something came into the inbox.
    pub(super) post: Condvar,
    pub(super) board: Mutex<Board>,
    /// Something changed on the board.
    pub(super) bell: Condvar,
    pub(super) pace: Pace,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) hear: Hear,
    pub(super) agent: ureq::Agent,
    host: String,
    root: String,
    begun: Instant,
}

/// Where stories come in.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) stories: VecDeque<Arc<Story>>,
    /// Those that are on their way into the file.
    pub(super) moving: Vec<Arc<Story>>,
    /// The queue is not as its file says.
    pub(super) is_dirty: bool,
    /// Nothing comes any more.
    pub(super) is_over: bool,
}

/// Where they wait.
pub(super) struct Board {
    pub(super) queue: Queue,
    pub(super) receivers: Vec<(Key, Receiver)>,
    /// The receivers that have a thread.
    pub(super) threads: HashSet<Key>,
    /// When everything must have ended, if it is to end.
    pub(super) until: Option<Instant>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked left nothing half done: every change under these locks is one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(setting: Setting<'_>, root: &Root, queue: Queue) -> Self {
        let system = rustix::system::uname();
        Shared {
            inbox: Mutex::default(),
            post: Condvar::new(),
            board: Mutex::new(Board {
                queue,
                receivers: Vec::new(),
                threads: HashSet::new(),
                until: None,
            }),
            bell: Condvar::new(),
            pace: setting.pace,
            clock: setting.clock,
            metrics: setting.metrics,
            hear: setting.hear,
            agent: http::over_network(),
            host: system.nodename().to_string_lossy().into_owned(),
            root: root.path().display().to_string(),
            begun: Instant::now(),
        }
    }

    /// Milliseconds of the queue's clock.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn take(&self, mut story: Story) {
        story.host.clone_from(&self.host);
        story.root.clone_from(&self.root);
        let dropped = {
            let mut inbox = lock(&self.inbox);
            inbox.stories.push_back(Arc::new(story));
            // Only a disk that hangs lets it come to this.
            (inbox.stories.len() > MOST).then(|| inbox.stories.pop_front())
        };
        self.post.notify_one();
        if let Some(story) = dropped.flatten() {
            (self.hear)(&Note::Dropped { story });
        }
    }

    pub(super) fn unkept(&self) -> Vec<Story> {
        let inbox = lock(&self.inbox);
        let all = inbox.moving.iter().chain(&inbox.stories);
        all.map(|story| Story::clone(story)).collect()
    }

    pub(super) fn waiting(&self) -> usize {
        let coming = lock(&self.inbox).stories.len();
        coming + lock(&self.board).queue.len()
    }

    /// Waits until what came in is in the file and what is due is told, at most until then, and lets all threads go.
    pub(super) fn finish(&self, until: Instant) -> usize {
        let inbox = lock(&self.inbox);
        let inbox = wait_while(&self.post, inbox, until, |inbox| {
            !inbox.stories.is_empty() || !inbox.moving.is_empty()
        });
        drop(inbox);
        let mut board = lock(&self.board);
        board.until = Some(until);
        self.bell.notify_all();
        let board = wait_while(&self.bell, board, until, |board| !board.threads.is_empty());
        // A thread that waits for an answer may be left behind. A program may not: it would go on without us.
        let board = wait_while(&self.bell, board, Instant::now() + COMMAND_ENDS, |board| {
            board.threads.contains(COMMAND)
        });
        drop(board);
        lock(&self.inbox).is_over = true;
        self.post.notify_all();
        self.waiting()
    }

    pub(super) fn is_over(&self) -> bool {
        let until = lock(&self.board).until;
        until.is_some_and(|until| until <= Instant::now())
    }

    /// The queue is not as its file says.
    pub(super) fn is_dirty(&self) {
        lock(&self.inbox).is_dirty = true;
        self.post.notify_all();
    }
}

pub(super) fn way(key: &str) -> Way {
    if key == COMMAND {
        Way::Command
    } else {
        Way::Webhook
    }
}

pub(super) fn wait_while<'a, T>(
    bell: &Condvar,
    guard: MutexGuard<'a, T>,
    until: Instant,
    goes_on: impl FnMut(&mut T) -> bool,
) -> MutexGuard<'a, T> {
    let left = until.saturating_duration_since(Instant::now());
    bell.wait_timeout_while(guard, left, goes_on)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}
