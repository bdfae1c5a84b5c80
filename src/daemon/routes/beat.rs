//! Beats, and failures that are reported.

use super::who::{self, Doubt, Sender, fenced, too_much};
use super::{Call, Front};
use crate::base::text::cut;
use crate::daemon::message::{Reply, Response, later, whole};
use crate::health::roster::{Beat, Order, Refusal, Roster, Slot, seconds};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// How many letters of what an agent says of itself are kept.
const LONGEST_STATUS: usize = 200;
/// How many letters of an error are kept.
const LONGEST_ERROR: usize = 1000;

/// The body of a beat, and of a failure.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    cell_id: Option<String>,
    #[serde(deserialize_with = "whole")]
    incarnation: Option<u64>,
    metadata: Option<Map<String, Value>>,
    status: Option<String>,
    progress: Option<f64>,
    #[serde(deserialize_with = "said")]
    quiet_until: Option<Option<f64>>,
    error: Option<String>,
}

/// Tells null from what is not said.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<f64>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// The answer to a beat.
#[derive(Serialize)]
struct Heard<'a> {
    status: &'static str,
    agent_id: &'a str,
    timestamp: f64,
    next_heartbeat: u64,
    cell_id: Option<&'a str>,
    incarnation: u64,
    orders: Vec<Order>,
}

/// What is said of an agent.
#[derive(Debug)]
enum Word {
    Beat(Beat),
    Failure(Option<u64>, String),
}

/// `POST /heartbeat/{agent_id}`
pub(super) fn beat(call: &Call<'_>) -> Reply {
    let [agent, _] = call.names;
    hear(call, None, agent, true)
}

/// `POST /cells/{cell_id}/heartbeat/{agent_id}`
pub(super) fn beat_in_cell(call: &Call<'_>) -> Reply {
    let [cell, agent] = call.names;
    hear(call, Some(cell), agent, true)
}

/// `POST /failure/{agent_id}`
pub(super) fn failure(call: &Call<'_>) -> Reply {
    let [agent, _] = call.names;
    hear(call, None, agent, false)
}

/// `POST /cells/{cell_id}/failure/{agent_id}`
pub(super) fn failure_in_cell(call: &Call<'_>) -> Reply {
    let [cell, agent] = call.names;
    hear(call, Some(cell), agent, false)
}

fn hear(call: &Call<'_>, cell: Option<&str>, agent: &str, is_beat: bool) -> Reply {
    match read(call, cell, agent, is_beat) {
        Ok((sender, word)) => take(call.front, sender, word),
        Err(refusal) => {
            if is_beat {
                call.front.desk.metrics.beat_refused();
            }
            refusal.into()
        }
    }
}

fn read(
    call: &Call<'_>,
    cell: Option<&str>,
    agent: &str,
    is_beat: bool,
) -> Result<(Sender, Word), Response> {
    let body: Body = call.request.json()?.unwrap_or_default();
    if let (Some(cell), Some(said)) = (cell, &body.cell_id)
        && cell != said
    {
        let told = "the path names another cell than the body";
        return Err(Response::error(409, "contradiction", told));
    }
    let sender = Sender {
        agent: agent.to_owned(),
        cell: cell.map(str::to_owned).or(body.cell_id),
        token: call.request.token.as_deref().map(who::hash),
        incarnation: body.incarnation,
        peer: call.request.peer,
        or_operator: !is_beat,
    };
    if !is_beat {
        let Some(error) = body.error else {
            let told = "`error` says what failed, in a text";
            return Err(Response::error(400, "bad_body", told));
        };
        let error = cut(&error, LONGEST_ERROR).into_owned();
        return Ok((sender, Word::Failure(body.incarnation, error)));
    }
    let beat = Beat {
        incarnation: body.incarnation,
        status: body
            .status
            .map(|status| cut(&status, LONGEST_STATUS).into_owned()),
        progress: body.progress,
        quiet_until: body.quiet_until,
        metadata: body.metadata.unwrap_or_default(),
    };
    Ok((sender, Word::Beat(beat)))
}

/// Takes what is said, and if it is doubted, once more after a look at the disk.
fn take(front: &Arc<Front>, sender: Sender, word: Word) -> Reply {
    let (stale, refusal) = match attempt(front, &sender, &word) {
        Ok(response) | Err(Doubt::Refused(response)) => {
            return counted(front, &word, response).into();
        }
        Err(Doubt::Stale(stale, refusal)) => (stale, refusal),
    };
    if !front.may_look() {
        return counted(front, &word, refusal).into();
    }
    let (promise, answer) = later();
    let own = Arc::clone(front);
    let is_taken = front.pool.give(move || {
        own.read_again(&stale);
        let response = match attempt(&own, &sender, &word) {
            Ok(response) | Err(Doubt::Refused(response) | Doubt::Stale(_, response)) => response,
        };
        promise.keep(counted(&own, &word, response));
    });
    if is_taken {
        Reply::Later(answer)
    } else {
        refusal.into()
    }
}

fn counted(front: &Front, word: &Word, response: Response) -> Response {
    let metrics = &front.desk.metrics;
    match (word, response.status) {
        (Word::Beat(_), 200) => metrics.beat_accepted(),
        (Word::Beat(_), _) => metrics.beat_refused(),
        (Word::Failure(..), 200) => metrics.failure_reported(),
        (Word::Failure(..), _) => {}
    }
    response
}

fn attempt(front: &Front, sender: &Sender, word: &Word) -> Result<Response, Doubt> {
    let (mut world, now) = front.desk.world_now();
    let slot = sender.identify(front, &mut world.roster, now)?;
    let heard = match word {
        Word::Beat(beat) => world.roster.beat(slot, beat, now).map(Some),
        Word::Failure(life, error) => world.roster.failure(slot, *life, error, now).map(|()| None),
    };
    let heard = heard.map_err(|refusal| refused(&world.roster, slot, word, &refusal))?;
    front.desk.notice(&world, slot, now);
    let watched = world.roster.get(slot).ok_or_else(gone)?;
    Ok(Response::json(
        200,
        &Heard {
            status: "ok",
            agent_id: watched.agent.as_str(),
            timestamp: seconds(now.wall),
            next_heartbeat: watched.case.settings.interval,
            cell_id: watched.cell.as_ref().map(|cell| cell.as_str()),
            incarnation: watched.signs.incarnation,
            orders: heard.map(|heard| heard.orders).unwrap_or_default(),
        },
    ))
}

fn gone() -> Response {
    Response::error(404, "not_found", "this agent is gone")
}

fn refused(roster: &Roster, slot: Slot, word: &Word, refusal: &Refusal) -> Doubt {
    match refusal {
        Refusal::Fenced(present) => fenced(*present).into(),
        Refusal::Gone => gone().into(),
        Refusal::TooMuch(bytes) => {
            let sent = match word {
                Word::Beat(beat) => too_much(&beat.metadata, *bytes),
                Word::Failure(..) => too_much(&Map::new(), *bytes),
            };
            sent.into()
        }
        Refusal::Unborn(life) => {
            let told = format!("mcell has begun no life {life} of this agent");
            let refusal = Response::error(409, "unborn", &told);
            let place = roster
                .get(slot)
                .and_then(|one| Some((one.cell.clone()?, one.agent.clone())));
            Doubt::Stale(place.into_iter().collect(), refusal)
        }
    }
}
