//! Telling stories: to a program of the operator's, and to webhooks.
//!
//! The sweep hands a story over and goes on. One thread writes what waits into a file, then lets it be told; one thread
//! for each receiver tells it. A story is told at least once: what was in the file when the daemon was killed is told by
//! the next one, under the same id.

mod board;
mod command;
mod file;
mod keeper;
mod note;
mod queue;
mod webhook;
mod worker;

pub use note::Note;
pub use queue::MOST;
pub use webhook::signature;

use crate::base::backoff::Backoff;
use crate::base::clock::Clock;
use crate::base::error::Result;
use crate::daemon::metrics::Metrics;
use crate::daemon::story::{Event, Story};
use crate::ops::config::{Config, Webhook};
use crate::store::layout;
use crate::store::root::Root;
use board::Shared;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Who is told, as the config says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receivers {
    /// `notify_command`: a program and its arguments; empty: none.
    pub command: Vec<String>,
    /// `webhooks`.
    pub webhooks: Vec<Webhook>,
}

/// How long things may take, and when they are tried again. Tests have smaller numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two tries of a webhook.
    pub backoff: Backoff,
    /// How often a story is tried at a webhook.
    pub tries: u32,
    /// How long a webhook may take to answer.
    pub webhook_deadline: Duration,
    /// How long the program may run.
    pub command_deadline: Duration,
}

impl Default for Pace {
    /// 20 tries, which are about an hour: 1, 2, 4 … 256 seconds, then every 300.
    fn default() -> Self {
        Pace {
            backoff: Backoff {
                first: Duration::from_secs(1),
                cap: Duration::from_secs(300),
            },
            tries: 20,
            webhook_deadline: Duration::from_secs(10),
            command_deadline: Duration::from_secs(30),
        }
    }
}

/// Who hears of what becomes of stories: the daemon's log.
pub type Hear = Arc<dyn Fn(&Note) + Send + Sync>;

/// What a teller needs of the daemon.
pub struct Setting<'a> {
    /// The root whose stories it tells, and in whose `.mcell` they wait.
    pub root: &'a Path,
    /// Who is told.
    pub receivers: Receivers,
    /// How fast.
    pub pace: Pace,
    /// The clock of the timestamps.
    pub clock: Clock,
    /// What counts.
    pub metrics: Arc<Metrics>,
    /// What is logged.
    pub hear: Hear,
}

/// The name of `notify_command` among the receivers.
const COMMAND: &str = "command";

/// One of those who are told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Receiver {
    Command(Vec<String>),
    Webhook(Webhook),
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Delivered,
    Again {
        why: String,
        asked: Option<Duration>,
    },
    Never(String),
    /// The daemon ends: nothing is known of this try, and it does not count.
    Interrupted,
}

impl Receivers {
    /// Those of a config.
    pub fn of(config: &Config) -> Self {
        Receivers {
            command: config.notify_command.clone(),
            webhooks: config.webhooks.clone(),
        }
    }

    /// All of them, each under a name of its own that is the same after a restart.
    fn all(&self) -> Vec<(String, Receiver)> {
        let command = (!self.command.is_empty()).then(|| Receiver::Command(self.command.clone()));
        let webhooks = self.webhooks.iter().cloned().map(Receiver::Webhook);
        let mut all: Vec<(String, Receiver)> = Vec::new();
        for receiver in command.into_iter().chain(webhooks) {
            let mut key = receiver.key();
            // The same address twice, for different events.
            while all.iter().any(|(other, _)| *other == key) {
                key.push('+');
            }
            all.push((key, receiver));
        }
        all
    }
}

impl Receiver {
    fn key(&self) -> String {
        match self {
            Receiver::Command(_) => String::from(COMMAND),
            Receiver::Webhook(webhook) => webhook::key(webhook),
        }
    }

    /// For the log.
    fn words(&self) -> String {
        match self {
            Receiver::Command(_) => String::from("notify_command"),
            Receiver::Webhook(webhook) => webhook::place(webhook),
        }
    }

    fn wants(&self, event: Event) -> bool {
        match self {
            Receiver::Command(_) => true,
            Receiver::Webhook(webhook) => webhook::wants(webhook, event),
        }
    }
}

/// Tells stories until it is stopped.
pub struct Teller {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
}

impl Teller {
    /// Reads what was left untold, and begins. The daemon's lock on the root is held: nobody else writes that file.
    pub fn start(setting: Setting<'_>) -> Result<Self> {
        let root = Root::open(setting.root)?;
        let rights = root.rights_for_cells()?;
        root.folder()
            .make_folder_with(layout::RUNTIME, Some(rights))?;
        let read = file::read(&root)?;
        if let Some((place, why)) = read.put_aside {
            (setting.hear)(&Note::PutAside { place, why });
        }
        let receivers = setting.receivers.clone();
        let shared = Arc::new(Shared::new(setting, &root, read.queue));
        let keeper = keeper::start(&shared, root)?;
        let teller = Teller {
            shared,
            keeper: Some(keeper),
        };
        teller.reload(&receivers);
        Ok(teller)
    }

    /// Hands a story over, and returns at once. One that was told already is not told again.
    pub fn tell(&self, story: Story) {
        self.shared.take(story);
    }

    /// Tells others from now on. Stories that wait for those who are no longer there are dropped; those who are new hear
    /// what comes.
    pub fn reload(&self, receivers: &Receivers) {
        worker::reload(&self.shared, receivers);
    }

    /// Tells whoever wants to know how many stories wait, from any thread.
    pub fn counter(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.waiting()
    }

    /// How many stories wait.
    pub fn waiting(&self) -> usize {
        self.shared.waiting()
    }

    /// Stories that were handed over and are not in the file yet. Whoever notes on disk that they were told notes them
    /// too, and hands them over again after a crash: none is lost then, and none is told twice.
    pub fn unkept(&self) -> Vec<Story> {
        self.shared.unkept()
    }

    /// Tells what is due, for at most this long, and ends. Gives how many stories wait for the next start.
    pub fn stop(mut self, patience: Duration) -> usize {
        self.end(Instant::now() + patience)
    }

    fn end(&mut self, until: Instant) -> usize {
        let left = self.shared.finish(until);
        if let Some(keeper) = self.keeper.take() {
            // It cannot panic; if it did, there is nobody left to tell.
            let _ = keeper.join();
        }
        left
    }
}

impl Drop for Teller {
    /// A daemon that fails does not wait; what waits is in the file.
    fn drop(&mut self) {
        if self.keeper.is_some() {
            self.end(Instant::now());
        }
    }
}
