//! A few threads for what must not keep the listener waiting: whatever takes a lock or reads the disk.

use crate::base::error::{Error, Result};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How many threads there are. They wait for locks, not for the processor.
const THREADS: usize = 4;
/// How many jobs may wait.
const MOST: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped, with what they are at; nobody waits for them.
#[derive(Debug)]
pub struct Pool(SyncSender<Job>);

impl Pool {
    /// Starts the threads.
    pub fn start() -> Result<Self> {
        let (give, take) = sync_channel::<Job>(MOST);
        let take = Arc::new(Mutex::new(take));
        for _ in 0..THREADS {
            let take = Arc::clone(&take);
            std::thread::Builder::new()
                .name(String::from("acts"))
                .spawn(move || work(&take))
                .map_err(|error| Error::storage("start a thread", error))?;
        }
        Ok(Pool(give))
    }

    /// Gives a job to whoever is free first. False if too many wait already.
    pub fn give(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.0.try_send(Box::new(job)).is_ok()
    }
}

fn work(take: &Mutex<Receiver<Job>>) {
    loop {
        // Held while waiting: one waits for the job, the others for the lock.
        let job = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A job that panics takes its promise with it, which answers 503; the thread goes on.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_job_that_panics_takes_no_thread_with_it() {
        let pool = Pool::start().unwrap();
        for _ in 0..THREADS * 2 {
            assert!(pool.give(|| panic!("as it should")));
        }
        let (done, is_done) = channel();
        assert!(pool.give(move || done.send(()).unwrap()));
        is_done.recv().unwrap();
    }

    #[test]
    fn more_than_may_wait_are_refused() {
        let pool = Pool::start().unwrap();
        let (go, wait) = channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let mut given = 0;
        while given <= MOST + THREADS {
            let wait = Arc::clone(&wait);
            if !pool.give(move || _ = wait.lock().unwrap().recv()) {
                break;
            }
            given += 1;
        }
        assert!((MOST..=MOST + THREADS).contains(&given), "{given}");
        drop(go);
    }
}
