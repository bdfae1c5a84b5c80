//! `mcell schema`: the JSON Schemas of mission files, and of what commands print under `--json`.

use crate::base::error::Error;
use crate::base::exit;
use crate::base::text::{nearest, shown};
use crate::cli::checkpoint::{Checkpoints, Verdict};
use crate::cli::context::Context;
use crate::cli::edited::Edited;
use crate::cli::man::Written;
use crate::cli::scan::OnlyProblems;
use crate::cli::{
    Outcome, add_agent, add_task, agent, artifact, cell, daemon, demo, explain, handoff, init,
    permission, policy, revival,
};
use crate::cli::{shapes, status, task, validate};
use crate::health::roster;
use crate::mission::shape;
use crate::ops::config::Effective;
use crate::ops::{self, changes, checkpoint, doctor, export, scan};
use crate::store::journal::Line as Change;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use std::path::PathBuf;

/// Print the JSON Schema of a file, or of what a command prints
///
/// Draft 2020-12. Without a name, lists them. The shapes only ever grow: a field is never taken away and never changes its
/// meaning.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  mcell schema task > task.schema.json
  mcell schema output.scan | jq .properties
  mcell schema --all schemas/")]
pub struct Schema {
    /// Its name: cell, agent, task, …, output.scan
    #[arg(add = ArgValueCandidates::new(candidates))]
    name: Option<String>,
    /// Write every schema into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "name")]
    all: Option<PathBuf>,
}

/// What commands print under `--json`.
struct Output {
    name: &'static str,
    /// The commands that print it; the first is the one that names it. None: it is said on stderr by every command.
    commands: &'static [&'static str],
    form: Form,
    schema: fn(&mut SchemaGenerator) -> schemars::Schema,
}

use Form::{List, One, OneOrList};

/// How many are printed.
#[derive(Clone, Copy)]
enum Form {
    One,
    /// A list under this name.
    List(&'static str),
    /// What is asked for: one is itself, more are a list under this name.
    OneOrList(&'static str),
}

const fn output<T: JsonSchema>(
    name: &'static str,
    form: Form,
    commands: &'static [&'static str],
) -> Output {
    by_hand(name, form, commands, T::json_schema)
}

const fn by_hand(
    name: &'static str,
    form: Form,
    commands: &'static [&'static str],
    schema: fn(&mut SchemaGenerator) -> schemars::Schema,
) -> Output {
    Output {
        name,
        commands,
        form,
        schema,
    }
}

/// One line a shape, in the order of `mcell --help`.
#[rustfmt::skip]
const OUTPUTS: &[Output] = &[
    output::<init::Made>("output.init", One, &["init"]),
    output::<add_agent::Added>("output.add-agent", One, &["add-agent"]),
    output::<add_task::Added>("output.add-task", One, &["add-task"]),
    output::<status::Overview>("output.status", One, &["status"]),
    output::<scan::Scan>("output.scan", One, &["scan"]),
    output::<OnlyProblems>("output.scan.problems", One, &["scan --problems"]),
    output::<changes::Changes>("output.scan.changes", One, &["scan --changes"]),
    output::<roster::Overview>("output.health", One, &["health"]),
    output::<ops::revival::Told>("output.revive", OneOrList("revivals"), &["revive", "revival show", "revival approve",
        "revival deny", "revival cancel", "approve", "deny"]),
    output::<revival::list::Revivals>("output.revival.list", One, &["revival list"]),
    output::<ops::drill::Drilled>("output.drill", One, &["drill"]),
    output::<ops::drill::Plan>("output.drill.plan", One, &["drill --dry-run"]),
    output::<ops::heartbeat::Answer>("output.heartbeat", One, &["heartbeat"]),
    output::<validate::Found>("output.validate", One, &["validate"]),
    output::<explain::Explained>("output.explain", One, &["explain RULE"]),
    output::<explain::Rules>("output.explain.list", One, &["explain"]),
    output::<cell::list::Cells>("output.cell.list", One, &["cell list"]),
    output::<ops::cell::Shown>("output.cell.show", OneOrList("cells"), &["cell show"]),
    output::<cell::path::Place>("output.cell.path", One, &["cell path"]),
    output::<ops::cell::Changed>("output.cell.set", One, &["cell set"]),
    output::<ops::cell::Moved>("output.cell.pause", OneOrList("cells"),
        &["cell pause", "cell resume", "cell complete", "cell fail", "cell reopen"]),
    output::<ops::cell::BackedUp>("output.cell.backup", OneOrList("cells"), &["cell backup"]),
    output::<ops::cell::Restored>("output.cell.restore", One, &["cell restore"]),
    output::<ops::cell::TakenOver>("output.cell.take-over", OneOrList("cells"), &["cell take-over"]),
    output::<cell::remove::Gone>("output.cell.remove", OneOrList("cells"), &["cell remove"]),
    output::<cell::prune::Pruned>("output.cell.prune", One, &["cell prune"]),
    by_hand("output.agent.list", List("agents"), &["agent list"], shapes::agent_seen),
    by_hand("output.agent.show", OneOrList("agents"), &["agent show"], shapes::agent_seen),
    by_hand("output.agent.set", OneOrList("agents"), &["agent set", "agent pause", "agent resume"], shapes::agent),
    output::<agent::start::RunningAgent>("output.agent.start", OneOrList("agents"), &["agent start", "agent restart"]),
    output::<agent::start::Planned>("output.agent.start.plan", OneOrList("agents"), &["agent start --dry-run"]),
    output::<agent::start::StoppedAgent>("output.agent.stop", OneOrList("agents"), &["agent stop"]),
    output::<agent::log::Lines>("output.agent.log", One, &["agent log"]),
    output::<ops::agent::RemovedAgent>("output.agent.remove", OneOrList("agents"), &["agent remove"]),
    by_hand("output.task.list", List("tasks"), &["task list", "task ready"], shapes::task),
    by_hand("output.task.show", OneOrList("tasks"), &["task show"], shapes::task_around),
    by_hand("output.task.set", OneOrList("tasks"), &["task set", "task reopen", "task claim", "task complete", "task fail",
        "task release", "task retry", "task assign"], shapes::task),
    output::<task::graph::Drawn<'_>>("output.task.graph", One, &["task graph"]),
    output::<task::remove::GoneTask<'_>>("output.task.remove", OneOrList("tasks"), &["task remove"]),
    output::<ops::handoff::Told>("output.handoff", OneOrList("handoffs"),
        &["handoff", "handoff accept", "handoff decline", "handoff approve"]),
    output::<handoff::list::Handoffs>("output.handoff.list", One, &["handoff list"]),
    output::<artifact::add::Added>("output.artifact.add", One, &["artifact add"]),
    output::<ops::artifact::Listed>("output.artifact.list", List("artifacts"), &["artifact list"]),
    output::<ops::artifact::Checked>("output.artifact.verify", One, &["artifact verify"]),
    output::<ops::artifact::Collected>("output.artifact.collect", One, &["artifact collect"]),
    output::<checkpoint::Saved>("output.checkpoint.save", One, &["checkpoint save"]),
    output::<Checkpoints>("output.checkpoint.list", One, &["checkpoint list"]),
    output::<checkpoint::Looked>("output.checkpoint.show", One, &["checkpoint show"]),
    output::<Verdict>("output.checkpoint.verify", One, &["checkpoint verify"]),
    output::<checkpoint::Restored>("output.checkpoint.restore", One, &["checkpoint restore"]),
    output::<checkpoint::Pruned>("output.checkpoint.prune", One, &["checkpoint prune"]),
    by_hand("output.why", One, &["why AGENT|TASK"], shapes::why),
    output::<Edited>("output.cell.edit", One, &["cell edit", "agent edit", "task edit"]),
    output::<policy::Policies>("output.policy.show", One, &["policy show", "policy set"]),
    by_hand("output.isolation.show", One, &["isolation show", "isolation set"], shapes::isolation),
    by_hand("output.permission.show", One, &["permission show"], shapes::permissions),
    output::<permission::allows::Answered>("output.permission.allows", One, &["permission allows"]),
    by_hand("output.permission.grant", One,
        &["permission grant", "permission revoke", "permission reset"], shapes::turned),
    output::<Change>("output.journal.show", List("lines"), &["journal show", "log"]),
    output::<ops::journal::Verified>("output.journal.verify", One, &["journal verify"]),
    output::<ops::journal::Head>("output.journal.head", One, &["journal head"]),
    output::<daemon::DaemonStatus>("output.daemon.status", One, &["daemon status"]),
    output::<daemon::Told>("output.daemon.stop", One, &["daemon stop", "daemon restart", "daemon reload"]),
    output::<daemon::Holding>("output.daemon.hold", One, &["daemon hold", "daemon release"]),
    by_hand("output.daemon.log", One, &["daemon log"], shapes::daemon_line),
    output::<Effective>("output.daemon.config", One, &["daemon config"]),
    output::<daemon::MadeConfig>("output.daemon.config.create", One, &["daemon config --create"]),
    output::<daemon::Checked>("output.daemon.config.check", One, &["daemon config --check"]),
    output::<doctor::Examination>("output.doctor", One, &["doctor"]),
    output::<demo::Shown>("output.demo", One, &["demo"]),
    output::<Lines>("output.schema", One, &["schema"]),
    output::<Written>("output.man", One, &["man --all DIR"]),
    output::<Failure>("output.error", One, &[]),
];

impl Output {
    /// Tells whether this is its name: that of each of its commands is.
    fn is_named(&self, name: &str) -> bool {
        let of_command = |command: &&str| format!("output.{}", command.replace(' ', ".")) == name;
        self.name == name || self.commands.iter().any(of_command)
    }

    fn about(&self) -> String {
        match self.commands {
            [] => String::from("What every command prints on stderr when it fails under `--json`."),
            [first] => format!("What `mcell {first} --json` prints."),
            [first, rest @ ..] => {
                let rest: Vec<String> = rest.iter().map(|also| format!("`{also}`")).collect();
                format!(
                    "What `mcell {first} --json` prints, and so {}.",
                    rest.join(", ")
                )
            }
        }
    }

    fn schema(&self) -> schemars::Schema {
        let mut maker = SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator();
        let one = (self.schema)(&mut maker);
        let mut parts = maker.take_definitions(true);
        let mut schema = match self.form {
            One => one,
            List(noun) => shapes::list(noun, &one),
            OneOrList(noun) => {
                parts.insert(String::from("one"), one.to_value());
                shapes::one_or_list(noun, &schemars::Schema::new_ref("#/$defs/one".to_owned()))
            }
        };
        let members = schema.ensure_object();
        members.shift_insert(0, "$schema".to_owned(), shape::schema::DRAFT.into());
        let id = format!("urn:mcell:schema:{}", self.name);
        members.shift_insert(1, "$id".to_owned(), id.into());
        members.shift_insert(2, "title".to_owned(), self.name.into());
        members.shift_insert(3, "description".to_owned(), self.about().into());
        if !parts.is_empty() {
            members.insert("$defs".to_owned(), parts.into());
        }
        schema
    }
}

/// A failed command.
#[derive(Debug, Serialize, JsonSchema)]
struct Failure {
    /// What went wrong.
    error: Trouble,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
struct Trouble {
    /// The kind: one word for each exit code (docs/exit-codes.md).
    code: String,
    /// What stands in the way.
    message: String,
    /// Ways out.
    hints: Vec<String>,
    /// Where in a file, if in one.
    place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, Serialize, JsonSchema)]
struct Place {
    /// The file.
    file: String,
    /// The line, from 1; 0 for the file as a whole.
    line: u64,
    /// The column in characters, from 1.
    column: u64,
}

/// Every schema.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Lines {
    /// Those of files first.
    pub schemas: Vec<Line>,
}

/// One schema.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// What it describes.
    pub about: String,
}

impl Report for Lines {
    fn words(&self, page: &mut Page) {
        let mut table = Table::new(["NAME", "WHAT IT DESCRIBES"]);
        for line in &self.schemas {
            table.row([line.name.clone(), line.about.clone()]);
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let names: Vec<&str> = self.schemas.iter().map(|line| line.name.as_str()).collect();
        Some(names.join("\n"))
    }
}

fn list() -> Vec<Line> {
    let files = shape::ALL.iter().map(|shape| Line {
        name: shape.name.to_owned(),
        about: format!("{}: {}", shape.file, shape.about),
    });
    let outputs = OUTPUTS.iter().map(|output| Line {
        name: output.name.to_owned(),
        about: output.about(),
    });
    files.chain(outputs).collect()
}

fn candidates() -> Vec<CompletionCandidate> {
    let lines = list().into_iter();
    lines
        .map(|line| CompletionCandidate::new(line.name).help(Some(line.about.into())))
        .collect()
}

/// The text of a schema; none if there is none of that name.
fn text(name: &str) -> Option<String> {
    if let Some(shape) = shape::ALL.iter().find(|shape| shape.name == name) {
        return Some(shape::schema::text(shape));
    }
    let output = OUTPUTS.iter().find(|output| output.is_named(name))?;
    let mut text = serde_json::to_string_pretty(&output.schema()).ok()?;
    text.push('\n');
    Some(text)
}

/// Every schema, by the name of its file.
fn pages() -> Vec<export::Page> {
    list()
        .into_iter()
        .filter_map(|line| Some((format!("{}.json", line.name), text(&line.name)?)))
        .collect()
}

impl Schema {
    /// Prints one, lists them, or writes them all.
    pub fn run(self, context: &Context) -> Outcome {
        if let Some(folder) = &self.all {
            return Written::write(context, folder, &pages());
        }
        let Some(name) = self.name else {
            context.printer.show(&Lines { schemas: list() })?;
            return Ok(exit::DONE);
        };
        if let Some(text) = text(&name) {
            context.printer.text(&text)?;
            return Ok(exit::DONE);
        }
        let error = Error::not_found(format!("there is no schema `{}`", shown(&name)));
        let known = list();
        let names = known.iter().map(|line| line.name.as_str());
        Err(match nearest(&name, names) {
            Some(meant) => error.hint(format!("is `{meant}` meant?")),
            None => error.hint("`mcell schema` lists them"),
        })
    }
}
