//! How far long work is: a bar on stderr that comes after a moment, and goes when the work is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is done sooner needs no bar.
const MOMENT: Duration = Duration::from_millis(200);
/// How often it is drawn in a second, at most.
const HERTZ: u8 = 10;

/// A bar over some work.
#[derive(Debug)]
pub struct Progress {
    noun: &'static str,
    work: Mutex<Option<Work>>,
}

#[derive(Debug)]
struct Work {
    since: Instant,
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
        let work = work.get_or_insert_with(|| Work {
            since: Instant::now(),
            bar: None,
        });
        if work.since.elapsed() >= MOMENT {
            let bar = work.bar.get_or_insert_with(|| self.bar(all as u64));
            bar.set_position(done as u64);
        }
    }

    fn bar(&self, all: u64) -> ProgressBar {
        let target = ProgressDrawTarget::stderr_with_hz(HERTZ);
        let bar = ProgressBar::with_draw_target(Some(all), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(self.noun);
        bar
    }
}
