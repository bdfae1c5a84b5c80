//! Why the revival of an agent would be held.

use super::super::look::{Eye, Look};
use super::at;
use crate::base::error::Result;
use crate::health::mass::Share;
use crate::health::roster::Slot;
use crate::ops::find::Scope;
use crate::ops::hold;
use crate::ops::session::Session;
use crate::store::root::Root;

/// The holds in force that are about an agent, a sentence each.
pub(super) fn of(
    session: &Session,
    root: &Root,
    look: &Look,
    slot: Slot,
    troubles: &mut Vec<String>,
) -> Result<Vec<String>> {
    let now = session.env.clock.now();
    let mut holds = Vec::new();
    match hold::in_force(root, now) {
        Ok(Some(hold)) => {
            let until = hold.until.map_or_else(
                || String::from("until `mcell daemon release`"),
                |until| format!("until {}", until.local(now)),
            );
            holds.push(format!("{} holds all {until}: {}", hold.by, hold.why));
        }
        Ok(None) => {}
        Err(error) => troubles.push(error.to_string()),
    }
    if let Some(mass) = look
        .mass
        .hold
        .as_ref()
        .filter(|mass| look.now.up < mass.ends())
    {
        let ends = at(mass.ends(), look.now).map_or_else(String::new, |ends| {
            format!("; until {}, if no more fall", ends.local(now))
        });
        holds.push(format!("{mass}{ends}"));
    }
    let watched = look.roster.get(slot);
    let target = watched
        .filter(|watched| watched.signs.gateway_is_down())
        .and_then(|watched| watched.target.clone());
    if let Some(target) = target {
        // Who shares it may be in any cell.
        let scope = Scope::Root(Root::open(root.path())?);
        let around = Look::at(session, &scope, None, Eye::Watched)?;
        let judged = around.roster.all().map(|(_, one)| one);
        let mut share = Share::default();
        judged
            .filter(|one| one.case.idle.is_none() && one.target.as_ref() == Some(&target))
            .for_each(|one| share.take(&one.signs, &one.case, look.now.up));
        if share.is_at_fault() {
            holds.push(format!(
                "the gateway at {target} answers none of the {} agents that share it",
                share.known
            ));
        }
    }
    Ok(holds)
}
