//! A few threads that ask gateways, so that one that is slow never delays the others.
//!
//! Agents that share a gateway are asked about once, and the answer counts for each. A gateway is never asked twice at the
//! same time. Those that were slow the last time stand in a line of their own, which never takes all threads: however many
//! hang, those that answer are asked at once.

use super::{Expected, Probed, Prober};
use crate::base::error::{Error, Result};
use crate::health::probe::Answer;
use crate::ops::gateway::Target;
use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long all threads may be at work before there is one more.
const HANG: Duration = Duration::from_millis(100);
/// How long a thread beyond the usual number waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);
/// How many slow gateways are remembered. Beyond that, all are forgotten: they show themselves again.
const LAGGARDS: usize = 4096;
/// The stack of a thread: a probe reads 64 KiB onto the heap, TLS is shallow.
const STACK: usize = 512 << 10;

/// How many threads ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    /// As a rule.
    pub usual: usize,
    /// While gateways hang.
    pub most: usize,
}

impl Default for Threads {
    fn default() -> Self {
        Threads { usual: 4, most: 16 }
    }
}

/// One agent's question.
#[derive(Clone, Debug)]
pub struct Question<K> {
    /// Whose it is; the report carries it back. A question of the same key that was not put yet is replaced.
    pub key: K,
    /// What is asked.
    pub target: Target,
    /// Who is expected to answer.
    pub expected: Expected,
    /// How long all of it may take.
    pub patience: Duration,
}

/// What came of one agent's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<K> {
    /// Whose it is.
    pub key: K,
    /// The answer; or why the gateway could not be asked, which is no signal of the agent.
    pub answer: std::result::Result<Answer, String>,
    /// How long it took.
    pub took: Duration,
    /// What the operator should know beside it.
    pub note: Option<String>,
}

/// Threads that ask gateways. They end when this is dropped, each with the question that it is at.
pub struct Pool<K> {
    shared: Arc<Shared<K>>,
}

type Deliver<K> = dyn Fn(Report<K>) + Send + Sync;

struct Shared<K> {
    state: Mutex<State<K>>,
    /// Something to ask, or the end.
    work: Condvar,
    /// The same, for the one who looks whether all hang.
    watch: Condvar,
    threads: Threads,
    prober: Prober,
    deliver: Box<Deliver<K>>,
}

struct State<K> {
    /// Those to ask, in order.
    quick: VecDeque<Target>,
    /// Those to ask that were slow the last time.
    slow: VecDeque<Target>,
    /// The questions that wait, by what is asked.
    waiting: HashMap<Target, Vec<Question<K>>>,
    /// Those that are being asked, and whether each stood among the slow.
    running: HashMap<Target, bool>,
    laggards: HashSet<Target>,
    threads: usize,
    idle: usize,
    /// How many were taken so far.
    taken: u64,
    is_closed: bool,
}

impl<K: Clone + PartialEq + Send + 'static> Pool<K> {
    /// Starts it. `deliver` is called on the pool's threads, once for each question; it should not take long.
    pub fn start(
        threads: Threads,
        deliver: impl Fn(Report<K>) + Send + Sync + 'static,
    ) -> Result<Self> {
        let usual = threads.usual.max(1);
        let threads = Threads {
            usual,
            most: threads.most.max(usual),
        };
        let pool = Pool {
            shared: Arc::new(Shared {
                state: Mutex::new(State::default()),
                work: Condvar::new(),
                watch: Condvar::new(),
                threads,
                prober: Prober::default(),
                deliver: Box::new(deliver),
            }),
        };
        let failed = |error| Error::storage("start a thread that probes", error);
        // With one thread everything is asked in the end; whether there are more is a matter of speed.
        Shared::add_thread(&pool.shared, &mut pool.shared.lock()).map_err(failed)?;
        let shared = Arc::clone(&pool.shared);
        thread("probe watch", move || shared.keep_going()).map_err(failed)?;
        Ok(pool)
    }

    /// Asks all of these. One whose gateway is being asked at this moment is asked after that.
    pub fn ask(&self, questions: impl IntoIterator<Item = Question<K>>) {
        let mut state = self.shared.lock();
        if state.laggards.len() > LAGGARDS {
            state.laggards.clear();
        }
        for question in questions {
            state.put(question);
        }
        let queued = state.quick.len() + state.slow.len();
        while state.threads < self.shared.threads.usual && state.idle < queued {
            if Shared::add_thread(&self.shared, &mut state).is_err() {
                break;
            }
        }
        drop(state);
        self.shared.work.notify_all();
        self.shared.watch.notify_all();
    }
}

impl<K> Drop for Pool<K> {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.work.notify_all();
        self.shared.watch.notify_all();
    }
}

impl<K> std::fmt::Debug for Pool<K> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.shared.lock();
        out.debug_struct("Pool")
            .field("threads", &state.threads)
            .field("waiting", &state.waiting.len())
            .field("running", &state.running.len())
            .finish_non_exhaustive()
    }
}

impl<K> Default for State<K> {
    fn default() -> Self {
        State {
            quick: VecDeque::new(),
            slow: VecDeque::new(),
            waiting: HashMap::new(),
            running: HashMap::new(),
            laggards: HashSet::new(),
            threads: 0,
            idle: 0,
            taken: 0,
            is_closed: false,
        }
    }
}

impl<K: PartialEq> State<K> {
    fn put(&mut self, question: Question<K>) {
        match self.waiting.get_mut(&question.target) {
            Some(questions) => {
                questions.retain(|there| there.key != question.key);
                questions.push(question);
            }
            None => {
                if !self.running.contains_key(&question.target) {
                    self.line_up(question.target.clone());
                }
                self.waiting.insert(question.target.clone(), vec![question]);
            }
        }
    }
}

impl<K> State<K> {
    fn line_up(&mut self, target: Target) {
        if self.laggards.contains(&target) {
            self.slow.push_back(target);
        } else {
            self.quick.push_back(target);
        }
    }

    /// Whether something could be asked if there were a thread for it.
    fn has_work(&self, threads: Threads) -> bool {
        !self.quick.is_empty() || (!self.slow.is_empty() && self.may_take_slow(threads))
    }

    fn may_take_slow(&self, threads: Threads) -> bool {
        let slow = self.running.values().filter(|is_slow| **is_slow).count();
        slow < (threads.most - threads.usual).max(1)
    }

    fn take(&mut self, threads: Threads) -> Option<(Target, Vec<Question<K>>)> {
        let (target, is_slow) = match self.quick.pop_front() {
            Some(target) => (target, false),
            None if self.may_take_slow(threads) => (self.slow.pop_front()?, true),
            None => return None,
        };
        let questions = self.waiting.remove(&target)?;
        self.running.insert(target.clone(), is_slow);
        self.taken += 1;
        Some((target, questions))
    }

    fn done(&mut self, target: &Target, was_slow: bool) {
        self.running.remove(target);
        if was_slow {
            self.laggards.insert(target.clone());
        } else {
            self.laggards.remove(target);
        }
        if self.waiting.contains_key(target) {
            self.line_up(target.clone());
        }
    }
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        // What is done under the lock is whole at each step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Send + 'static> Shared<K> {
    fn add_thread(this: &Arc<Self>, state: &mut State<K>) -> std::io::Result<()> {
        let shared = Arc::clone(this);
        thread("probe", move || shared.work())?;
        state.threads += 1;
        state.idle += 1;
        Ok(())
    }

    /// The life of a thread: it ends when the pool does, or when it was one too many for a while.
    fn work(&self) {
        while let Some((target, questions)) = self.next() {
            let patience = questions.iter().map(|question| question.patience).max();
            let patience = patience.unwrap_or_default();
            let wants_name = questions
                .iter()
                .any(|question| question.expected.name.is_some());
            let asked = catch_unwind(AssertUnwindSafe(|| {
                self.prober.ask(&target, wants_name, patience)
            }));
            let was_slow = asked.as_ref().is_ok_and(|asked| asked.took * 2 > patience);
            // Whoever hears the answer may ask again at once.
            self.lock().done(&target, was_slow);
            self.work.notify_all();
            self.watch.notify_all();
            for question in questions {
                let report = report(question, asked.as_ref().ok());
                // What is wrong there was told by the hook that panics have; the other answers shall still be heard.
                let _ = catch_unwind(AssertUnwindSafe(|| (self.deliver)(report)));
            }
            self.lock().idle += 1;
        }
    }

    /// What is to be asked next, when there is something.
    fn next(&self) -> Option<(Target, Vec<Question<K>>)> {
        let mut state = self.lock();
        loop {
            if !state.is_closed
                && let Some(next) = state.take(self.threads)
            {
                state.idle -= 1;
                // There is one less to take the next.
                self.watch.notify_all();
                return Some(next);
            }
            let is_extra = state.threads > self.threads.usual;
            let mut is_over = state.is_closed;
            if !is_over && is_extra {
                let (again, waited) = self
                    .work
                    .wait_timeout(state, IDLE)
                    .unwrap_or_else(PoisonError::into_inner);
                state = again;
                is_over = waited.timed_out() && !state.has_work(self.threads);
            } else if !is_over {
                state = self
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if is_over && (state.is_closed || state.threads > self.threads.usual) {
                state.threads -= 1;
                state.idle -= 1;
                return None;
            }
        }
    }
}

impl<K: Clone + Send + 'static> Shared<K> {
    /// Adds a thread whenever nothing moved for a while though there is something to ask.
    fn keep_going(self: Arc<Self>) {
        let mut state = self.lock();
        while !state.is_closed {
            let is_full = state.threads >= self.threads.most;
            if is_full || state.idle > 0 || !state.has_work(self.threads) {
                state = self
                    .watch
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let taken = state.taken;
            let stands_still = |state: &mut State<K>| state.taken == taken && !state.is_closed;
            let (again, waited) = self
                .watch
                .wait_timeout_while(state, HANG, stands_still)
                .unwrap_or_else(PoisonError::into_inner);
            state = again;
            if waited.timed_out() && state.has_work(self.threads) {
                // Where no thread can be had, the next wait asks again.
                let _ = Shared::add_thread(&self, &mut state);
            }
        }
    }
}

fn report<K>(question: Question<K>, asked: Option<&Probed>) -> Report<K> {
    let Question { key, expected, .. } = question;
    match asked {
        Some(probed) => Report {
            key,
            answer: probed.for_agent(&expected),
            took: probed.took,
            note: probed.note.clone(),
        },
        None => Report {
            key,
            answer: Err(String::from(
                "the probe met a case that it does not know: a defect of mcell",
            )),
            took: Duration::ZERO,
            note: None,
        },
    }
}

fn thread(name: &str, life: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.stack_size(STACK).spawn(life).map(|_| ())
}
