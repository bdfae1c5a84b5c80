//! What happens, for those who listen: the stream behind `GET /events`.

use crate::daemon::message::{Feed, Feeder, feed};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// The most who may listen.
pub const MOST: usize = 64;

/// Everybody who listens.
#[derive(Debug, Default)]
pub struct Events(Mutex<Vec<Feeder>>);

impl Events {
    /// Lets somebody listen, who first hears this. None if there are too many.
    pub fn join(&self, kind: &str, first: &impl Serialize) -> Option<Feed> {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !listener.is_forgotten());
        if listeners.len() >= MOST {
            return None;
        }
        let (feeder, feed) = feed();
        feeder.say(&event(kind, first));
        listeners.push(feeder);
        Some(feed)
    }

    /// Tells all who listen. Who does not read is let go.
    pub fn say(&self, kind: &str, what: &impl Serialize) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if listeners.is_empty() {
            return;
        }
        let event = event(kind, what);
        listeners.retain(|listener| listener.say(&event));
    }
}

/// One event as it is sent. JSON in one line has no line end of its own.
fn event(kind: &str, what: &impl Serialize) -> Vec<u8> {
    let mut event = format!("event: {kind}\ndata: ").into_bytes();
    // What cannot be written is said without its words: that it happened is still true.
    if serde_json::to_writer(&mut event, what).is_err() {
        event = format!("event: {kind}\ndata: null").into_bytes();
    }
    event.extend_from_slice(b"\n\n");
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn all_who_listen_hear_it_and_there_are_so_many_at_most() {
        let events = Events::default();
        let mut feeds: Vec<Feed> = (0..MOST).map_while(|_| events.join("hello", &1)).collect();
        assert_eq!(feeds.len(), MOST);
        assert!(events.join("hello", &1).is_none());
        events.say("agent", &"a\nb");
        let mut context = Context::from_waker(Waker::noop());
        let wanted = b"event: hello\ndata: 1\n\nevent: agent\ndata: \"a\\nb\"\n\n".to_vec();
        for feed in &mut feeds {
            assert_eq!(feed.poll(&mut context), Poll::Ready(Some(wanted.clone())));
        }
        feeds.pop();
        assert!(events.join("hello", &1).is_some());
    }
}
