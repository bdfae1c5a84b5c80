//! The stream of what happens.

use super::Call;
use crate::daemon::events::MOST;
use crate::daemon::message::{Method, Reply, Response};

/// `GET /events`: first everything as `GET /health` gives it, then each change.
pub(super) fn listen(call: &Call<'_>) -> Reply {
    if call.request.method == Method::Head {
        return Response::text(200, "text/event-stream", String::new()).into();
    }
    let (world, now) = call.front.desk.world_now();
    match call
        .front
        .events
        .join("health", &world.roster.overview(now))
    {
        Some(feed) => Response::stream(feed).into(),
        None => {
            let told = format!("{MOST} listen already, and that is all there may be");
            Response::error(429, "too_many", &told).into()
        }
    }
}
