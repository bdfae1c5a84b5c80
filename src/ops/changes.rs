//! What came and what went since the last scan, for cron: the memory is in the root's `.mcell`.

use crate::base::error::{Error, Result};
use crate::ops::scan::{Problem, Scan};
use crate::ops::session::Session;
use crate::store::commit::pretty;
use crate::store::layout;
use crate::store::root::Root;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What came and what went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changes {
    /// Problems that were not there at the last scan.
    pub came: Vec<Problem>,
    /// Problems that are not there any more.
    pub went: Vec<Problem>,
}

impl Changes {
    /// Tells whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Seen {
    problems: Vec<SeenOne>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SeenOne {
    key: String,
    what: String,
    command: String,
}

/// Compares a scan with the one remembered, and remembers this one.
pub fn since_last(session: &Session, scan: &Scan) -> Result<Changes> {
    let root = Root::open(Path::new(&scan.root))?;
    let _held = root.lock(session.wait("scan --changes")?)?;
    let text = root.folder().read(layout::SEEN)?;
    let seen: Seen = match &text {
        None => Seen::default(),
        Some(text) => serde_json::from_slice(text).map_err(|error| {
            let path = root.folder().path_of(layout::SEEN);
            Error::malformed(format!("{} cannot be read: {error}", path.display())).hint(format!(
                "remove it: `rm {}`; every problem is told once more",
                path.display()
            ))
        })?,
    };
    let now: Vec<&Problem> = scan.all_problems().collect();
    let came = now
        .iter()
        .filter(|problem| !seen.problems.iter().any(|old| old.key == problem.key));
    // A look at some cells says nothing about the others, nor about their root.
    let looked_at = |key: &str| {
        let cell = key.split('/').next().unwrap_or_default();
        scan.is_whole || scan.cells.iter().any(|line| line.cell_id == cell)
    };
    let went = seen
        .problems
        .iter()
        .filter(|old| looked_at(&old.key) && !now.iter().any(|problem| problem.key == old.key));
    let changes = Changes {
        came: came.map(|problem| (*problem).clone()).collect(),
        went: went
            .map(|old| Problem {
                key: old.key.clone(),
                what: old.what.clone(),
                command: old.command.clone(),
            })
            .collect(),
    };
    if !changes.is_empty() || text.is_none() {
        let kept = seen.problems.into_iter().filter(|old| !looked_at(&old.key));
        let present = now.iter().map(|problem| SeenOne {
            key: problem.key.clone(),
            what: problem.what.clone(),
            command: problem.command.clone(),
        });
        root.write_own(
            layout::SEEN,
            &pretty(&Seen {
                problems: kept.chain(present).collect(),
            })?,
        )?;
    }
    Ok(changes)
}
