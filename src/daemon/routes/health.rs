//! How everybody is.

use super::Call;
use crate::daemon::message::{Reply, Response};

/// `GET /health`
pub(super) fn health(call: &Call<'_>) -> Reply {
    let (world, now) = call.front.desk.world_now();
    Response::json(200, &world.roster.overview(now)).into()
}
