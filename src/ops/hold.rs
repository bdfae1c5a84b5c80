//! An operator's own hold: until it ends, nothing is revived. It is a file of the root, so that it holds whoever runs.

use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::text::shown;
use crate::ops::session::Session;
use crate::store::commit::pretty;
use crate::store::layout;
use crate::store::root::Root;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An operator's hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Why.
    pub why: String,
    /// Who said so.
    pub by: String,
    /// Since when.
    pub since: Time,
    /// When it ends by itself; null: when somebody ends it.
    pub until: Option<Time>,
}

impl Hold {
    /// Whether it holds at a moment.
    pub fn holds(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl std::fmt::Display for Hold {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} holds revivals: {}",
            shown(&self.by),
            shown(&self.why)
        )
    }
}

/// The hold that is in force; none if there is none, or its time is over.
pub fn in_force(root: &Root, now: Time) -> Result<Option<Hold>> {
    let Some(text) = root.folder().read(layout::HOLD)? else {
        return Ok(None);
    };
    let hold: Hold = serde_json::from_slice(&text).map_err(|error| {
        let path = root.folder().path_of(layout::HOLD);
        Error::malformed(format!("{} cannot be read: {error}", path.display()))
            .hint("`mcell daemon release` removes it; until then nothing is revived")
    })?;
    Ok(Some(hold).filter(|hold| hold.holds(now)))
}

/// Begins a hold, or replaces the one in force.
pub fn begin(session: &Session, root: &Root, why: &str, seconds: Option<u64>) -> Result<Hold> {
    session.require_operator("hold revivals")?;
    let _held = root.lock(session.wait("daemon hold")?)?;
    let since = session.env.clock.now();
    let hold = Hold {
        why: why.to_owned(),
        by: session.actor(),
        since,
        until: seconds.map(|seconds| since.plus(seconds)),
    };
    root.write_own(layout::HOLD, &pretty(&hold)?)?;
    Ok(hold)
}

/// Ends the hold; gives it, if there was one.
pub fn end(session: &Session, root: &Root) -> Result<Option<Hold>> {
    session.require_operator("let revivals go on")?;
    let _held = root.lock(session.wait("daemon release")?)?;
    let hold = match in_force(root, session.env.clock.now()) {
        // One that cannot be read goes as well.
        Err(error) if error.kind() == Kind::Malformed => None,
        hold => hold?,
    };
    root.folder().remove_file(layout::HOLD)?;
    root.folder().folder_there(layout::RUNTIME)?.sync()?;
    Ok(hold)
}
