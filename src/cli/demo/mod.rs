//! `mcell demo`: what mcell does, shown by doing it, in a root that is gone afterwards.
//!
//! Every step is this program, run as an operator would run it; nothing is staged.

mod beside;
mod keeper;
mod recovery;
mod stage;
mod steps;

use crate::base::exit;
use crate::base::text::{count, quoted};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use keeper::Keeper;
use recovery::Recovery;
use schemars::JsonSchema;
use serde::Serialize;
use stage::Stage;
use std::path::Path;
use std::time::Instant;
use steps::STEPS;

/// Show what mcell does, in a throw-away root
///
/// Makes a cell with agents and tasks, checks it, breaks a file by hand and mends it. Then three agents work under a daemon,
/// one of them is killed in the middle of its work, and is brought back to finish it. Each command is shown as you would
/// type it, and is really run; the root is removed at the end.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  mcell demo
  mcell demo --keep")]
pub struct Demo {
    /// Keep the root, to go on in it
    #[arg(long)]
    keep: bool,
    /// Be the one that makes a root and removes it when the pipe ends
    #[arg(long, hide = true, conflicts_with = "keep")]
    keeper: bool,
}

/// What the demo did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    /// The root it was done in.
    pub root: String,
    /// Whether that root is still there.
    pub kept: bool,
    /// Every command, in order.
    pub steps: Vec<Done>,
    /// How many seconds they took in all.
    pub took: f64,
    /// The agents that were killed, and what became of them.
    pub recoveries: Vec<Recovery>,
}

/// What was done so far.
#[derive(Debug, Default)]
struct Played {
    steps: Vec<Done>,
    recoveries: Vec<Recovery>,
}

/// A command that was run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    /// As an operator types it.
    pub command: String,
    /// Its exit code.
    pub exit: u8,
    /// What it printed and said; empty where that went to the terminal at once.
    pub output: String,
}

impl Report for Shown {
    fn words(&self, page: &mut Page) {
        page.gap();
        page.table(Recovery::table(&self.recoveries));
        page.gap();
        let number = count(self.steps.len(), "command");
        page.line(format_args!(
            "That was {number} in {:.1} s, really run, on real files.",
            self.took
        ));
        if self.kept {
            page.line(format_args!("The root is kept. Go on in it:"));
            page.command(&format!("export MCELL_ROOT={}", quoted(&self.root)));
            page.command("mcell");
            page.command(&format!(
                "rm -r {}    # when you have seen enough",
                quoted(&parent_of(&self.root))
            ));
        } else {
            page.line("Its root is removed; `--keep` keeps it. Now yours:");
            page.command("mcell init \"My mission\"");
            page.command("mcell explain MC005");
            page.command("mcell doctor");
            page.command("mcell --help");
        }
    }

    fn datum(&self) -> Option<String> {
        self.kept.then(|| self.root.clone())
    }
}

fn parent_of(root: &str) -> String {
    Path::new(root)
        .parent()
        .unwrap_or(Path::new(root))
        .display()
        .to_string()
}

impl Demo {
    /// Runs the demo.
    pub fn run(self, context: &Context) -> Outcome {
        if self.keeper {
            return keeper::keep_house(context);
        }
        let begun = Instant::now();
        let house = Keeper::start()?;
        let root = house.place.join(keeper::ROOT);
        let played = Stage::new(context, &house.place, &root).play(STEPS);
        house.end(self.keep && played.is_ok())?;
        let Played { steps, recoveries } = played?;
        context.printer.show(&Shown {
            root: root.display().to_string(),
            kept: self.keep,
            steps,
            took: begun.elapsed().as_secs_f64(),
            recoveries,
        })?;
        Ok(exit::DONE)
    }
}
