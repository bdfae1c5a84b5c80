//! The cells of the root.

use super::Call;
use crate::base::text::shown;
use crate::daemon::message::{Reply, Response};
use crate::health::roster::{AgentReport, CellReport, Found};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Cells {
    cells: Vec<CellReport>,
}

/// `GET /cells`
pub(super) fn list(call: &Call<'_>) -> Reply {
    let reports = {
        let (world, now) = call.front.desk.world_now();
        world.roster.cell_reports(now)
    };
    let cells = reports.into_values().collect();
    Response::json(200, &Cells { cells }).into()
}

/// A cell with its agents.
#[derive(Serialize)]
struct Cell {
    cell_id: String,
    mission_name: String,
    status: Option<String>,
    total_agents: usize,
    healthy: usize,
    degraded: usize,
    unhealthy: usize,
    unknown: usize,
    agents: BTreeMap<String, AgentReport>,
    /// What of it cannot be read, a sentence each.
    troubles: Vec<String>,
}

/// `GET /cells/{cell_id}`
pub(super) fn show(call: &Call<'_>) -> Reply {
    let [id, _] = call.names;
    let (world, now) = call.front.desk.world_now();
    let roster = &world.roster;
    let (Some(census), Some(report)) = (roster.cell(id), roster.cell_report(id, now)) else {
        let told = format!("there is no cell {}", shown(id));
        return Response::error(404, "not_found", &told).into();
    };
    let mut agents = BTreeMap::new();
    for agent in &census.agents {
        if let Found::One(slot) = roster.find(agent.id.as_str(), Some(id))
            && let Some(report) = roster.report(slot, now)
        {
            agents.insert(agent.id.to_string(), report);
        }
    }
    let troubles = census.troubles.clone();
    drop(world);
    let cell = Cell {
        cell_id: report.cell_id,
        mission_name: report.mission_name,
        status: report.status,
        total_agents: report.total_agents,
        healthy: report.healthy,
        degraded: report.degraded,
        unhealthy: report.unhealthy,
        unknown: report.unknown,
        agents,
        troubles,
    };
    Response::json(200, &cell).into()
}
