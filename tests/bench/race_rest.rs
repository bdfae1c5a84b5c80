//! A daemon of 100 agents to whom nothing happens.

use crate::field::Field;
use crate::fleet::Fleet;
use crate::generate::{self, Recipe};
use crate::report::{Report, Result};
use crate::server::Server;
use std::time::{Duration, Instant};

pub fn race(field: &Field, report: &mut Report) {
    let what = format!(
        "100 agents in 10 cells, nothing happens for {} s: of one core",
        field.rest.as_secs()
    );
    report.share("rest", &what, 0.2, at_rest(field));
}

fn at_rest(field: &Field) -> Result<f64> {
    let root = field.scratch().join("rest");
    generate::root(&root, &Recipe::watched(10, 10, 50), 2)?;
    let daemon = Server::daemon(field, &root, "{}")?;
    // Who has beaten is judged at each sweep; of who never has, nothing is due.
    let mut fleet = Fleet::of(&root, daemon.address())?;
    fleet.replay(fleet.agents(), Duration::from_millis(1))?;
    drop(fleet);
    let (begun, before) = (Instant::now(), daemon.spent()?);
    std::thread::sleep(field.rest);
    Ok((daemon.spent()? - before).as_secs_f64() / begun.elapsed().as_secs_f64())
}
