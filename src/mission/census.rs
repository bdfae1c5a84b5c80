//! What the daemon needs to know of a cell: who is in it, how each is watched, and when something is due. Data only;
//! `store` reads it, `daemon` judges by it.

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::base::ids::{AgentId, CellId, RevivalId};
use crate::base::text::{Text, shown};
use crate::mission::agent::{Agent, AgentStatus, Role, Run, Watch};
use crate::mission::cell::CellStatus;
use crate::mission::drill::Drill;
use crate::mission::lease::Lease;
use crate::mission::policy::{self, Effective};
use crate::mission::revival::Status;
use crate::mission::rules::form;
use crate::mission::run::{Meaning, RunNote, Terms};
use crate::mission::sheet::{Record, Sheet};
use crate::mission::survey::Survey;

/// One cell, as far as its daemon needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct CellCensus {
    /// The folder's name.
    pub cell_id: CellId,
    /// The mission's name; empty if `cell.json` cannot be read.
    pub mission_name: String,
    /// The cell's state; none if `cell.json` cannot be read.
    pub status: Option<CellStatus>,
    /// Seconds between two checkpoints that the daemon orders, by the policies that count.
    pub checkpoint_interval: u64,
    /// Seconds an agent that was started again has to prove that it lives.
    pub revive_timeout: u64,
    /// Its agents, sorted by id.
    pub agents: Vec<AgentCensus>,
    /// When something of the cell is due whoever comes first: a lease, an offer, a pause that ends.
    pub due: Vec<Due>,
    /// What of it cannot be read, a sentence each.
    pub troubles: Vec<String>,
}

/// The most sentences of trouble kept of one cell.
const MOST_TROUBLES: usize = 20;

impl CellCensus {
    /// What the mission files of a cell say; nothing of its runs yet.
    pub fn of(cell_id: CellId, survey: &Survey<'_>) -> Self {
        let mut census = CellCensus {
            cell_id,
            mission_name: String::new(),
            status: None,
            checkpoint_interval: policy::CHECKPOINT_INTERVAL,
            revive_timeout: policy::REVIVE_TIMEOUT,
            agents: Vec::with_capacity(survey.agents.len()),
            due: Vec::new(),
            troubles: Vec::new(),
        };
        for oddity in &survey.oddities {
            census.troubles.extend(oddity.hides());
        }
        if let Some(sheet) = &survey.cell {
            census.troubles.extend(trouble(sheet));
            if let Some(cell) = &sheet.value {
                census.mission_name = cell.mission_name.to_string();
                census.status = sheet.trusts("/status").then_some(cell.status);
                let config = survey.policies.as_ref();
                let config = config.and_then(|sheet| sheet.value.as_ref());
                let policies = Effective::of(cell, config);
                census.checkpoint_interval = policies.checkpoint_interval.value;
                census.revive_timeout = policies.revive_timeout.value;
            }
        }
        census
            .troubles
            .extend(survey.policies.as_ref().and_then(trouble));
        for sheet in &survey.agents {
            census.troubles.extend(trouble(sheet));
            // Without its state nobody knows whether it is to be watched at all.
            if let Some(agent) = &sheet.value
                && sheet.trusts("/status")
                && let Ok(id) = AgentId::new(sheet.stem())
            {
                census.agents.push(AgentCensus::of(id, agent));
            }
        }
        census
    }

    /// Keeps the first troubles, and says how many more there are: a folder of rubbish takes no memory.
    pub fn cut_troubles(&mut self) {
        let more = self.troubles.len().saturating_sub(MOST_TROUBLES);
        if more > 0 {
            self.troubles.truncate(MOST_TROUBLES);
            self.troubles.push(format!(
                "{more} more things cannot be read; `mcell validate` names them all"
            ));
        }
        self.troubles.shrink_to_fit();
    }
}

/// What of a file is not as the specification says, so that it is passed over; none if nothing is.
fn trouble<T: Record>(sheet: &Sheet<'_, T>) -> Option<String> {
    sheet.trouble.as_ref()?;
    let finding = form::first_error(T::SHAPE, &sheet.file, sheet.text);
    match finding {
        Some(finding) => Some(format!("{}: {}", shown(&sheet.file), finding.message)),
        None if sheet.value.is_none() => Some(format!("{} cannot be read", shown(&sheet.file))),
        None => None,
    }
}

/// One agent, as far as its daemon needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentCensus {
    /// The stem of its file.
    pub id: AgentId,
    /// What people call it.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Its state in its file.
    pub status: AgentStatus,
    /// Name, host:port or URL of its gateway.
    pub gateway: Option<String>,
    /// How it is watched, as far as its file says.
    pub watch: Option<Watch>,
    /// Whether it has a command that mcell starts.
    pub has_run: bool,
    /// Whether it says over NOTIFY_SOCKET when it is ready.
    pub says_when_ready: bool,
    /// What the ends of its process mean, if it has one.
    pub ends: Option<Terms>,
    /// Whether mcell is to keep it running (`.mcell/agents/<agent>.json`, `wanted`).
    pub is_wanted: bool,
    /// The last life of it that was begun, whether or not it was started yet; 0 if none was.
    pub begun: u64,
    /// Whether a process of its own holds `.mcell/run/<agent>.lock`. Where that cannot be told it counts as alive, and a
    /// trouble says so: nothing is started beside what may live.
    pub is_alive: bool,
    /// Whether somebody starts, stops or revives it just now, where it should run and does not.
    pub is_in_hand: bool,
    /// The task it works on.
    pub current_task: Option<String>,
    /// Seconds that task should take.
    pub task_timeout: Option<u64>,
    /// When it last saved a checkpoint.
    pub last_checkpoint: Option<Time>,
    /// What `.mcell/run/<agent>.json` says of its present run.
    pub run: Option<RunNote>,
    /// The open request to bring it back.
    pub revival: Option<OpenRevival>,
    /// Whether nobody asks for it again by itself: the policy or an operator said no, or it cannot be.
    pub is_suppressed: bool,
    /// Its drill: the one that goes on, or the last.
    pub drill: Option<Drill>,
}

impl AgentCensus {
    /// What it means that its process is over, where it should run and ended as it may: it has done what it was there for,
    /// or asks to be started again. Neither is a fall.
    pub fn ended_well(&self) -> Option<Meaning> {
        let end = self.run.as_ref()?.end.as_ref()?;
        let is_of_the_last = self.run.as_ref()?.incarnation >= self.begun;
        if !self.is_wanted || self.is_alive || end.is_ordered || !is_of_the_last {
            return None;
        }
        let meaning = self.ends.as_ref()?.meaning(end);
        match meaning {
            // It asked too often, and that came before whoever says no to it.
            Meaning::Restart if self.is_suppressed => None,
            Meaning::Finished | Meaning::Restart => Some(meaning),
            _ => None,
        }
    }
}

/// The open request to bring an agent back, as far as its daemon needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRevival {
    /// Its id.
    pub id: RevivalId,
    /// How it stands.
    pub status: Status,
    /// It is not carried out before this is over.
    pub not_before: Option<Lease>,
    /// Whether no policy is asked for it, and nobody else.
    pub is_free: bool,
    /// The life that was begun for it.
    pub incarnation: Option<u64>,
}

impl AgentCensus {
    /// What an agent's file says; nothing of its run yet.
    fn of(id: AgentId, agent: &Agent<Text<'_>>) -> Self {
        AgentCensus {
            id,
            name: agent.name.to_string(),
            role: agent.role,
            status: agent.status,
            gateway: agent.gateway.as_ref().map(ToString::to_string),
            watch: agent.health.as_ref().map(Watch::owned),
            has_run: agent.run.is_some(),
            says_when_ready: agent.run.as_ref().is_some_and(Run::speaks),
            ends: agent.run.as_ref().map(Terms::of),
            is_wanted: false,
            begun: 0,
            is_alive: false,
            is_in_hand: false,
            current_task: agent.current_task.as_ref().map(ToString::to_string),
            task_timeout: None,
            last_checkpoint: agent
                .checkpoint
                .as_ref()
                .and_then(|note| note.last_checkpoint),
            run: None,
            revival: None,
            is_suppressed: false,
            drill: None,
        }
    }
}

/// A moment at which a command, or the sweep, has something to do in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A lease or an offer lapses.
    Lapse(Lease),
    /// A pause ends.
    Wake(Time),
}

impl Due {
    /// Tells whether the moment has come.
    pub fn has_come(&self, now: &Moment) -> bool {
        match self {
            Due::Lapse(lease) => lease.has_lapsed(now),
            Due::Wake(wake) => *wake <= now.wall,
        }
    }
}
