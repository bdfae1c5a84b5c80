//! Requests to bring agents back: those that are open, and what an operator says to one.

use super::{Call, Front};
use crate::base::clock::Time;
use crate::base::error::Error;
use crate::daemon::message::{Reply, Response, later};
use crate::health::roster::seconds;
use crate::ops::Session;
use crate::ops::find::Scope;
use crate::ops::revival::{self, Answer, Told};
use crate::store::root::Root;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who answers, as the journal knows it: whoever has the operator's token.
const BY: &str = "operator over HTTP";

/// `GET /revivals`
pub(super) fn list(call: &Call<'_>) -> Reply {
    elsewhere(call, |front| {
        let scope = Scope::Root(Root::open(&front.desk.root)?);
        let listed = revival::list(&scope, false)?;
        let revivals: Vec<Value> = listed.revivals.iter().map(told).collect();
        Ok(Response::json(200, &json!({ "revivals": revivals })))
    })
}

/// `POST /revivals/{revival_id}/approve`
pub(super) fn approve(call: &Call<'_>) -> Reply {
    answer(call, Answer::Approve)
}

/// `POST /revivals/{revival_id}/deny`
pub(super) fn deny(call: &Call<'_>) -> Reply {
    answer(call, Answer::Deny)
}

/// `POST /revivals/{revival_id}/cancel`
pub(super) fn cancel(call: &Call<'_>) -> Reply {
    answer(call, Answer::Cancel)
}

fn answer(call: &Call<'_>, answer: Answer) -> Reply {
    let [id, _] = call.names;
    let id = id.to_owned();
    elsewhere(call, move |front| {
        let scope = Scope::Root(Root::open(&front.desk.root)?);
        let (cell, revival) = revival::find(&scope, &id)?;
        let mut session = Session::quiet(front.env.clone());
        session.by = Some(String::from(BY));
        let answered = revival::answer(&session, &cell, &revival, answer)?;
        front.desk.bell.ring();
        Ok(Response::json(200, &told(&Told::from(answered))))
    })
}

/// A request as it is told over HTTP: times are seconds since 1970.
fn told(one: &Told) -> Value {
    let seconds = |time: Option<Time>| time.map(|time| seconds(time.unix_milliseconds()));
    json!({
        "id": one.id,
        "cell_id": one.cell_id,
        "agent_id": one.agent_id,
        "status": one.status,
        "reason": one.reason,
        "why": one.why,
        "requested_at": seconds(Some(one.requested_at)),
        "requested_by": one.requested_by,
        "not_before": seconds(one.not_before),
        "answered_by": one.answered_by,
        "incarnation": one.incarnation,
        "checkpoint": one.checkpoint,
        "started_at": seconds(one.started_at),
        "revived_at": seconds(one.revived_at),
        "closed_at": seconds(one.closed_at),
    })
}

/// Does what reads the disk, or waits for a lock, where it keeps nobody waiting.
fn elsewhere(
    call: &Call<'_>,
    act: impl FnOnce(&Front) -> Result<Response, Error> + Send + 'static,
) -> Reply {
    let (promise, answer) = later();
    let front = Arc::clone(call.front);
    let is_taken = call.front.pool.give(move || {
        promise.keep(act(&front).unwrap_or_else(|error| Response::of_error(&error)));
    });
    if is_taken {
        return Reply::Later(answer);
    }
    let told = "too many requests wait already; try again";
    Response::error(503, "busy", told).into()
}
