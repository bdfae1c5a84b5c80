//! Takes a cell over that came from another host: from then on it is this host's to revive.

use super::rise::rise;
use crate::base::error::Result;
use crate::base::host;
use crate::base::text::shown;
use crate::ops::config;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::commit::pretty;
use crate::store::layout;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A cell and the host that it is at home on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakenOver {
    /// The folder's name.
    pub cell_id: String,
    /// This host.
    pub host: String,
    /// The host that had it; null if none had.
    pub from: Option<String>,
    /// Whether anything changed: it was not this host's already.
    pub changed: bool,
    /// The highest fencing token now; null if nothing changed.
    pub token: Option<u64>,
}

/// Makes this host the home of a cell. Its tokens rise: whoever worked for the other host is refused.
pub fn take_over(session: &Session, cell: &OpenCell) -> Result<TakenOver> {
    session.require_operator("take a cell over")?;
    let configured = config::places(&session.env)?.host;
    let host = host::name(&session.env, configured.as_deref());
    let mut writing = session.write(cell, "cell take-over")?;
    let there = writing.text(layout::HOST)?.unwrap_or_default();
    let known: Value = serde_json::from_slice(&there).unwrap_or_default();
    let from = known.get("host").and_then(Value::as_str).map(str::to_owned);
    let mut taken = TakenOver {
        cell_id: cell.id().to_string(),
        changed: from.as_ref() != Some(&host),
        host,
        from,
        token: None,
    };
    if !taken.changed {
        return Ok(taken);
    }
    taken.token = Some(rise(&mut writing, &session.moment())?);
    let home = json!({ "host": taken.host, "taken_at": writing.now().to_string() });
    writing.put_text(layout::HOST, pretty(&home)?)?;
    let what = match &taken.from {
        Some(from) => format!(
            "taken over by the host {} from {}",
            shown(&taken.host),
            shown(from)
        ),
        None => format!("taken over by the host {}", shown(&taken.host)),
    };
    writing.commit(&what)?;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::world::World;

    #[test]
    fn a_cell_is_taken_over_once_and_its_tokens_rise() {
        let world = World::new().with(&[("MCELL_HOST", "north")]);
        let taken = take_over(&world.session, &world.cell).unwrap();
        assert!(taken.changed && taken.from.is_none() && taken.host == "north");
        assert!(taken.token > Some(super::super::rise::RISE - 1));
        let lines = world.journal().len();
        assert!(!take_over(&world.session, &world.cell).unwrap().changed);
        assert_eq!(world.journal().len(), lines);
        let world = world.with(&[("MCELL_HOST", "south")]);
        let taken = take_over(&world.session, &world.cell).unwrap();
        assert_eq!(taken.from.as_deref(), Some("north"));
        assert!(world.text(".mcell/host").contains("south"));
    }
}
