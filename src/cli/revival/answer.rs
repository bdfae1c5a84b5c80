//! `mcell revival approve`, `deny` and `cancel`; `mcell approve` and `mcell deny`.

use super::Said;
use crate::base::error::Result;
use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::cli::several::Several;
use crate::ops::presence;
use crate::ops::revival::{self, Answer, Told};
use crate::store::cell::OpenCell;
use crate::store::root::Root;
use clap::Args;

/// Let agents be brought back that wait for an operator
///
/// Without an id: every one that waits, if there is exactly one. The daemon carries it out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell approve rabcd
  mcell revival approve rabcd rbcde")]
pub struct Approve {
    /// Ids, or their beginnings
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

/// Do not let agents be brought back; they are not asked for again by themselves
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell deny rabcd
  mcell revival deny rabcd rbcde")]
pub struct Deny {
    /// Ids, or their beginnings
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

/// Take requests back; their agents are not asked for again by themselves
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell revival cancel rabcd")]
pub(super) struct Cancel {
    /// Ids, or their beginnings
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Approve {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        answer(context, &self.ids, Answer::Approve)
    }
}

impl Deny {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        answer(context, &self.ids, Answer::Deny)
    }
}

impl Cancel {
    pub(super) fn run(self, context: &Context) -> Outcome {
        answer(context, &self.ids, Answer::Cancel)
    }
}

fn answer(context: &Context, ids: &[String], answer: Answer) -> Outcome {
    let session = &context.session;
    session.require_operator("answer a request to bring an agent back")?;
    let scope = session.scope(context.all_cells || ids.is_empty())?;
    let ids = if ids.is_empty() {
        vec![the_one_that_waits(&scope)?]
    } else {
        ids.to_vec()
    };
    let mut all = Vec::new();
    for id in &ids {
        let (cell, revival) = match revival::find(&scope, id) {
            // One of another cell is known by its id all the same.
            Err(_) if !context.all_cells => revival::find(&session.scope(true)?, id)?,
            found => found?,
        };
        let told = Told::from(revival::answer(session, &cell, &revival, answer)?);
        let (id, agent) = (&told.id, &told.agent_id);
        let words = match answer {
            Answer::Approve if runs(&cell)? => {
                format!("{id} is approved: {agent} is brought back")
            }
            Answer::Approve => {
                let short = cell.id().short();
                format!(
                    "{id} is approved; no daemon runs: `mcell revive {short}/{agent}` carries it out"
                )
            }
            Answer::Deny => format!("{id} is denied: {agent} stays as it is"),
            Answer::Cancel => format!("{id} is taken back: {agent} stays as it is"),
        };
        all.push(Said {
            told,
            words: vec![words],
        });
    }
    context.printer.show(&Several::new("revivals", all))?;
    Ok(exit::DONE)
}

/// Whether a daemon runs that carries out what is approved.
fn runs(cell: &OpenCell) -> Result<bool> {
    let root = Root::open(cell.root_folder()?.path())?;
    Ok(presence::look(&root)?.running().is_some())
}

fn the_one_that_waits(scope: &crate::ops::find::Scope) -> Result<String> {
    use crate::base::error::Error;
    let listed = revival::list(scope, false)?;
    let mut waiting = listed.revivals.into_iter().filter(Told::waits_for_operator);
    match (waiting.next(), waiting.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(Error::not_found("no request waits for an operator")
            .hint("`mcell revival list` shows all that are open")),
        _ => Err(Error::usage("several requests wait: which one is meant?")
            .hint("`mcell revival list` shows them")),
    }
}
