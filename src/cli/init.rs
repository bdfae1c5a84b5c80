//! `mcell init`: make a cell.

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::base::text::quoted;
use crate::cli::context::{Context, seconds};
use crate::cli::{Outcome, complete};
use crate::mission::cell::Cell;
use crate::mission::isolation::Level;
use crate::mission::policy::AutoRevive;
use crate::ops::config;
use crate::ops::init::{self, NewCell};
use crate::store::root::Root;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::prompt;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Make a cell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell init \"Example Mission\"
  mcell init \"Nightly audit\" --isolation process --timeout 8h
  mcell init \"Second run\" --like \"Example Mission\"
  CELL=$(mcell init -q \"Example Mission\")")]
pub struct Init {
    /// The mission's name, 1 to 200 characters
    name: Option<String>,
    /// The cell's id, a UUID [default: a random one]
    #[arg(long, value_name = "UUID")]
    id: Option<CellId>,
    /// Who makes it: an operator's name or an agent's id [default: you]
    #[arg(long, value_name = "WHO")]
    created_by: Option<String>,
    /// How strictly the agents are kept apart
    #[arg(long, value_name = "LEVEL")]
    isolation: Option<Level>,
    /// The most agents the cell may have [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_agents: Option<u64>,
    /// How long the mission may take: 90, 15m, 8h, 2d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    timeout: Option<u64>,
    /// Whether a dead agent is brought back [default: yes]
    #[arg(long, value_name = "WHETHER")]
    auto_revive: Option<AutoRevive>,
    /// Start from this template, or from the cell.json in this folder
    #[arg(long, value_name = "FILE|DIR", value_hint = clap::ValueHint::AnyPath)]
    template: Option<PathBuf>,
    /// Take over agents, tasks and settings of this cell, as they were at its start
    #[arg(long, value_name = "CELL", conflicts_with = "template", add = complete::cells())]
    like: Option<String>,
}

/// What `init` made.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Made {
    /// The cell's id.
    pub cell_id: String,
    /// The mission's name.
    pub mission_name: String,
    /// Where it lies.
    pub path: String,
    /// Whether it has agents and tasks already, from the cell it was made like.
    #[serde(skip)]
    pub is_like: bool,
}

impl Report for Made {
    fn words(&self, page: &mut Page) {
        page.line(format_args!("Made cell {} at {}", self.cell_id, self.path));
        page.line("Next:");
        page.command(&format!("cd {}", quoted(&self.path)));
        if self.is_like {
            page.command("mcell status");
            page.command("mcell validate");
        } else {
            page.command("mcell add-agent --role write");
            page.command("mcell add-task \"What is to be done\"");
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.cell_id.clone())
    }
}

impl Init {
    /// Makes the cell.
    pub fn run(self, context: &Context) -> Outcome {
        let name = match self.name {
            Some(name) => name,
            None if context.printer.may_ask() => prompt::line("The mission's name")?,
            None => {
                return Err(Error::usage("the mission has no name")
                    .hint("`mcell init \"Example Mission\"`"));
            }
        };
        let new = NewCell {
            name,
            id: self.id,
            created_by: self.created_by,
            isolation: self.isolation,
            max_agents: self.max_agents,
            timeout: self.timeout,
            auto_revive: self.auto_revive,
            template: self.template,
            like: self.like,
        };
        let root = root(context)?;
        let (open, cell) = init::init(&context.session, &root, &new)?;
        let Cell { mission_name, .. } = cell;
        context.printer.show(&Made {
            cell_id: open.id().to_string(),
            mission_name,
            path: open.path().display().to_string(),
            is_like: new.like.is_some(),
        })?;
        Ok(0)
    }
}

/// The root, made if it can be; at a terminal the operator chooses where that is not so.
fn root(context: &Context) -> Result<Root> {
    let session = &context.session;
    let error = match init::root_for_init(session) {
        Err(error) if error.kind() == Kind::Storage && context.printer.may_ask() => error,
        settled => return settled,
    };
    let (Some(home), Ok(choice)) = (session.env.home(), session.root_choice()) else {
        return Err(error);
    };
    let own = home.join("missions");
    context.printer.say(&format!(
        "{} cannot be made here: {}",
        choice.path.display(),
        error.message()
    ));
    let ways = [
        format!(
            "make it: run `{}` and come back",
            init::sudo_line(&choice.path)
        ),
        format!(
            "use {} and remember it in ~/.lazarus/config.json",
            own.display()
        ),
    ];
    match prompt::choose("Where shall missions lie", &ways)? {
        0 => Err(init::no_root(&choice, &error)),
        _ => {
            init::make_root(&own)?;
            let file = config::remember_root(&session.env, &own)?;
            context.printer.say(&format!(
                "{} is your root now ({})",
                own.display(),
                file.display()
            ));
            Root::open(&own)
        }
    }
}
