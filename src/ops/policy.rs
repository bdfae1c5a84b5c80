//! What one can do with the policies of a cell.

use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::base::text::{nearest, shown};
use crate::mission::cell::Cell;
use crate::mission::policy::{self, Effective, Home, Policies};
use crate::mission::shape::typed::typed;
use crate::mission::shape::{self, Field};
use crate::ops::agent;
use crate::ops::session::Session;
use crate::ops::set::{self, Assignment};
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::layout;

/// The policies that count, and what is stated twice and differently.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Each value with its source.
    pub effective: Effective,
    /// For each contradiction: the policy, what cell.json says, and what config/policies.json says, which counts.
    pub contradictions: Vec<(&'static str, String, String)>,
}

/// The policies of a cell.
pub fn show(cell: &OpenCell) -> Result<Shown> {
    let _view = cell.view()?;
    let mission = cell.cell()?;
    let config = cell.policies()?;
    Ok(Shown {
        effective: Effective::of(&mission, config.as_ref()),
        contradictions: policy::contradictions(&mission, config.as_ref()),
    })
}

/// The policies before and after a change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// As they were.
    pub before: Effective,
    /// As they are.
    pub after: Effective,
    /// The names that were set, as in the files, each once.
    pub names: Vec<&'static str>,
}

/// Sets policies in every file that holds them, in one commit.
pub fn set(session: &Session, cell: &OpenCell, wanted: &[Assignment]) -> Result<Changed> {
    session.require_operator("set policies")?;
    let mut names: Vec<&'static str> = Vec::new();
    for assignment in wanted {
        let field = known(&assignment.name)?;
        if let Some(text) = &assignment.value {
            typed(text, field).map_err(|allowed| {
                Error::usage(format!("`{}` cannot be `{}`", field.name, shown(text)))
                    .hint(format!("allowed: {allowed}"))
            })?;
        }
        if names.contains(&field.name) {
            return Err(Error::usage(format!("`{}` is said twice", field.name)));
        }
        names.push(field.name);
    }
    let mut writing = session.write(cell, "policy set")?;
    let mission: Cell = writing.read(layout::CELL)?.ok_or_else(|| cell.no_cell())?;
    let config: Option<Policies> = writing.read(layout::POLICIES)?;
    let before = Effective::of(&mission, config.as_ref());
    let (mut in_cell, mut in_config) = (Vec::new(), Vec::new());
    for (&name, assignment) in names.iter().zip(wanted) {
        let value = assignment.value.clone();
        for home in policy::homes(name, &mission, config.as_ref(), value.is_some()) {
            match home {
                Home::Cell => in_cell.push(Assignment {
                    name: format!("policies.{name}"),
                    value: value.clone(),
                }),
                Home::Config => in_config.push(Assignment {
                    name: name.to_owned(),
                    value: value.clone(),
                }),
            }
        }
    }
    let mut after = (mission, config);
    if !in_cell.is_empty() {
        after.0 = set::apply::<Cell>(&mut writing, layout::CELL, &in_cell, &[])?.0;
    }
    if !in_config.is_empty() {
        let (policies, _) =
            set::apply::<Policies>(&mut writing, layout::POLICIES, &in_config, &[])?;
        require_substitutes(&writing, after.1.as_ref(), &policies)?;
        after.1 = Some(policies);
    }
    let said: Vec<String> = wanted
        .iter()
        .zip(&names)
        .map(|(assignment, name)| match &assignment.value {
            Some(value) => format!("set {name} to {}", shown(value)),
            None => format!("set {name} to its default"),
        })
        .collect();
    writing.commit(&said.join(", "))?;
    Ok(Changed {
        before,
        after: Effective::of(&after.0, after.1.as_ref()),
        names,
    })
}

/// The field of a name as typed, with `-` for `_`, or the nearest (exit 2).
fn known(name: &str) -> Result<&'static Field> {
    let folded = name.replace('-', "_");
    let folded = folded.strip_prefix("policies.").unwrap_or(&folded);
    let field =
        shape::POLICIES
            .field(folded)
            .or_else(|| match shape::CELL.field("policies")?.form {
                shape::Form::Object(inner) => inner.field(folded),
                _ => None,
            });
    field.ok_or_else(|| {
        let error = Error::usage(format!("there is no policy `{}`", shown(name)));
        let error = match nearest(folded, policy::NAMES) {
            Some(meant) => error.hint(format!("is `{meant}` meant?")),
            None => error,
        };
        error.hint(format!("the policies: {}", policy::NAMES.join(", ")))
    })
}

/// Substitutes that are new on the list must be agents of the cell.
fn require_substitutes(
    writing: &Writing<'_>,
    before: Option<&Policies>,
    after: &Policies,
) -> Result<()> {
    let listed = |policies: Option<&Policies>| {
        policies
            .and_then(|policies| policies.substitute_agents.clone())
            .unwrap_or_default()
    };
    let (old, new) = (listed(before), listed(Some(after)));
    if old == new {
        return Ok(());
    }
    for (place, id) in new.iter().enumerate() {
        if new.iter().take(place).any(|other| other == id) {
            return Err(Error::usage(format!(
                "`{id}` is named twice in substitute_agents"
            )));
        }
        if old.contains(id) {
            continue;
        }
        let agent = AgentId::new(id.as_str())?;
        let cell = writing.cell();
        if cell.folder().stat(&layout::agent(&agent))?.is_none() {
            return Err(agent::not_here(cell, &agent)
                .hint("substitute_agents are agents of this cell, in the order they take over"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Kind;
    use crate::mission::policy::{AutoRevive, Source};
    use crate::ops::world::World;

    fn change(world: &World, words: &[&str]) -> Result<Changed> {
        let wanted: Vec<Assignment> = words.iter().map(|word| word.parse().unwrap()).collect();
        set(&world.session, &world.cell, &wanted)
    }

    #[test]
    fn every_file_that_holds_a_value_gets_it_in_one_commit() {
        let world = World::new();
        world.write("config/policies.json", "{\"auto_revive\": \"ask\"}\n");
        let before = world.journal().len();
        let changed = change(&world, &["auto_revive=no", "max-retries=5"]).unwrap();
        assert_eq!(world.journal().len(), before + 1);
        assert_eq!(changed.after.auto_revive.value, AutoRevive::No);
        assert_eq!(changed.after.auto_revive.source, Source::Config);
        assert!(world.text("cell.json").contains("\"auto_revive\": \"no\""));
        assert!(show(&world.cell).unwrap().contradictions.is_empty());
    }

    #[test]
    fn what_cell_json_can_say_needs_no_other_file() {
        let world = World::new();
        change(
            &world,
            &["handoff_allowed=false", "checkpoint_interval=10m"],
        )
        .unwrap();
        assert!(world.cell.policies().unwrap().is_none());
        let effective = show(&world.cell).unwrap().effective;
        assert_eq!(effective.checkpoint_interval.value, 600);
        assert_eq!(effective.handoff_allowed.source, Source::Cell);
    }

    #[test]
    fn what_only_the_config_knows_makes_a_file_with_only_that() {
        let world = World::new();
        change(&world, &["max_retries=5"]).unwrap();
        assert_eq!(
            world.text("config/policies.json"),
            "{\n  \"max_retries\": 5\n}\n"
        );
    }

    #[test]
    fn an_empty_value_brings_the_default_back_everywhere() {
        let world = World::new();
        world.write("config/policies.json", "{\"auto_revive\": \"ask\"}\n");
        let changed = change(&world, &["auto_revive="]).unwrap();
        assert_eq!(changed.after.auto_revive.source, Source::Default);
        let world = World::new();
        change(&world, &["max_retries="]).unwrap();
        assert!(world.cell.policies().unwrap().is_none());
    }

    #[test]
    fn substitutes_are_agents_of_the_cell() {
        let world = World::new();
        let refused = change(&world, &["substitute_agents=agent_001"]).unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound);
        world.add_agent();
        assert!(change(&world, &["substitute_agents=agent_001"]).is_ok());
        assert!(change(&world, &["substitute_agents=agent_001,agent_001"]).is_err());
    }

    #[test]
    fn an_unknown_name_names_the_nearest() {
        let world = World::new();
        let refused = change(&world, &["max_retry=5"]).unwrap_err();
        assert_eq!(refused.hints()[0], "is `max_retries` meant?");
        let refused = change(&world, &["auto_revive=maybe"]).unwrap_err();
        assert_eq!(refused.hints()[0], "allowed: yes, no or ask");
        assert_eq!(
            change(&world, &["max_retries=5", "max-retries=6"])
                .unwrap_err()
                .kind(),
            Kind::Usage
        );
    }
}
