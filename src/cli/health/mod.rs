//! `mcell health`: how agents are.

mod table;
mod watch;

use crate::base::error::{Error, Kind, Result};
use crate::base::exit;
use crate::base::ids::AgentId;
use crate::base::text::nearest;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::health::roster::Overview;
use crate::ops::find::Scope;
use crate::ops::health::{self, How, Source};
use clap::Args;
use std::collections::BTreeSet;
use table::Shown;

/// Say how agents are, and why
///
/// The daemon is asked if it runs. Else this is one look: at what the daemon wrote down last, at the beats that `mcell
/// heartbeat` left, at processes, and at what gateways answer now. Exits 1 if an agent of a cell is unhealthy, 8 if that
/// could not be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell health
  mcell health agent_001 \"Night run/agent_002\" --watch
  mcell health -A --json | jq '.agents[] | select(.status == \"unhealthy\")'
  mcell health -A --strict --quiet || echo \"somebody is not well\"

`--json` is the object that the daemon answers to `GET /health`, of the cell you stand in or of the whole root.")]
pub struct Health {
    /// Only these: AGENT, or CELL/AGENT
    #[arg(value_name = "AGENT", add = complete::agents())]
    agents: Vec<String>,
    /// Look, and ask the gateways now, also if the daemon runs
    #[arg(long)]
    probe: bool,
    /// Show what the daemon wrote down last, and ask nobody
    #[arg(long, conflicts_with = "probe")]
    recorded: bool,
    /// Go on showing it: drawn anew at a terminal, else printed when something changed
    #[arg(long, short)]
    watch: bool,
    /// Exit 1 also if an agent is degraded, or nothing is known of it
    #[arg(long)]
    strict: bool,
}

/// What is asked about: agents by name, or all, of each scope that is meant.
struct Question {
    scopes: Vec<(Scope, Option<Vec<AgentId>>)>,
    how: How,
}

impl Health {
    /// Shows it.
    pub fn run(self, context: &Context) -> Outcome {
        let question = self.question(context)?;
        if self.watch {
            return watch::run(context, &question);
        }
        let shown = question.ask(context)?;
        self.show(context, &shown)
    }

    fn show(&self, context: &Context, shown: &Shown) -> Outcome {
        context.printer.show(shown)?;
        for trouble in &shown.troubles {
            context.printer.warn(&crate::base::text::shown(trouble));
        }
        for why in &shown.untold {
            let error = Error::new(Kind::CouldNotTell, why.as_str());
            context.printer.trouble(&error);
        }
        shown.say_source(context);
        if shown.overview.agents.is_empty() {
            context.printer.say(crate::cli::agent::list::NONE);
        }
        let of_cells = shown.overview.agents.values();
        let mut of_cells = of_cells.filter(|agent| agent.cell_id.is_some());
        let is_bad = of_cells.any(|agent| table::is_bad(agent.status, self.strict));
        Ok(match (is_bad, shown.untold.is_empty()) {
            (true, _) => exit::NO,
            (false, false) => exit::COULD_NOT_TELL,
            (false, true) => exit::DONE,
        })
    }

    fn question(&self, context: &Context) -> Result<Question> {
        let session = &context.session;
        let how = match (self.probe, self.recorded) {
            (true, _) => How::Probe,
            (_, true) => How::Recorded,
            _ => How::Usual,
        };
        if self.agents.is_empty() {
            let scopes = vec![(session.scope(context.all_cells)?, None)];
            return Ok(Question { scopes, how });
        }
        let (mut around, mut scopes) = (Vec::new(), Vec::new());
        for named in &self.agents {
            match named.rsplit_once('/') {
                None => around.push(AgentId::new(named.as_str())?),
                Some((cell, agent)) => {
                    let cell = session.open_named(cell)?;
                    let agents = vec![AgentId::new(agent)?];
                    scopes.push((Scope::Cell(cell), Some(agents)));
                }
            }
        }
        if !around.is_empty() {
            scopes.push((session.scope(context.all_cells)?, Some(around)));
        }
        Ok(Question { scopes, how })
    }
}

impl Question {
    /// Asks, and holds the answer against what was asked: an agent that is named must be there.
    fn ask(&self, context: &Context) -> Result<Shown> {
        let session = &context.session;
        let mut shown: Option<Shown> = None;
        for (scope, agents) in &self.scopes {
            let asked = health::ask(session, scope, agents.as_deref(), self.how)?;
            if let Some(agents) = agents {
                require(session, scope, agents, &asked.overview)?;
            }
            shown = Some(match shown {
                None => Shown {
                    overview: asked.overview,
                    source: asked.source,
                    troubles: asked.troubles,
                    untold: asked.untold,
                    now: session.env.clock.now(),
                },
                Some(before) => before.and(asked),
            });
        }
        shown.ok_or_else(|| Error::bug("nothing was asked about"))
    }
}

/// Refuses a name that nobody has (exit 3).
fn require(
    session: &crate::ops::Session,
    scope: &Scope,
    agents: &[AgentId],
    found: &Overview,
) -> Result<()> {
    let there: BTreeSet<&str> = found
        .agents
        .values()
        .map(|agent| agent.agent_id.as_str())
        .collect();
    let Some(missing) = agents.iter().find(|id| !there.contains(id.as_str())) else {
        return Ok(());
    };
    match scope {
        Scope::Cell(cell) => Err(crate::ops::agent::not_here(cell, missing)),
        Scope::Root(root) => {
            let everybody = health::ask(session, scope, None, How::Recorded);
            let known = everybody
                .map(|known| known.overview.agents)
                .unwrap_or_default();
            let ids = known.values().map(|agent| agent.agent_id.as_str());
            let error = Error::not_found(format!(
                "there is no agent {missing} in {}",
                root.path().display()
            ));
            Err(match nearest(missing.as_str(), ids) {
                Some(meant) => error.hint(format!("is {meant} meant?")),
                None => error.hint("`mcell agent list -A` shows them"),
            })
        }
    }
}

/// Where an answer comes from, where that is worth a word.
fn source_in_words(source: Source, now: crate::base::clock::Time) -> Option<String> {
    let age = |at: crate::base::clock::Time| {
        crate::base::duration::age(u64::try_from(now.since(at)).unwrap_or(0))
    };
    match source {
        Source::Daemon => None,
        Source::Look(None) => None,
        Source::Look(Some(at)) => Some(format!(
            "This is a look, going on from what the daemon wrote down {}.",
            age(at)
        )),
        Source::Recorded(at) => Some(format!("Written down by the daemon {}.", age(at))),
    }
}
