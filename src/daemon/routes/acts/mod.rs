//! Acts of agents: what `mcell` does in a cell, done by the daemon for an agent that may not write there itself.
//!
//! The agent is who its token says, and never an operator. Each act is the same use case that the command calls, under the
//! same locks; so it is made by a thread of the pool, and the listener goes on meanwhile.

mod op;

use super::who;
use super::{Call, Front};
use crate::base::env::Env;
use crate::base::ids::{AgentId, CellId};
use crate::daemon::desk::Desk;
use crate::daemon::message::{Reply, Response, later};
use crate::health::roster::{Found, TokenHash};
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::{journal, layout, lock};
use op::Op;
use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::Arc;

/// What acts see of the daemon's environment: how long to wait, and how long journals may grow. No home, and a working
/// directory that is not there: a path of a file means nothing in an act.
pub(super) fn env_of_acts(env: &Env, desk: &Desk) -> Env {
    let knobs = [lock::KNOB, journal::KNOB];
    let variables: HashMap<OsString, OsString> = knobs
        .iter()
        .filter_map(|name| Some((OsString::from(name), OsString::from(env.word(name)?))))
        .collect();
    let mut own = Env::with(variables, desk.root.join(layout::NOWHERE));
    own.clock = desk.clock;
    own
}

/// `POST /cells/{cell_id}/acts`
pub(super) fn act(call: &Call<'_>) -> Reply {
    prepare(call).unwrap_or_else(Reply::from)
}

fn prepare(call: &Call<'_>) -> Result<Reply, Response> {
    let [cell, _] = call.names;
    let Some(token) = &call.request.token else {
        let told = "an act is done as the agent whose token (MCELL_TOKEN) is sent";
        return Err(who::unknown(told));
    };
    let token = who::hash(token);
    let op: Op = call.request.json()?.ok_or_else(|| {
        let told = "the body says what is to be done: {\"op\": \"task claim\", …}";
        Response::error(400, "bad_body", told)
    })?;
    let front = call.front;
    let actor = Actor {
        cell: cell.to_owned(),
        token,
    };
    let is_known = front.desk.world().roster.by_token(&token).is_some();
    if !is_known && !front.may_look() {
        return Err(actor.refusal(front));
    }
    let (promise, answer) = later();
    let own = Arc::clone(front);
    let is_taken = front.pool.give(move || {
        promise.keep(actor.act(&own, op).unwrap_or_else(|refusal| refusal));
    });
    if is_taken {
        return Ok(Reply::Later(answer));
    }
    let told = "too many acts wait already; try again";
    Err(Response::error(503, "busy", told))
}

/// Who acts, and where.
struct Actor {
    cell: String,
    token: TokenHash,
}

impl Actor {
    /// Does it. What the agent's runner says of it is read first: between a fence and the next sweep the token of the
    /// life that is over is still in memory.
    fn act(&self, front: &Front, op: Op) -> Result<Response, Response> {
        let agents = match self.agent(front) {
            Ok(agent) => vec![agent],
            Err(_) => self.agents_of_cell(front),
        };
        front.read_again(&agents);
        let (cell, agent) = self.agent(front)?;
        let mut session = Session::quiet(front.env.clone());
        session.root = Some(front.desk.root.clone());
        session.agent = Some(agent);
        let done = OpenCell::open(&front.desk.root.join(cell.as_str()))
            .and_then(|cell| op.run(&mut session, cell));
        Ok(match done {
            Ok(value) => Response::json(200, &value),
            Err(error) => Response::of_error(&error),
        })
    }

    /// The agent that the token is of, in this cell.
    fn agent(&self, front: &Front) -> Result<(CellId, AgentId), Response> {
        let world = front.desk.world();
        let roster = &world.roster;
        let watched = roster
            .by_token(&self.token)
            .and_then(|slot| roster.get(slot));
        let owner = watched.filter(|watched| {
            let present = watched.tokens().present;
            present.is_some_and(|present| who::same(&present, &self.token))
        });
        let place = owner.and_then(|owner| Some((owner.cell.clone()?, owner.agent.clone())));
        match place {
            Some((cell, agent)) if cell.as_str() == self.cell => Ok((cell, agent)),
            Some(_) => {
                let told = "this token is of an agent of another cell";
                Err(Response::error(403, "forbidden", told))
            }
            None => {
                drop(world);
                Err(self.refusal(front))
            }
        }
    }

    /// Why the token is not believed: its life is over, or nobody knows it.
    fn refusal(&self, front: &Front) -> Response {
        let world = front.desk.world();
        let roster = &world.roster;
        for agent in roster
            .cell(&self.cell)
            .iter()
            .flat_map(|census| &census.agents)
        {
            if let Found::One(slot) = roster.find(agent.id.as_str(), Some(&self.cell))
                && let Some(watched) = roster.get(slot)
                && watched
                    .tokens()
                    .before
                    .is_some_and(|before| who::same(&before, &self.token))
            {
                return who::fenced(watched.signs.incarnation);
            }
        }
        who::stranger()
    }

    fn agents_of_cell(&self, front: &Front) -> Vec<(CellId, AgentId)> {
        let world = front.desk.world();
        let census = world.roster.cell(&self.cell);
        census.map_or_else(Vec::new, |census| {
            let agents = census.agents.iter();
            agents
                .map(|agent| (census.cell_id.clone(), agent.id.clone()))
                .collect()
        })
    }
}
