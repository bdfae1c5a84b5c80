//! Requests to bring agents back. Nobody makes any yet: the list is empty, and there is none to answer.

use super::Call;
use crate::base::text::shown;
use crate::daemon::message::{Reply, Response};
use serde_json::json;

/// `GET /revivals`
pub(super) fn list(_: &Call<'_>) -> Reply {
    Response::json(200, &json!({ "revivals": [] })).into()
}

/// `POST /revivals/{revival_id}/approve` and `/deny`
pub(super) fn answer(call: &Call<'_>) -> Reply {
    let [id, _] = call.names;
    let told = format!("there is no revival {}", shown(id));
    Response::error(404, "not_found", &told).into()
}
