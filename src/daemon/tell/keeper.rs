//! The thread that writes what waits into its file.

use super::board::{Inbox, Shared, lock, wait_while, way};
use super::queue::{Added, Queue};
use super::{MOST, Note, file};
use crate::base::error::{Error, Result};
use crate::daemon::metrics::Told;
use crate::daemon::story::Story;
use crate::store::root::Root;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After how long a file that could not be written is tried again.
const KEEP_AGAIN: Duration = Duration::from_secs(5);

/// What the keeper found in the inbox.
struct Collected {
    stories: Vec<Arc<Story>>,
    is_dirty: bool,
    is_over: bool,
}

/// Starts the keeper.
pub(super) fn start(shared: &Arc<Shared>, root: Root) -> Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name(String::from("stories"))
        .spawn(move || shared.keep(&root))
        .map_err(|error| Error::storage("start a thread", error))
}

impl Shared {
    /// The keeper: moves what came in to the board, and writes the board's queue into the file whenever it changed.
    fn keep(&self, root: &Root) {
        let mut is_failing = false;
        loop {
            let Collected {
                stories,
                is_dirty,
                is_over,
            } = self.collect(is_failing);
            let (queue, has_grown) = self.lay_out(stories);
            let mut failed = false;
            if is_dirty || has_grown {
                failed = match file::write(root, &queue) {
                    Ok(()) => false,
                    Err(error) => {
                        if !is_failing {
                            (self.hear)(&Note::NotKept { error });
                        }
                        true
                    }
                };
                is_failing = failed;
            }
            // Told it is in any case: a full disk is a reason to hear of it.
            lock(&self.board).queue.are_kept(&queue);
            self.bell.notify_all();
            {
                let mut inbox = lock(&self.inbox);
                if failed {
                    inbox.is_dirty = true;
                    let many = inbox.moving.len().saturating_sub(MOST);
                    inbox.moving.drain(..many);
                } else {
                    inbox.moving.clear();
                }
            }
            self.post.notify_all();
            if is_over {
                return;
            }
        }
    }

    /// Waits for something to write.
    fn collect(&self, is_failing: bool) -> Collected {
        let inbox = lock(&self.inbox);
        let is_idle = |inbox: &mut Inbox| {
            let is_due = inbox.is_dirty && !is_failing;
            inbox.stories.is_empty() && !is_due && !inbox.is_over
        };
        let mut inbox = if is_failing {
            wait_while(&self.post, inbox, Instant::now() + KEEP_AGAIN, is_idle)
        } else {
            self.post
                .wait_while(inbox, is_idle)
                .unwrap_or_else(PoisonError::into_inner)
        };
        let stories: Vec<Arc<Story>> = inbox.stories.drain(..).collect();
        inbox.moving.extend(stories.iter().cloned());
        Collected {
            stories,
            is_dirty: std::mem::take(&mut inbox.is_dirty),
            is_over: inbox.is_over,
        }
    }

    /// Adds stories to the queue, and gives it as it then is, with whether one was added.
    fn lay_out(&self, stories: Vec<Arc<Story>>) -> (Queue, bool) {
        let mut dropped = Vec::new();
        let mut has_grown = false;
        let mut board = lock(&self.board);
        for story in stories {
            let wanting = board
                .receivers
                .iter()
                .filter(|(_, receiver)| receiver.wants(story.event));
            let to = wanting.map(|(key, _)| key.clone()).collect();
            let added = board.queue.add(story, to);
            has_grown |= added != Added::Not;
            if let Added::InPlaceOf(story, whom) = added {
                dropped.push((story, whom));
            }
        }
        let queue = board.queue.clone();
        drop(board);
        for (story, whom) in dropped {
            for key in whom {
                self.metrics.story(way(&key), Told::Dropped);
            }
            (self.hear)(&Note::Dropped { story });
        }
        (queue, has_grown)
    }
}
