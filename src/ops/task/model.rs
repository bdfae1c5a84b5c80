//! Random commands by random agents against a simple model in memory: the same answers, and what must always hold.

use super::*;
use crate::base::error::Kind;
use crate::mission::task::TaskStatus;
use crate::ops::world::World;
use crate::ops::{agent as agents, cell as cells};
use crate::store::journal::{Line, sha256};
use proptest::prelude::*;
use std::collections::HashMap;

const AGENTS: usize = 3;
const TASKS: usize = 4;
/// What each task waits for.
const WAITS: [&[usize]; TASKS] = [&[], &[0], &[0], &[1, 2]];
/// Seconds of a lease.
const LEASE: u64 = 10;

#[derive(Clone, Copy, Debug)]
enum Shown {
    Nothing,
    Present,
    Older,
}

#[derive(Clone, Copy, Debug)]
enum Command {
    Claim(usize, usize, bool),
    ClaimNext(usize, bool),
    /// By an agent, or by an operator.
    Complete(Option<usize>, usize, Shown),
    Fail(Option<usize>, usize, Shown),
    Release(Option<usize>, usize, Shown),
    Retry(Option<usize>, usize),
    Reopen(usize),
    Assign(usize, Option<usize>),
    PauseCell(bool),
    PauseAgent(usize, bool),
    Wait(u64),
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let agent = || 0..AGENTS;
    let task = || 0..TASKS;
    let who = || proptest::option::weighted(0.8, 0..AGENTS);
    let shown = || prop_oneof![3 => Just(Shown::Nothing), 3 => Just(Shown::Present), 1 => Just(Shown::Older)];
    let command = prop_oneof![
        6 => (agent(), task(), any::<bool>()).prop_map(|(a, t, l)| Command::Claim(a, t, l)),
        6 => (agent(), any::<bool>()).prop_map(|(a, l)| Command::ClaimNext(a, l)),
        8 => (who(), task(), shown()).prop_map(|(a, t, s)| Command::Complete(a, t, s)),
        2 => (who(), task(), shown()).prop_map(|(a, t, s)| Command::Fail(a, t, s)),
        2 => (who(), task(), shown()).prop_map(|(a, t, s)| Command::Release(a, t, s)),
        2 => (who(), task()).prop_map(|(a, t)| Command::Retry(a, t)),
        1 => task().prop_map(Command::Reopen),
        2 => (task(), proptest::option::of(agent())).prop_map(|(t, a)| Command::Assign(t, a)),
        1 => any::<bool>().prop_map(Command::PauseCell),
        1 => (agent(), any::<bool>()).prop_map(|(a, p)| Command::PauseAgent(a, p)),
        3 => (1..LEASE + 2).prop_map(Command::Wait),
    ];
    proptest::collection::vec(command, 1..24)
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Pending,
    Held {
        by: usize,
        token: u64,
        left: Option<u64>,
    },
    Completed,
    Failed,
}

#[derive(Debug)]
struct Model {
    tasks: Vec<(State, Option<usize>)>,
    paused: [bool; AGENTS],
    cell_paused: bool,
    token: u64,
}

impl Model {
    fn new() -> Self {
        Model {
            tasks: vec![(State::Pending, None); TASKS],
            paused: [false; AGENTS],
            cell_paused: false,
            token: 0,
        }
    }

    fn state(&self, task: usize) -> &State {
        &self.tasks[task].0
    }

    fn waits(&self, task: usize) -> bool {
        WAITS[task]
            .iter()
            .any(|other| *self.state(*other) != State::Completed)
    }

    fn holds(&self, agent: usize) -> Option<usize> {
        (0..TASKS).find(|task| matches!(self.state(*task), State::Held { by, .. } if *by == agent))
    }

    fn is_own_or_free(&self, task: usize, agent: usize) -> bool {
        self.tasks[task].1.is_none_or(|to| to == agent)
    }

    fn seconds_pass(&mut self, seconds: u64) {
        for (state, _) in &mut self.tasks {
            if let State::Held {
                by,
                left: Some(left),
                ..
            } = state
                && !self.cell_paused
                && !self.paused[*by]
            {
                *left = left.saturating_sub(seconds);
            }
        }
    }

    /// What the next command that writes does first.
    fn settle(&mut self) {
        for (state, _) in &mut self.tasks {
            if let State::Held {
                by, left: Some(0), ..
            } = state
                && !self.cell_paused
                && !self.paused[*by]
            {
                *state = State::Pending;
            }
        }
    }

    /// A lease with nothing left goes on with a second when a pause ends.
    fn thaw(&mut self) {
        for (state, _) in &mut self.tasks {
            if let State::Held {
                by,
                left: Some(left @ 0),
                ..
            } = state
                && !self.cell_paused
                && !self.paused[*by]
            {
                *left = 1;
            }
        }
    }

    fn take(&mut self, task: usize, by: usize, lease: bool) {
        let before = matches!(self.state(task), State::Held { left: Some(_), .. });
        self.token += 1;
        let token = self.token;
        let left = (lease || before).then_some(LEASE);
        self.tasks[task].0 = State::Held { by, token, left };
    }

    fn may_take(&self, task: usize, by: usize) -> bool {
        let is_free = match self.state(task) {
            State::Pending => true,
            State::Held { by: holder, .. } => *holder == by,
            _ => false,
        };
        is_free
            && !self.cell_paused
            && !self.paused[by]
            && self.is_own_or_free(task, by)
            && self.holds(by).is_none_or(|held| held == task)
    }

    /// Whether one may let go of a task.
    fn own(&self, who: Option<usize>, task: usize, shown: Option<u64>) -> Result<(), Kind> {
        let Some(agent) = who else { return Ok(()) };
        match self.state(task) {
            State::Held { by, token, .. } if *by == agent => match shown {
                Some(shown) if shown != *token => Err(Kind::Fenced),
                _ => Ok(()),
            },
            State::Held { .. } => Err(Kind::Fenced),
            State::Pending if shown.is_some() => Err(Kind::Fenced),
            _ => Err(Kind::Refused),
        }
    }

    fn token_of(&self, task: usize, shown: Shown) -> Option<u64> {
        let present = match self.state(task) {
            State::Held { token, .. } => *token,
            _ => self.token,
        };
        match shown {
            Shown::Nothing => None,
            Shown::Present => Some(present),
            Shown::Older => Some(present.saturating_sub(1)),
        }
    }

    fn renew(&mut self, agent: Option<usize>) {
        for (state, _) in &mut self.tasks {
            if let State::Held {
                by,
                left: Some(left),
                ..
            } = state
                && Some(*by) == agent
            {
                *left = LEASE;
            }
        }
    }

    /// The answer to a command, and what it changes. `shown` is the token that it comes with.
    fn answer(&mut self, command: Command, shown: Option<u64>) -> Result<(), Kind> {
        let is_held = |model: &Model, task| matches!(model.state(task), State::Held { .. });
        if !matches!(command, Command::Wait(_)) {
            self.settle();
        }
        match command {
            Command::Claim(agent, task, lease) => {
                if !self.may_take(task, agent) || self.waits(task) {
                    return Err(Kind::Refused);
                }
                self.take(task, agent, lease);
            }
            Command::ClaimNext(agent, lease) => {
                let held = self.holds(agent);
                let ready = (0..TASKS)
                    .filter(|task| *self.state(*task) == State::Pending && !self.waits(*task));
                let first = held
                    .into_iter()
                    .chain(ready)
                    .find(|task| self.may_take(*task, agent));
                let Some(task) = first else {
                    return Err(Kind::No);
                };
                self.take(task, agent, lease);
            }
            Command::Complete(who, task, _) => {
                self.own(who, task, shown)?;
                let may = who.is_none_or(|agent| self.is_own_or_free(task, agent));
                if !may || self.waits(task) || !is_held(self, task) {
                    return Err(Kind::Refused);
                }
                if let State::Held { by, .. } = *self.state(task) {
                    self.tasks[task] = (State::Completed, Some(by));
                }
            }
            Command::Fail(who, task, _) => {
                self.own(who, task, shown)?;
                let may = who.is_none_or(|agent| self.is_own_or_free(task, agent));
                if !may || !is_held(self, task) {
                    return Err(Kind::Refused);
                }
                self.tasks[task].0 = State::Failed;
            }
            Command::Release(who, task, _) => {
                self.own(who, task, shown)?;
                if !is_held(self, task) {
                    return Err(Kind::Refused);
                }
                self.tasks[task].0 = State::Pending;
            }
            Command::Retry(who, task) => {
                let may = who.is_none_or(|agent| self.is_own_or_free(task, agent));
                if !may || *self.state(task) != State::Failed {
                    return Err(Kind::Refused);
                }
                self.tasks[task].0 = State::Pending;
                self.renew(who);
            }
            Command::Reopen(task) => {
                let begun = |other: &usize| {
                    WAITS[*other].contains(&task) && *self.state(*other) != State::Pending
                };
                match self.state(task) {
                    State::Held { .. } => return Err(Kind::Refused),
                    State::Completed if (0..TASKS).any(|other| begun(&other)) => {
                        return Err(Kind::Refused);
                    }
                    _ => self.tasks[task].0 = State::Pending,
                }
            }
            Command::Assign(task, to) => {
                if self.tasks[task].1 != to {
                    if is_held(self, task) {
                        return Err(Kind::Refused);
                    }
                    self.tasks[task].1 = to;
                }
            }
            Command::PauseCell(pause) => {
                self.cell_paused = pause;
                self.thaw();
            }
            Command::PauseAgent(agent, pause) => {
                self.paused[agent] = pause;
                self.thaw();
            }
            Command::Wait(seconds) => self.seconds_pass(seconds),
        }
        Ok(())
    }
}

fn agent_id(agent: usize) -> AgentId {
    AgentId::new(format!("agent_{:03}", agent + 1)).unwrap()
}

fn task_id(task: usize) -> TaskId {
    TaskId::new(format!("task_{:03}", task + 1)).unwrap()
}

/// The cell of the model, as a person would write it.
fn world() -> World {
    let world = World::in_memory();
    for agent in 0..AGENTS {
        let id = agent_id(agent);
        let text = format!(
            r#"{{"agent_id": "{id}", "name": "W", "role": "write", "status": "idle", "current_task": null}}"#
        );
        world.write(&layout::agent(&id), &text);
    }
    for (task, waits) in WAITS.iter().enumerate() {
        let id = task_id(task);
        let waits: Vec<String> = waits
            .iter()
            .map(|other| format!("\"{}\"", task_id(*other)))
            .collect();
        let text = format!(
            r#"{{"task_id": "{id}", "title": "T", "assigned_to": null, "status": "pending", "priority": "low",
                "dependencies": [{}], "created_at": "2026-01-02T03:04:05Z"}}"#,
            waits.join(", ")
        );
        world.write(&layout::task(&id), &text);
    }
    world
}

/// The answer of the real cell.
fn real(world: &mut World, command: Command, shown: Option<u64>) -> Result<(), Kind> {
    world.session.agent = match command {
        Command::Claim(agent, ..) | Command::ClaimNext(agent, _) => Some(agent_id(agent)),
        Command::Complete(who, ..)
        | Command::Fail(who, ..)
        | Command::Release(who, ..)
        | Command::Retry(who, _) => who.map(agent_id),
        _ => None,
    };
    world.session.token = shown;
    if let Command::Wait(seconds) = command {
        world.seconds_pass(seconds);
        return Ok(());
    }
    let (session, cell) = (&world.session, &world.cell);
    let lease = |lease: bool| lease.then_some(LEASE);
    let answer = match command {
        Command::Claim(_, task, leased) => {
            claim(session, cell, &task_id(task), lease(leased)).map(drop)
        }
        Command::ClaimNext(_, leased) => claim_next(session, cell, lease(leased)).map(drop),
        Command::Complete(_, task, _) => {
            complete(session, cell, &task_id(task), &Yield::default()).map(drop)
        }
        Command::Fail(_, task, _) => fail(session, cell, &task_id(task), "because").map(drop),
        Command::Release(_, task, _) => release(session, cell, &task_id(task), None).map(drop),
        Command::Retry(_, task) => retry(session, cell, &[task_id(task)]).map(drop),
        Command::Reopen(task) => reopen(session, cell, &[task_id(task)]).map(drop),
        Command::Assign(task, to) => {
            assign(session, cell, &[task_id(task)], to.map(agent_id).as_ref()).map(drop)
        }
        Command::PauseCell(true) => cells::pause(session, cell, None, None).map(drop),
        Command::PauseCell(false) => cells::resume(session, cell).map(drop),
        Command::PauseAgent(agent, true) => {
            agents::pause(session, cell, &agent_id(agent), None, None).map(drop)
        }
        Command::PauseAgent(agent, false) => {
            agents::resume(session, cell, &agent_id(agent)).map(drop)
        }
        Command::Wait(_) => Ok(()),
    };
    answer.map_err(|error| error.kind())
}

/// The tasks on disk, in the words of the model; of a lease only that there is one.
fn on_disk(world: &World) -> Vec<(State, Option<String>)> {
    (0..TASKS)
        .map(|task| {
            let task = world.cell.task(&task_id(task)).unwrap().unwrap();
            let state = match (task.status, &task.claim) {
                (TaskStatus::Pending, None) => State::Pending,
                (TaskStatus::InProgress, Some(claim)) => State::Held {
                    by: (0..AGENTS)
                        .find(|agent| agent_id(*agent).as_str() == claim.agent)
                        .unwrap(),
                    token: claim.token,
                    left: claim.expires_at.map(|_| LEASE),
                },
                (TaskStatus::Completed, None) => State::Completed,
                (TaskStatus::Failed, None) => State::Failed,
                odd => panic!("{odd:?}"),
            };
            (state, task.assigned_to)
        })
        .collect()
}

fn modelled(model: &Model) -> Vec<(State, Option<String>)> {
    let shown = |(state, to): &(State, Option<usize>)| {
        let state = match state.clone() {
            State::Held { by, token, left } => State::Held {
                by,
                token,
                left: left.map(|_| LEASE),
            },
            other => other,
        };
        (state, to.map(|agent| agent_id(agent).to_string()))
    };
    model.tasks.iter().map(shown).collect()
}

/// What must hold whatever happened: every agent knows what it holds, tokens rise, nothing is completed over open work,
/// and the journal tells how the files came to be what they are.
fn require_invariants(world: &World, lines: &[Line]) {
    let tasks = on_disk(world);
    for agent in 0..AGENTS {
        let held: Vec<usize> = (0..TASKS)
            .filter(|task| matches!(tasks[*task].0, State::Held { by, .. } if by == agent))
            .collect();
        assert!(held.len() <= 1, "agent {agent} holds {held:?}");
        let record = world.cell.agent(&agent_id(agent)).unwrap().unwrap();
        let current = held.first().map(|task| task_id(*task).to_string());
        assert_eq!(record.current_task, current);
    }
    for task in 0..TASKS {
        if tasks[task].0 == State::Completed {
            assert!(
                WAITS[task]
                    .iter()
                    .all(|other| tasks[*other].0 == State::Completed)
            );
        }
    }
    let (mut token, mut prev, mut told) = (0, String::new(), HashMap::new());
    for (number, line) in world.text(layout::JOURNAL).lines().enumerate() {
        assert_eq!(lines[number].prev, prev);
        prev = sha256(line.as_bytes());
        assert!(lines[number].token.unwrap_or(0) >= token);
        token = lines[number].token.unwrap_or(0);
        for change in &lines[number].files {
            let known: Option<Option<String>> =
                told.insert(change.file.clone(), change.after.clone());
            assert!(
                known.is_none_or(|known| known == change.before),
                "{}",
                change.file
            );
        }
    }
    for (file, after) in told {
        assert_eq!(Some(sha256(world.text(&file).as_bytes())), after, "{file}");
    }
}

/// How many sequences are tried.
const SEQUENCES: u32 = 2000;

proptest! {
    #![proptest_config(ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_work_gets_the_answers_of_a_simple_model(commands in commands()) {
        let (mut world, mut model) = (world(), Model::new());
        for command in commands {
            let shown = match command {
                Command::Complete(_, task, shown) | Command::Fail(_, task, shown) | Command::Release(_, task, shown) => {
                    model.token_of(task, shown)
                }
                _ => None,
            };
            let answer = real(&mut world, command, shown);
            prop_assert_eq!(model.answer(command, shown), answer, "{:?} on {:?}", command, model);
            if !matches!(command, Command::Wait(_)) {
                prop_assert_eq!(modelled(&model), on_disk(&world), "{:?}", command);
            }
        }
        require_invariants(&world, &world.journal());
    }
}
