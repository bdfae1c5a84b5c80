//! How an agent is run: by a runner, one small process an agent, that outlives whoever started it.
//!
//! The runner is a binary of its own (`mcell-runner`), found beside `mcell`, for there are as many as agents; where it is not
//! there, `mcell` itself runs under that name, which takes more memory. It leads a
//! session, takes in its orphans, holds `.mcell/run/<agent>.lock` for life, and ends last: a free lock means that nothing of
//! the agent is left. SIGTERM tells it to stop the agent in order, SIGINT to kill it, SIGUSR1 to let it save its state.

mod beats;
mod child;
mod life;
mod log;
mod notify;
mod order;
mod output;
mod saving;
mod signals;
mod start;
mod sweep;
mod tree;

pub use order::{Keeping, Order, Report};
pub use start::{Shown, find, is_meant, reap, start, start_shown};
pub use sweep::sweep;
pub use tree::Handle;

use crate::base::error::in_words;
use std::io::{Read, Write};
use std::process::ExitCode;

/// What the binary does: an order on stdin, a report on stdout, then a life.
pub fn main() -> ExitCode {
    let mut text = Vec::new();
    let read = std::io::stdin().read_to_end(&mut text);
    if let Err(error) = read {
        let why = format!("its order cannot be read: {}", in_words(&error));
        tell(&Report::Failed { why, passes: true });
        return ExitCode::FAILURE;
    }
    let order: Option<Order> = serde_json::from_slice(&text).ok();
    drop(text);
    let Some(order) = order else {
        tell(&Report::Failed {
            why: String::from("mcell-runner is not for people: `mcell agent start` starts it"),
            passes: false,
        });
        return ExitCode::from(2);
    };
    if order.version != env!("CARGO_PKG_VERSION") {
        let own = env!("CARGO_PKG_VERSION");
        let why = format!(
            "the mcell-runner beside mcell {} is that of {own}",
            order.version
        );
        tell(&Report::Failed { why, passes: false });
        return ExitCode::from(2);
    }
    let is_shown = order.is_shown;
    match life::live(&order, |report| said(report, is_shown)) {
        // Whoever shows it may not come to read its note before the next life writes its own.
        Ok(Some(end)) if is_shown => ExitCode::from(end.exit_code()),
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says what became of the start.
fn tell(report: &Report) {
    said(report, false);
}

/// The same, and lets go of whoever listens, unless what the agent says is shown there.
fn said(report: &Report, is_shown: bool) {
    let mut text = serde_json::to_vec(report).unwrap_or_default();
    text.push(b'\n');
    let mut out = std::io::stdout();
    // Nobody may listen any more; the agent runs all the same.
    _ = out.write_all(&text).and_then(|()| out.flush());
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    if let Ok(nothing) = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()) {
        _ = rustix::stdio::dup2_stdin(&nothing);
        if !is_shown {
            _ = rustix::stdio::dup2_stdout(&nothing);
        }
    }
}
