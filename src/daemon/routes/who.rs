//! Which agent a request is of, and whether it is believed.

use super::Front;
use crate::base::boot::Clocks;
use crate::base::ids::{AgentId, CellId};
use crate::daemon::message::{Peer, Response};
use crate::health::roster::{Found, MOST_METADATA, Roster, Slot, TokenHash};
use crate::mission::run::RunNote;
use crate::store::cell::OpenCell;
use crate::store::layout;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What is known of a token: its hash.
pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// Compares in a time that tells nothing.
pub(super) fn same(one: &TokenHash, other: &TokenHash) -> bool {
    one.ct_eq(other).into()
}

/// A refusal of who is not known.
pub(super) fn unknown(message: &str) -> Response {
    Response::error(401, "unauthorized", message).with("www-authenticate", "Bearer")
}

/// Who says something of which agent.
#[derive(Debug)]
pub(super) struct Sender {
    /// The agent that the path names.
    pub(super) agent: String,
    /// Its cell, if path or body name it.
    pub(super) cell: Option<String>,
    /// The hash of the token that was sent.
    pub(super) token: Option<TokenHash>,
    /// Which life of the agent the body says it is of.
    pub(super) incarnation: Option<u64>,
    /// From where it came.
    pub(super) peer: Peer,
    /// Whether the operator's token may stand for the agent's.
    pub(super) or_operator: bool,
}

/// Why a sender is not believed.
#[derive(Debug)]
pub(super) enum Doubt {
    /// For good.
    Refused(Response),
    /// Of what is in memory; the agents may have been started since.
    Stale(Vec<(CellId, AgentId)>, Response),
}

impl From<Response> for Doubt {
    fn from(refusal: Response) -> Self {
        Doubt::Refused(refusal)
    }
}

/// Whom a token makes of a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bearer {
    Nobody,
    Operator,
    Stranger(TokenHash),
}

impl Sender {
    /// The agent that it may speak for. An id of no cell is taken in: the fleet's agents beat before anybody made a cell.
    pub(super) fn identify(
        &self,
        front: &Front,
        roster: &mut Roster,
        now: Clocks,
    ) -> Result<Slot, Doubt> {
        let bearer = match self.token {
            None => Bearer::Nobody,
            Some(token) if same(&token, &front.operator) => Bearer::Operator,
            Some(token) => match roster.by_token(&token) {
                Some(slot) => return Ok(self.owns(roster, slot, &token)?),
                None => Bearer::Stranger(token),
            },
        };
        if bearer == Bearer::Nobody && self.peer == Peer::Remote {
            return Err(unknown("from another machine a token is needed").into());
        }
        match roster.find(&self.agent, self.cell.as_deref()) {
            Found::One(slot) => self.believe(roster, slot, bearer),
            Found::Several(cells) => match bearer {
                Bearer::Nobody | Bearer::Operator => Err(several(&self.agent, &cells).into()),
                Bearer::Stranger(token) => {
                    let slots = cells.iter().filter_map(|cell| {
                        match roster.find(&self.agent, Some(cell.as_str())) {
                            Found::One(slot) => Some(slot),
                            _ => None,
                        }
                    });
                    Err(self.doubt(roster, &slots.collect::<Vec<_>>(), &token))
                }
            },
            Found::Nobody => match (&self.cell, bearer) {
                (_, Bearer::Stranger(_)) => Err(stranger().into()),
                (Some(cell), _) => Err(not_in(&self.agent, cell).into()),
                (None, _) => match AgentId::new(self.agent.as_str()) {
                    Ok(id) => Ok(roster.take_in(&id, now)),
                    Err(error) => Err(Response::error(400, "bad_id", error.message()).into()),
                },
            },
        }
    }

    /// The token is of an agent: it speaks for that one, and for no other.
    fn owns(&self, roster: &Roster, slot: Slot, token: &TokenHash) -> Result<Slot, Response> {
        let watched = roster.get(slot).ok_or_else(stranger)?;
        if !watched
            .tokens()
            .present
            .is_some_and(|present| same(&present, token))
        {
            return Err(stranger());
        }
        let is_it = watched.agent.as_str() == self.agent;
        let is_there = self.cell.as_deref().is_none_or(|said| {
            watched
                .cell
                .as_ref()
                .is_some_and(|cell| cell.as_str() == said)
        });
        if is_it && is_there {
            return Ok(slot);
        }
        let told = "this token is of another agent";
        Err(Response::error(403, "forbidden", told))
    }

    fn believe(&self, roster: &Roster, slot: Slot, bearer: Bearer) -> Result<Slot, Doubt> {
        let watched = roster.get(slot).ok_or_else(stranger)?;
        match (watched.tokens().present, bearer) {
            (_, Bearer::Stranger(token)) => Err(self.doubt(roster, &[slot], &token)),
            (None, _) => Ok(slot),
            (Some(_), Bearer::Operator) if self.or_operator => Ok(slot),
            (Some(_), Bearer::Operator) => {
                let told = "only the agent itself can say so, by its own token";
                Err(Response::error(403, "forbidden", told).into())
            }
            (Some(_), Bearer::Nobody) => {
                let told =
                    "this agent was started with a token (MCELL_TOKEN), and says who it is by it";
                Err(unknown(told).into())
            }
        }
    }

    /// A token that is not known: of a life that is over, or of one of which nothing was read yet.
    fn doubt(&self, roster: &Roster, slots: &[Slot], token: &TokenHash) -> Doubt {
        let mut stale = Vec::new();
        let mut refusal = stranger();
        for watched in slots.iter().filter_map(|slot| roster.get(*slot)) {
            let is_over = watched
                .tokens()
                .before
                .is_some_and(|before| same(&before, token))
                || self
                    .incarnation
                    .is_some_and(|said| said < watched.signs.incarnation);
            if is_over {
                refusal = fenced(watched.signs.incarnation);
            }
            if let Some(cell) = &watched.cell {
                stale.push((cell.clone(), watched.agent.clone()));
            }
        }
        if stale.is_empty() {
            return Doubt::Refused(refusal);
        }
        Doubt::Stale(stale, refusal)
    }
}

impl Front {
    /// Reads again what the runners of these agents say of them. It reads the disk: not on the listener's thread.
    pub(super) fn read_again(&self, agents: &[(CellId, AgentId)]) {
        for (cell, agent) in agents {
            let Ok(open) = OpenCell::open(&self.desk.root.join(cell.as_str())) else {
                continue;
            };
            let read = open.folder().read(&layout::run_note(agent));
            // What cannot be read says nothing, and so changes nothing.
            let Ok(Some(text)) = read else { continue };
            let Ok(note) = serde_json::from_slice::<RunNote>(&text) else {
                continue;
            };
            let (mut world, now) = self.desk.world_now();
            if let Found::One(slot) = world.roster.find(agent.as_str(), Some(cell.as_str())) {
                world.roster.renew(slot, &note, now);
            }
        }
    }
}

/// Refuses a token that nobody has.
pub(super) fn stranger() -> Response {
    unknown("nobody here has this token")
}

/// Refuses what is of a life that is over.
pub(super) fn fenced(present: u64) -> Response {
    let told = format!("this is of a life of the agent that is over; the present one is {present}");
    Response::error(409, "fenced", &told)
}

/// Says which agents a name may mean.
pub(super) fn several(agent: &str, cells: &[CellId]) -> Response {
    let told =
        format!("{agent} is in several cells: say in which, by /cells/<cell_id>/… or `cell_id`");
    let cells = cells.iter().map(|cell| cell.as_str());
    Response::refusal(409, "ambiguous", &told, "candidates", cells)
}

/// Says that an agent is not in a cell.
pub(super) fn not_in(agent: &str, cell: &str) -> Response {
    use crate::base::text::shown;
    let told = format!("there is no agent {} in cell {}", shown(agent), shown(cell));
    Response::error(404, "not_found", &told)
}

/// Refuses metadata that is too much by itself, or that would be too much with what is known.
pub(super) fn too_much(sent: &Map<String, Value>, bytes: usize) -> Response {
    let by_itself = serde_json::to_vec(sent).map_or(usize::MAX, |text| text.len());
    if by_itself > MOST_METADATA {
        let told = format!("metadata has at most {MOST_METADATA} bytes, and this has {by_itself}");
        return Response::error(413, "too_large", &told);
    }
    let told = format!(
        "metadata has at most {MOST_METADATA} bytes in all, and would have {bytes}; null deletes what is known"
    );
    Response::error(409, "too_much", &told)
}
