//! Whether the daemon lives, and whether it does its work.

use super::Call;
use crate::base::boot::Clocks;
use crate::daemon::message::{Reply, Response};
use serde_json::json;

/// `GET /livez`: that this is answered is the answer.
pub(super) fn live(_: &Call<'_>) -> Reply {
    Response::json(200, &json!({ "status": "ok" })).into()
}

/// `GET /readyz`: 503 until the first sweep, and when the last one is too long ago.
pub(super) fn ready(call: &Call<'_>) -> Reply {
    let desk = &call.front.desk;
    if desk.is_ready() {
        return Response::json(200, &json!({ "status": "ok" })).into();
    }
    let told = match desk.last_sweep() {
        None => String::from("the first sweep is not over yet"),
        Some(at) => {
            let age = Clocks::now(desk.clock).up.saturating_sub(at) / 1000;
            format!("the last sweep was {age} s ago")
        }
    };
    Response::error(503, "not_ready", &told).into()
}
