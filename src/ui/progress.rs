//! How far long work is: a bar on stderr that comes after a moment, and goes when the work is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is done sooner needs no bar.
const MOMENT: Duration = Duration::from_millis(200);
/// How long it then stands before it is drawn again.
const STILL: Duration = Duration::from_millis(100);

/// A bar over some work.
#[derive(Debug)]
pub struct Progress {
    noun: &'static str,
    work: Mutex<Option<Work>>,
}

#[derive(Debug)]
struct Work {
    next: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar that counts these: "cells".
    pub fn new(noun: &'static str) -> Self {
        Progress {
            noun,
            work: Mutex::new(None),
        }
    }

    /// So much is done. All of it ends the bar, and what is told next begins another.
    pub fn tell(&self, done: usize, all: usize) {
        if done >= all {
            let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bar) = work.take().and_then(|work| work.bar) {
                bar.finish_and_clear();
            }
            return;
        }
        // Where another worker is telling, this one need not.
        let Ok(mut work) = self.work.try_lock() else {
            return;
        };
        let now = Instant::now();
        let work = work.get_or_insert_with(|| Work {
            next: now + MOMENT,
            bar: None,
        });
        if now < work.next {
            return;
        }
        work.next = now + STILL;
        let bar = work.bar.get_or_insert_with(|| self.bar(done, all));
        bar.set_position(done as u64);
    }

    fn bar(&self, done: usize, all: usize) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(all as u64), ProgressDrawTarget::stderr())
            .with_position(done as u64)
            .with_message(self.noun);
        match ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}") {
            Ok(style) => bar.with_style(style.progress_chars("=> ")),
            // The style of indicatif itself says the same.
            Err(_) => bar,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_is_soon_done_has_no_bar_and_the_end_of_one_is_not_that_of_the_next() {
        let progress = Progress::new("cells");
        let has_bar = || {
            let work = progress.work.lock().unwrap();
            work.as_ref().map(|work| work.bar.is_some())
        };
        assert_eq!(has_bar(), None);
        progress.tell(0, 9);
        progress.tell(1, 9);
        assert_eq!(has_bar(), Some(false));
        progress.tell(9, 9);
        assert_eq!(has_bar(), None);
        progress.tell(0, 0);
        assert_eq!(has_bar(), None);
    }
}
