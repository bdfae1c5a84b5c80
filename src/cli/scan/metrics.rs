//! A scan as Prometheus text, for the textfile collector of node_exporter.

use crate::base::error::Result;
use crate::daemon::metrics::exposition::{self, Labels, gauges, labels, whole};
use crate::health::state::State;
use crate::ops::scan::Scan;
use prometheus_client::registry::Registry;
use std::path::Path;

/// Writes the metrics to a file, replaced whole: a collector never sees half of them.
pub(super) fn write(file: &Path, scans: &[Scan]) -> Result<()> {
    let text = text(scans)?;
    crate::store::own::replace(file, text.as_bytes())
}

fn text(scans: &[Scan]) -> Result<String> {
    let mut registry = Registry::default();
    let cells = gauges(&mut registry, "mcell_cells", "Cells by status");
    let agents = gauges(&mut registry, "mcell_agents", "Agents by cell and status");
    let health = gauges(
        &mut registry,
        "mcell_cell_agents_by_health",
        "Agents by cell and health, where that is known of any",
    );
    let tasks = gauges(&mut registry, "mcell_tasks", "Tasks by cell and status");
    let ready = gauges(
        &mut registry,
        "mcell_tasks_ready",
        "Tasks that can be taken now, by cell",
    );
    let late = gauges(
        &mut registry,
        "mcell_tasks_overdue",
        "Tasks in progress for longer than they should take, by cell",
    );
    let problems = gauges(
        &mut registry,
        "mcell_problems",
        "Problems by cell; those of the root have an empty cell",
    );
    let up = gauges(
        &mut registry,
        "mcell_daemon_running",
        "Whether the daemon of the root runs",
    );
    let swept = gauges(
        &mut registry,
        "mcell_daemon_last_sweep_timestamp_seconds",
        "When the daemon's last sweep ended, in seconds since 1970",
    );
    let free = gauges(
        &mut registry,
        "mcell_disk_available_bytes",
        "Bytes free on the disk of the root",
    );
    let total = gauges(
        &mut registry,
        "mcell_disk_size_bytes",
        "Bytes of the disk of the root",
    );
    let at = gauges(
        &mut registry,
        "mcell_scan_timestamp_seconds",
        "When the scan was made, in seconds since 1970",
    );
    for scan in scans {
        for cell in &scan.cells {
            let named = |more: &[(&str, &str)]| {
                labels(&[&[("cell", cell.cell_id.as_str())], more].concat())
            };
            let status = cell.status.as_deref().unwrap_or("unreadable");
            cells.get_or_create(&labels(&[("status", status)])).inc();
            let a = cell.agents;
            for (status, number) in [
                ("idle", a.idle),
                ("active", a.active),
                ("paused", a.paused),
                ("failed", a.failed),
            ] {
                agents
                    .get_or_create(&named(&[("status", status)]))
                    .set(i64::from(number));
            }
            for state in State::ALL {
                if let Some(counts) = &cell.health {
                    health
                        .get_or_create(&named(&[("state", state.word())]))
                        .set(whole(counts.of(state)));
                }
            }
            let t = cell.tasks;
            let by_status = [
                ("pending", t.pending),
                ("in_progress", t.in_progress),
                ("completed", t.completed),
                ("failed", t.failed),
            ];
            for (status, number) in by_status {
                tasks
                    .get_or_create(&named(&[("status", status)]))
                    .set(i64::from(number));
            }
            ready.get_or_create(&named(&[])).set(i64::from(t.ready));
            late.get_or_create(&named(&[])).set(i64::from(t.overdue));
            problems
                .get_or_create(&named(&[]))
                .set(whole(cell.problems.len()));
        }
        problems
            .get_or_create(&labels(&[("cell", "")]))
            .set(whole(scan.problems.len()));
        if let Some(seen) = &scan.daemon {
            up.get_or_create(&Labels::new())
                .set(i64::from(seen.running));
            if let Some(last) = seen.last_sweep {
                swept.get_or_create(&Labels::new()).set(last.unix());
            }
        }
        if let Some(space) = scan.disk {
            free.get_or_create(&Labels::new())
                .set(whole(space.available));
            total.get_or_create(&Labels::new()).set(whole(space.total));
        }
        if let Some(moment) = crate::base::clock::Time::parse(&scan.scanned_at) {
            at.get_or_create(&Labels::new()).set(moment.unix());
        }
    }
    exposition::text(&[&registry])
}
