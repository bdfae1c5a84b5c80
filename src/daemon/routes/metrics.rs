//! The numbers.

use super::Call;
use crate::daemon::message::{Reply, Response};
use crate::daemon::metrics::exposition::CONTENT_TYPE;

/// `GET /metrics`
pub(super) fn metrics(call: &Call<'_>) -> Reply {
    let desk = &call.front.desk;
    let stories = (call.front.stories)();
    match desk.metrics.render(&desk.snapshot(stories)) {
        Ok(text) => Response::text(200, CONTENT_TYPE, text).into(),
        Err(error) => Response::of_error(&error).into(),
    }
}
