//! The start of an agent: another life is begun, and a runner runs it.

use super::life::{self, Life};
use super::plan::{Plan, no_command};
use super::state::State;
use super::stop::Stopped;
use super::{ground, stop};
use crate::base::boot::Moment;
use crate::base::error::{Error, Kind, Result};
use crate::base::host;
use crate::base::ids::{self, AgentId};
use crate::base::process::Process;
use crate::base::text::{listed, shown};
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::cell::CellStatus;
use crate::mission::isolation::{Level, effective_level};
use crate::mission::run::{RunNote, Wanted};
use crate::ops::agent::{not_here, show};
use crate::ops::session::Session;
use crate::ops::{config, presence, stop_point};
use crate::revival::Record;
use crate::runner::{self, Order, Report};
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::journal::sha256;
use crate::store::root::Root;
use crate::store::{layout, run};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long what holds an agent's lock may take to have a process that lives, or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a start.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// Which life of the agent runs.
    pub incarnation: u64,
    /// Its process.
    pub pid: u32,
    /// Whether it ran already, and nothing was done.
    pub ran_already: bool,
    /// What was done; none if it ran already.
    pub plan: Option<Plan>,
    /// How it came to that; none if it ran already.
    pub ground: Option<Ground>,
}

/// How a start came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// What became of the older life.
    pub older: Stopped,
    /// When nothing of that was left.
    pub stopped_at: Moment,
    /// When the new one ran.
    pub started_at: Moment,
}

/// What a start would do, and whether it would be refused. Nothing is changed.
pub fn look(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Plan> {
    let plan = plan(session, cell, id, &Record::default())?;
    match home_of(cell.folder().read(layout::HOST)?) {
        Some(home) if home != own_host(session)? => Err(not_at_home(&home)),
        _ => Ok(plan),
    }
}

fn plan(session: &Session, cell: &OpenCell, id: &AgentId, falls: &Record) -> Result<Plan> {
    let agent = show(cell, id)?;
    require_startable(cell, id, &agent)?;
    ground::require_own(cell, id)?;
    Plan::make(session, cell, id, &agent, falls)
}

/// Starts an agent, from the newest checkpoint that is good. One that runs already is left as it is.
pub fn start(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<Started> {
    session.require_operator("start an agent")?;
    show(cell, id)?;
    let _acting = run::act(cell.folder(), id, session.wait("agent start")?)?;
    begin(session, cell, id, "agent start", runner::start)
}

/// The same for who holds the agent's `.act`, and who may start the runner by another way.
pub(super) fn begin(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    act: &'static str,
    start: impl FnOnce(&Path, &Order) -> Result<Report>,
) -> Result<Started> {
    if let Some(started) = runs_already(session, cell, id, act)? {
        return Ok(started);
    }
    let before = State::seen(cell, id)?.wanted();
    forget_falls(session, cell, id, act)?;
    let also = |writing: &mut Writing<'_>, state: &mut State, _: &Plan, _: u64| {
        // An operator takes it in hand.
        stop::cancel(writing, state)?;
        state.suppress(false);
        Ok(String::new())
    };
    let failed = match launch_by(session, cell, id, act, start, also) {
        // Whether it runs is not known; that it is wanted is.
        Err(error) if error.kind() != Kind::OutcomeUnknown => error,
        done => return done,
    };
    if before != Some(Wanted::Running) {
        let mut writing = session.write(cell, act)?;
        let mut state = State::read(&writing, id)?;
        if state.wanted() == Some(Wanted::Running) {
            state.want(Wanted::Stopped);
            state.put(&mut writing, id)?;
            writing.commit(&format!("{id} could not be started"))?;
        }
    }
    Err(failed)
}

/// An operator takes it in hand: it is tried as if it had never fallen.
fn forget_falls(session: &Session, cell: &OpenCell, id: &AgentId, act: &'static str) -> Result<()> {
    if State::seen(cell, id)?.record(&session.moment()) == Record::default() {
        return Ok(());
    }
    let mut writing = session.write(cell, act)?;
    let mut state = State::read(&writing, id)?;
    state.remember(Record::default(), &session.moment())?;
    state.put(&mut writing, id)?;
    writing.commit(&format!("the falls of {id} are forgotten"))
}

/// Begins another life of an agent and runs it; whatever runs of the older one is ended in between. `also` stages what is to
/// be true with it, in the same commit: it is given the plan, and the number of the life, and gives what the journal is to
/// add. The agent's `.act` is held.
pub(crate) fn launch(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    act: &'static str,
    also: impl FnOnce(&mut Writing<'_>, &mut State, &Plan, u64) -> Result<String>,
) -> Result<Started> {
    launch_by(session, cell, id, act, runner::start, also)
}

fn launch_by(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    act: &'static str,
    start: impl FnOnce(&Path, &Order) -> Result<Report>,
    also: impl FnOnce(&mut Writing<'_>, &mut State, &Plan, u64) -> Result<String>,
) -> Result<Started> {
    let program = runner::find()?;
    let falls = State::seen(cell, id)?.record(&session.moment());
    let plan = plan(session, cell, id, &falls)?;
    let life = {
        let mut writing = session.write(cell, act)?;
        // It may have been changed since: what is under the lock counts.
        let agent = writing.read::<Agent>(&layout::agent(id))?;
        let mut agent = agent.ok_or_else(|| not_here(cell, id))?;
        require_startable(cell, id, &agent)?;
        require_home(session, &mut writing)?;
        let mut state = State::read(&writing, id)?;
        let life = life::begin(&mut writing, id, &mut state)?;
        state.go_on_from(plan.checkpoint);
        let why = also(&mut writing, &mut state, &plan, life.incarnation)?;
        state.put(&mut writing, id)?;
        if agent.status == AgentStatus::Failed {
            agent.become_status(AgentStatus::Idle)?;
            writing.put(&layout::agent(id), &agent)?;
        }
        writing.commit(&format!("{}{why}", told(id, &life, &plan)))?;
        life
    };
    stop_point::reached(&session.env, "fence");
    // The older life is fenced; now it goes.
    let older = stop::end(session, cell, id, false)?;
    let now = || Moment::showing(session.env.clock.now());
    let stopped_at = now();
    stop_point::reached(&session.env, "stop");
    let token = ids::secret()?;
    let order = order(session, cell, id, &plan, &life, &token)?;
    let report = start(&program, &order)?;
    stop_point::reached(&session.env, "start");
    match report {
        Report::Runs { pid } => Ok(Started {
            incarnation: life.incarnation,
            pid,
            ran_already: false,
            plan: Some(plan),
            ground: Some(Ground {
                older,
                stopped_at,
                started_at: now(),
            }),
        }),
        Report::Busy { holder } => Err(Error::new(
            Kind::Busy,
            format!("{id} was started by somebody else meanwhile: {holder}"),
        )),
        Report::Failed { why, passes } => {
            let kind = if passes { Kind::Storage } else { Kind::Refused };
            Err(
                Error::new(kind, format!("{id} cannot be started: {why}")).hint(format!(
                    "`mcell agent start {id} --dry-run` shows what is tried"
                )),
            )
        }
    }
}

fn runs_already(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    act: &'static str,
) -> Result<Option<Started>> {
    let Some(note) = runs(cell, id)? else {
        return Ok(None);
    };
    if State::seen(cell, id)?.wanted() != Some(Wanted::Running) {
        let mut writing = session.write(cell, act)?;
        let mut state = State::read(&writing, id)?;
        state.want(Wanted::Running);
        state.put(&mut writing, id)?;
        writing.commit(&format!("{id} is wanted again, and runs"))?;
    }
    Ok(Some(Started {
        incarnation: note.incarnation,
        pid: note.pid.unwrap_or_default(),
        ran_already: true,
        plan: None,
        ground: None,
    }))
}

/// What is noted of an agent that runs; none if it does not. A lock that is held is not enough: one that is coming to its end
/// is waited for, and one that is just beginning (exit 6 if neither comes).
pub(super) fn runs(cell: &OpenCell, id: &AgentId) -> Result<Option<RunNote>> {
    let end = Instant::now() + PATIENCE;
    loop {
        if !run::lives(cell.folder(), id)? {
            return Ok(None);
        }
        let note = run::read(cell.folder(), id)?.unwrap_or_default();
        let process = note.process().filter(|_| note.end.is_none());
        if let Some(process) = process
            && let Ok(pid) = i32::try_from(process.pid)
        {
            let seen = Process::of(pid)
                .map_err(|error| Error::storage(format_args!("look at {id}"), error))?;
            if seen.is_some_and(|seen| seen.started == process.started && seen.lives()) {
                return Ok(Some(note));
            }
        }
        if Instant::now() >= end {
            let told = format!("{id} neither runs nor comes to its end");
            return Err(Error::new(Kind::Busy, told).hint(format!(
                "`mcell agent stop {id} --now` ends what is left of it"
            )));
        }
        super::pause();
    }
}

fn told(id: &AgentId, life: &Life, plan: &Plan) -> String {
    let from = match plan.checkpoint {
        Some(number) => format!("from checkpoint {number}"),
        None => String::from("anew"),
    };
    let passed = match plan.passed_over.as_slice() {
        [] => String::new(),
        broken => {
            let numbers = listed(broken.iter().map(|(number, _)| number));
            format!("; not what was saved: checkpoint {numbers}")
        }
    };
    let suspects = match plan.suspects.as_slice() {
        [] => String::new(),
        numbers => format!(
            "; not tried again after three failures: checkpoint {}",
            listed(numbers)
        ),
    };
    format!(
        "{id} starts {from}, incarnation {}{passed}{suspects}",
        life.incarnation
    )
}

/// Refuses what cannot run as things are (exit 5).
fn require_startable(cell: &OpenCell, id: &AgentId, agent: &Agent) -> Result<()> {
    if agent.run.is_none() {
        return Err(no_command(id));
    }
    if agent.status == AgentStatus::Paused {
        return Err(Error::refused(format!("{id} is paused"))
            .hint(format!("`mcell agent resume {id}` lets it go on")));
    }
    let mission = cell.cell()?;
    let status = mission.status;
    if status != CellStatus::Active {
        let word = status.word();
        let back = if status == CellStatus::Paused {
            "resume"
        } else {
            "reopen"
        };
        return Err(
            Error::refused(format!("the cell is {word}: nothing is started in it"))
                .hint(format!("`mcell cell {back}` makes it active")),
        );
    }
    // Not by a view: whoever starts something holds the lock.
    let stated = cell.isolation()?.map(|isolation| isolation.level);
    let level = effective_level(mission.isolation_level, stated);
    if level != Level::None {
        return Err(Error::refused(format!(
            "the cell asks for {}, which this mcell cannot enforce yet: it starts nothing below its level",
            level.word()
        ))
        .hint("if that is meant: `mcell isolation set none` lowers it, in writing"));
    }
    if layout::agent_log(id) == layout::MISSION_LOG {
        return Err(Error::refused(format!(
            "the log of {id} would be the mission's own, {}",
            layout::MISSION_LOG
        ))
        .hint("an agent that mcell starts has another id"));
    }
    Ok(())
}

/// The host that a cell is at home on; none before the first start.
fn home_of(text: Option<Vec<u8>>) -> Option<String> {
    let home = serde_json::from_slice::<serde_json::Value>(&text?).unwrap_or_default();
    let unreadable = || String::from("a host that cannot be read");
    Some(home["host"].as_str().map_or_else(unreadable, str::to_owned))
}

fn own_host(session: &Session) -> Result<String> {
    let configured = config::places(&session.env)?.host;
    Ok(host::name(&session.env, configured.as_deref()))
}

/// Whether a cell is at home here; one that was never started is wherever it lies.
pub(crate) fn is_at_home(session: &Session, cell: &OpenCell) -> Result<bool> {
    let home = home_of(cell.folder().read(layout::HOST)?);
    Ok(match home {
        Some(home) => home == own_host(session)?,
        None => true,
    })
}

fn not_at_home(home: &str) -> Error {
    Error::refused(format!(
        "the cell is at home on {}: here it is watched, and nothing of it is started",
        shown(home)
    ))
    .hint("if it came here for good: `mcell cell take-over`")
}

/// Refuses to start anything where the cell is not at home; the first start makes this host its home.
fn require_home(session: &Session, writing: &mut Writing<'_>) -> Result<()> {
    let own = own_host(session)?;
    match home_of(writing.text(layout::HOST)?) {
        Some(home) if home != own => Err(not_at_home(&home)),
        Some(_) => Ok(()),
        None => {
            let home = json!({ "host": own, "taken_at": writing.now().to_string() });
            writing.put_text(layout::HOST, pretty(&home)?).map(drop)
        }
    }
}

fn order(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    plan: &Plan,
    life: &Life,
    token: &str,
) -> Result<Order> {
    let root = cell.root_folder()?;
    let root = Root::open(root.path())?;
    let mut variables: BTreeMap<String, String> = plan.variables.clone();
    let mut tell = |name: &str, value: String| {
        variables.insert(format!("MCELL_{name}"), value);
    };
    tell("ROOT", root.path().display().to_string());
    tell("CELL", cell.id().to_string());
    tell("CELL_DIR", cell.path().display().to_string());
    tell("AGENT", id.to_string());
    tell("INCARNATION", life.incarnation.to_string());
    tell("TOKEN", token.to_owned());
    if let Some((task, token)) = &life.claim {
        tell("CLAIM", format!("{task}:{token}"));
    }
    tell(
        "SOCKET",
        root.folder().path_of(layout::SOCKET).display().to_string(),
    );
    if let Some(url) = url(session, &root)? {
        tell(
            "BEAT_URL",
            format!("{url}/cells/{}/heartbeat/{id}", cell.id()),
        );
        tell("URL", url);
    }
    Ok(Order {
        version: String::from(env!("CARGO_PKG_VERSION")),
        cell: cell.path().to_path_buf(),
        agent: id.clone(),
        incarnation: life.incarnation,
        token_sha256: sha256(token.as_bytes()),
        command: plan.command.clone(),
        cwd: plan.cwd.clone(),
        environment: variables.into_iter().collect(),
        stop_signal: plan.stop_signal.clone(),
        stop_timeout: plan.stop_timeout,
        checkpoint: plan.save.clone(),
        watchdog: plan.watchdog,
        output_timeout: plan.output_timeout,
        is_shown: false,
        log: plan.log,
    })
}

/// Where the daemon is heard over TCP: the one that runs, else the one that the config speaks of.
fn url(session: &Session, root: &Root) -> Result<Option<String>> {
    let running = presence::look(root)?
        .running()
        .and_then(|about| about.url.clone());
    if let Some(url) = running {
        return Ok(Some(url.trim_end_matches('/').to_owned()));
    }
    let config = config::read(&session.env, None)?.config;
    Ok(config
        .listen
        .first()
        .map(|address| format!("http://{address}")))
}
