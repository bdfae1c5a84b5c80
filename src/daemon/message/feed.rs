//! A stream of events from the daemon's threads to one listener of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many bytes may wait for a listener that does not read. One that is so far behind has not been there for a long
/// time, and starts anew.
const MOST: usize = 256 << 10;

#[derive(Debug, Default)]
struct Shared {
    waiting: Vec<u8>,
    waker: Option<Waker>,
    is_closed: bool,
}

/// The end at which events are said.
#[derive(Debug)]
pub struct Feeder(Arc<Mutex<Shared>>);

/// The end at which they are heard.
#[derive(Debug)]
pub struct Feed(Arc<Mutex<Shared>>);

/// Both ends of a stream of events.
pub fn feed() -> (Feeder, Feed) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    (Feeder(shared.clone()), Feed(shared))
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Each change of it is whole: what a panic left behind can be used.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feeder {
    /// Says something. False if nobody listens any more, or too slowly.
    pub fn say(&self, event: &[u8]) -> bool {
        let mut shared = lock(&self.0);
        if shared.is_closed || shared.waiting.len() + event.len() > MOST {
            shared.is_closed = true;
            return false;
        }
        shared.waiting.extend_from_slice(event);
        let waker = shared.waker.take();
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Whether nobody listens any more.
    pub fn is_forgotten(&self) -> bool {
        lock(&self.0).is_closed
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        close(&self.0);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        close(&self.0);
    }
}

fn close(shared: &Mutex<Shared>) {
    let mut shared = lock(shared);
    shared.is_closed = true;
    let waker = shared.waker.take();
    drop(shared);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Feed {
    /// What was said since the last time; none once the other end is gone and all was heard.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut shared = lock(&self.0);
        if !shared.waiting.is_empty() {
            return Poll::Ready(Some(std::mem::take(&mut shared.waiting)));
        }
        if shared.is_closed {
            return Poll::Ready(None);
        }
        shared.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(feed: &mut Feed) -> Poll<Option<Vec<u8>>> {
        feed.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_was_said_is_heard_to_its_end() {
        let (feeder, mut feed) = feed();
        assert_eq!(heard(&mut feed), Poll::Pending);
        assert!(feeder.say(b"one ") && feeder.say(b"two"));
        drop(feeder);
        assert_eq!(heard(&mut feed), Poll::Ready(Some(b"one two".to_vec())));
        assert_eq!(heard(&mut feed), Poll::Ready(None));
    }

    #[test]
    fn who_does_not_listen_is_let_go() {
        let (feeder, mut feed) = feed();
        let event = vec![b'x'; 64 << 10];
        while feeder.say(&event) {}
        assert!(feeder.is_forgotten());
        assert!(matches!(heard(&mut feed), Poll::Ready(Some(_))));
        assert_eq!(heard(&mut feed), Poll::Ready(None));
        let (feeder, feed) = super::feed();
        drop(feed);
        assert!(!feeder.say(b"x"));
    }
}
