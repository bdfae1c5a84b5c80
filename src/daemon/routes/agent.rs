//! One agent; and those of no cell, which come and go over HTTP.

use super::Call;
use super::who::{not_in, several, too_much};
use crate::base::ids::AgentId;
use crate::base::text::shown;
use crate::daemon::message::{Reply, Response};
use crate::health::roster::{Found, Refusal, Roster};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// `GET /agent/{agent_id}`
pub(super) fn show(call: &Call<'_>) -> Reply {
    let [agent, _] = call.names;
    report(call, agent, None)
}

/// `GET /cells/{cell_id}/agent/{agent_id}`
pub(super) fn show_in_cell(call: &Call<'_>) -> Reply {
    let [cell, agent] = call.names;
    report(call, agent, Some(cell))
}

fn report(call: &Call<'_>, agent: &str, cell: Option<&str>) -> Reply {
    let (world, now) = call.front.desk.world_now();
    let report = match world.roster.find(agent, cell) {
        Found::One(slot) => world.roster.report(slot, now),
        Found::Several(cells) => return several(agent, &cells).into(),
        Found::Nobody => None,
    };
    drop(world);
    match (report, cell) {
        (Some(report), _) => Response::json(200, &report).into(),
        (None, Some(cell)) => not_in(agent, cell).into(),
        (None, None) => nobody(agent).into(),
    }
}

fn nobody(agent: &str) -> Response {
    let told = format!("nobody knows an agent {}", shown(agent));
    Response::error(404, "not_found", &told)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    metadata: Option<Map<String, Value>>,
}

/// `PUT /agent/{agent_id}`: there is an agent of this id, of no cell.
pub(super) fn register(call: &Call<'_>) -> Reply {
    let [agent, _] = call.names;
    put(call, agent).unwrap_or_else(|refusal| refusal).into()
}

fn put(call: &Call<'_>, agent: &str) -> Result<Response, Response> {
    let body: Body = call.request.json()?.unwrap_or_default();
    let id =
        AgentId::new(agent).map_err(|error| Response::error(400, "bad_id", error.message()))?;
    let (mut world, now) = call.front.desk.world_now();
    let roster = &mut world.roster;
    require_stray(roster, agent)?;
    let was_there = roster.find_stray(&id) != Found::Nobody;
    let slot = roster.take_in(&id, now);
    let metadata = body.metadata.unwrap_or_default();
    let described = roster.describe(slot, &metadata);
    if let Err(Refusal::TooMuch(bytes)) = described {
        if !was_there {
            roster.send_away(&id);
        }
        return Err(too_much(&metadata, bytes));
    }
    let report = roster.report(slot, now);
    Ok(Response::json(if was_there { 200 } else { 201 }, &report))
}

/// `DELETE /agent/{agent_id}`
pub(super) fn unregister(call: &Call<'_>) -> Reply {
    let [agent, _] = call.names;
    let mut world = call.front.desk.world();
    if let Err(refusal) = require_stray(&world.roster, agent) {
        return refusal.into();
    }
    let was_there = AgentId::new(agent).is_ok_and(|id| world.roster.send_away(&id));
    if was_there {
        Response::json(200, &json!({ "status": "ok", "agent_id": agent })).into()
    } else {
        nobody(agent).into()
    }
}

/// Refuses an agent of a cell: its files say that it is there, and nothing else does.
fn require_stray(roster: &Roster, agent: &str) -> Result<(), Response> {
    let is_stray = match roster.find(agent, None) {
        Found::Nobody => true,
        Found::One(slot) => roster.get(slot).is_some_and(|one| one.cell.is_none()),
        Found::Several(_) => false,
    };
    if is_stray {
        return Ok(());
    }
    let told = format!(
        "{} is an agent of a cell: `mcell add-agent` and `mcell agent remove` are for those",
        shown(agent)
    );
    Err(Response::error(409, "in_a_cell", &told))
}
