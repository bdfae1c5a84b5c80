//! A beat of an agent, as a command gives it: to the daemon, or where none hears it, to a file that the next one reads.

use crate::base::boot::Clocks;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, CellId};
use crate::base::text::shown;
use crate::health::roster::{self, Beaten, Found, MOST_METADATA, Order, Refusal, Roster, seconds};
use crate::mission::beat::{Beat, Kind as Sign, Says};
use crate::ops::agent::{not_here, show};
use crate::ops::config;
use crate::ops::daemon::Daemon;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::census;
use crate::store::root::Root;
use crate::store::survey::{Depth, Surveyor};
use crate::store::{beat, layout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long the daemon may take to answer a beat: whoever beats has work to do.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where the daemon is spoken to, as whoever started the agent says.
const SOCKET: &str = "MCELL_SOCKET";
/// Which life of the agent this is.
const INCARNATION: &str = "MCELL_INCARNATION";
/// What proves that it is that life.
const TOKEN: &str = "MCELL_TOKEN";

/// What an agent says with a beat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words {
    /// What it does.
    pub status: Option<String>,
    /// How far it is.
    pub progress: Option<f64>,
    /// Seconds for which it will say nothing.
    pub quiet_for: Option<u64>,
    /// What else shall be known of it.
    pub metadata: Map<String, Value>,
}

/// What is answered to a beat: by the daemon, in the fleet's form, or in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// ok: the daemon heard it; recorded: it is on file, and heard when somebody looks.
    pub status: String,
    /// Whose beat it was.
    pub agent_id: String,
    /// When it was heard, in seconds since 1970.
    pub timestamp: f64,
    /// Seconds until the next one is due.
    pub next_heartbeat: u64,
    /// The cell of the agent; null if it is in none.
    pub cell_id: Option<String>,
    /// The life of the agent that it counts for.
    pub incarnation: u64,
    /// What the agent is to do: drain, checkpoint_now, stop.
    pub orders: Vec<Order>,
}

/// Who heard a beat.
#[derive(Clone, Debug)]
pub enum Heard {
    /// The daemon.
    ByDaemon,
    /// Nobody yet: it is on file. And why the daemon did not hear it, if one runs.
    OnFile(PathBuf, Option<Error>),
}

/// An agent that beats.
#[derive(Debug)]
pub struct Heart<'s> {
    session: &'s Session,
    agent: AgentId,
    /// Its cell, as far as it must be known to speak to the daemon.
    cell_id: CellId,
    /// Where that lies; none if only the socket is known, since an agent in its cage may see no root.
    path: Option<PathBuf>,
    socket: Option<PathBuf>,
    token: Option<String>,
    incarnation: Option<u64>,
}

impl<'s> Heart<'s> {
    /// The agent that is meant: `AGENT` or `CELL/AGENT`, else who acts. An agent beats for itself only (exit 5); an operator
    /// for whom it likes.
    pub fn of(session: &'s Session, named: Option<&str>) -> Result<Self> {
        let (cell, agent) = match named.map(|named| named.rsplit_once('/').unwrap_or(("", named))) {
            Some((cell, agent)) => (
                Some(cell).filter(|cell| !cell.is_empty()),
                AgentId::new(agent)?,
            ),
            None => (None, session.require_agent("beat")?.clone()),
        };
        if let Some(own) = &session.agent
            && *own != agent
        {
            return Err(Error::refused(format!("{own} cannot beat for {agent}"))
                .hint("a beat says: I am alive; leave the name out, or beat as the agent itself"));
        }
        let incarnation = match session.env.word(INCARNATION) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Error::usage(format!("{INCARNATION} is not a number: {}", shown(text)))
            })?),
        };
        let socket = session.env.path(SOCKET);
        let (cell_id, path) = locate(session, cell, &agent, socket.is_some())?;
        Ok(Heart {
            session,
            agent,
            cell_id,
            path,
            socket,
            token: session.env.word(TOKEN).map(str::to_owned),
            incarnation,
        })
    }

    /// The agent.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// Beats once. What the daemon refuses is refused (exit 5); what it does not hear goes to a file.
    pub fn beat(&self, words: &Words) -> Result<(Answer, Heard)> {
        let unheard = match self.daemon()? {
            None => None,
            Some(daemon) => match self.tell(daemon, words) {
                Ok(answer) => return Ok((answer, Heard::ByDaemon)),
                // It may not have read the cell yet; the file says whether the agent is there.
                Err(error)
                    if matches!(
                        error.kind(),
                        Kind::CouldNotTell | Kind::OutcomeUnknown | Kind::NotFound
                    ) =>
                {
                    Some(error)
                }
                Err(error) => return Err(error),
            },
        };
        let cell = match (self.open(), &unheard) {
            (Ok(cell), _) => cell,
            // Where no cell can be seen, that nobody heard it is what counts.
            (Err(_), Some(unheard)) if self.socket.is_some() => return Err(unheard.clone()),
            (Err(error), _) => return Err(error),
        };
        let (answer, file) = self.write_down(&cell, words)?;
        Ok((answer, Heard::OnFile(file, unheard)))
    }

    /// Opens its cell, anew for each beat: one that was moved to the trash is none any more.
    fn open(&self) -> Result<OpenCell> {
        match &self.path {
            Some(path) => OpenCell::open(path),
            None => {
                let root = self.session.open_root()?;
                OpenCell::open(&root.path().join(self.cell_id.as_str()))
            }
        }
    }

    fn daemon(&self) -> Result<Option<Daemon>> {
        let daemon = match &self.socket {
            Some(socket) => Some(Daemon::at(socket)),
            None => {
                let cell = self.open()?;
                let root = Root::open(cell.path().parent().unwrap_or(cell.path()))?;
                Daemon::find(&root)?
            }
        };
        Ok(daemon.map(|daemon| daemon.with_patience(PATIENCE)))
    }

    fn tell(&self, daemon: Daemon, words: &Words) -> Result<Answer> {
        let daemon = match &self.token {
            Some(token) => daemon.with_token(token.as_str()),
            None => daemon,
        };
        let mut body = json!({ "cell_id": self.cell_id });
        let mut say = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body[name] = value;
            }
        };
        let wall = Clocks::now(self.session.env.clock).wall;
        let until = words.quiet_for.map(|quiet| {
            let quiet = i64::try_from(quiet).unwrap_or(i64::MAX);
            seconds(wall.saturating_add(quiet.saturating_mul(1000)))
        });
        say("incarnation", self.incarnation.map(Value::from));
        say("status", words.status.as_deref().map(Value::from));
        say("progress", words.progress.map(Value::from));
        say("quiet_until", until.map(Value::from));
        if !words.metadata.is_empty() {
            say("metadata", Some(Value::Object(words.metadata.clone())));
        }
        let answer = daemon.post(&format!("/heartbeat/{}", self.agent), &body)?;
        serde_json::from_value(answer).map_err(|error| {
            Error::new(
                Kind::CouldNotTell,
                format!("what the daemon answers is not understood: {error}"),
            )
        })
    }

    /// Writes a beat to its file. It is judged as the daemon would: what would be refused there is refused here.
    fn write_down(&self, cell: &OpenCell, words: &Words) -> Result<(Answer, PathBuf)> {
        let look = census::look_into(&mut Surveyor::new(Depth::Crew), cell, false)
            .ok_or_else(|| cell.no_cell())?;
        let moment = self.session.moment();
        let now = Clocks::now(self.session.env.clock);
        let troubles = look.census.troubles.clone();
        let usual = config::read(&self.session.env, None)?.config.usual();
        let mut roster = Roster::new(usual);
        roster.enrol(&Arc::new(look.census), |_| None, now);
        let Found::One(slot) = roster.find(self.agent.as_str(), Some(cell.id().as_str())) else {
            // That it cannot be read is not that it is not there.
            show(cell, &self.agent)?;
            let why = troubles.into_iter().next();
            let why = why.unwrap_or_else(|| format!("{} could not be read", self.agent));
            return Err(Error::new(Kind::CouldNotTell, why).hint("`mcell validate` may say more"));
        };
        let said = roster::Beat {
            incarnation: self.incarnation,
            metadata: words.metadata.clone(),
            ..roster::Beat::default()
        };
        let beaten = roster
            .beat(slot, &said, now)
            .map_err(|refusal| self.refused(cell, &refusal))?;
        let beat = Beat {
            up: now.up,
            boot: moment.boot,
            incarnation: self.incarnation,
            kind: Sign::Heartbeat,
            says: Says::Lives,
            status: words.status.clone(),
            progress: words.progress,
            quiet_until: words
                .quiet_for
                .map(|quiet| now.up.saturating_add(quiet.saturating_mul(1000))),
            metadata: words.metadata.clone(),
        };
        beat::write(cell.folder(), &self.agent, &beat)?;
        let file = cell.folder().path_of(&layout::beat(&self.agent));
        Ok((self.recorded(cell, beaten, now), file))
    }

    fn recorded(&self, cell: &OpenCell, beaten: Beaten, now: Clocks) -> Answer {
        Answer {
            status: String::from("recorded"),
            agent_id: self.agent.to_string(),
            timestamp: seconds(now.wall),
            next_heartbeat: beaten.interval,
            cell_id: Some(cell.id().to_string()),
            incarnation: beaten.incarnation,
            orders: beaten.orders,
        }
    }

    fn refused(&self, cell: &OpenCell, refusal: &Refusal) -> Error {
        match refusal {
            Refusal::Fenced(present) => Error::new(
                Kind::Fenced,
                format!(
                    "this is of a life of the agent that is over; the present one is {present}"
                ),
            ),
            Refusal::Unborn(said) => Error::refused(format!(
                "this is of life {said} of the agent, which nobody has begun"
            )),
            Refusal::TooMuch(bytes) => Error::usage(format!(
                "metadata has at most {MOST_METADATA} bytes in all, and would have {bytes}"
            )),
            Refusal::Gone => not_here(cell, &self.agent),
        }
    }
}

/// The cell of an agent: the one that is named or stood in, else the only one with an agent of this id. With a socket an id
/// will do: the cell itself may be out of sight.
fn locate(
    session: &Session,
    named: Option<&str>,
    agent: &AgentId,
    has_socket: bool,
) -> Result<(CellId, Option<PathBuf>)> {
    let open = |cell: OpenCell| Ok((cell.id().clone(), Some(cell.path().to_path_buf())));
    if let Some(named) = named.or(session.cell.as_deref()) {
        return open(session.open_named(named)?);
    }
    if let Some(named) = session.env.word("MCELL_CELL") {
        return match CellId::new(named) {
            Ok(id) if has_socket => Ok((id, None)),
            _ => open(session.open_named(named)?),
        };
    }
    if let Some(path) = session.cell_stood_in() {
        return open(OpenCell::open(&path)?);
    }
    let root = session.open_root()?;
    let mut cells = Vec::new();
    for id in root.cell_ids()? {
        let file = layout::join(id.as_str(), &layout::agent(agent));
        if root.folder().stat(&file)?.is_some() {
            cells.push(id);
        }
    }
    match cells.as_slice() {
        [only] => open(OpenCell::open(&root.path().join(only.as_str()))?),
        [] => Err(Error::not_found(format!(
            "there is no agent {agent} in {}",
            root.path().display()
        ))
        .hint("`mcell agent list -A` shows them")
        .hint(format!(
            "who is in no cell beats by HTTP: `curl -X POST http://localhost:8080/heartbeat/{agent}`"
        ))),
        several => {
            let error = Error::usage(format!(
                "{agent} is in {} cells: say in which, by `--cell`, MCELL_CELL or CELL/{agent}",
                several.len()
            ));
            let lines = several.iter().take(12);
            Err(lines.fold(error, |error, id| error.hint(format!("{id}/{agent}"))))
        }
    }
}
