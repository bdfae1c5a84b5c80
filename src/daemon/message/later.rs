//! An answer that is made on another thread.

use super::Response;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

#[derive(Debug, Default)]
struct Shared {
    response: Option<Response>,
    waker: Option<Waker>,
}

/// The duty to answer. Whoever lets go of it without an answer answers 503.
#[derive(Debug)]
pub struct Promise(Arc<Mutex<Shared>>);

/// The answer to come.
#[derive(Debug)]
pub struct Later(Arc<Mutex<Shared>>);

/// An answer to come, and the duty to give it.
pub fn later() -> (Promise, Later) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    (Promise(shared.clone()), Later(shared))
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Each change of it is whole: what a panic left behind can be used.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Promise {
    /// Gives the answer.
    pub fn keep(self, response: Response) {
        lock(&self.0).response = Some(response);
    }

    /// Whether nobody waits any more.
    pub fn is_forgotten(&self) -> bool {
        Arc::strong_count(&self.0) < 2
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        shared.response.get_or_insert_with(|| {
            Response::error(503, "unavailable", "nobody was left to answer; ask again")
        });
        let waker = shared.waker.take();
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Later {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let mut shared = lock(&self.0);
        match shared.response.take() {
            Some(response) => Poll::Ready(response),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
impl Later {
    /// Waits for the answer.
    pub(crate) fn wait(mut self) -> Response {
        struct Call(std::thread::Thread);
        impl std::task::Wake for Call {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Call(std::thread::current())));
        loop {
            match Pin::new(&mut self).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(response) => return response,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(mut later: Later) -> Option<u16> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut later).poll(&mut context) {
            Poll::Ready(response) => Some(response.status),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_promise_that_is_let_go_of_answers_too() {
        let (promise, later) = later();
        drop(promise);
        assert_eq!(status(later), Some(503));
    }

    #[test]
    fn a_promise_that_is_kept_says_so_and_knows_who_waits() {
        let (promise, later) = later();
        assert!(!promise.is_forgotten());
        promise.keep(Response::error(404, "not_found", "no"));
        assert_eq!(status(later), Some(404));
        let (promise, later) = super::later();
        drop(later);
        assert!(promise.is_forgotten());
    }
}
