//! `mcell demo`: what mcell does, shown by doing it, in a root that is gone afterwards.
//!
//! Every step is this program, run as an operator would run it; nothing is staged.

mod beside;
mod keeper;
mod steps;

use crate::base::error::{Error, Kind, Result};
use crate::base::exit;
use crate::base::text::{count, quoted};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::{Form, Report};
use beside::Beside;
use clap::Args;
use keeper::Keeper;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use steps::{Run, STEPS, Step};

/// Show what mcell does, in a throw-away root
///
/// Makes a cell with agents and tasks, checks it, breaks a file by hand and mends it. Each command is shown as you would type
/// it, and is really run; the root is removed at the end.
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
        let number = count(self.steps.len(), "command");
        page.line(format_args!(
            "That was {number}, really run, on real files."
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
        let house = Keeper::start()?;
        let root = house.place.join("missions");
        let steps = play(context, &house.place, &root);
        house.end(self.keep)?;
        context.printer.show(&Shown {
            root: root.display().to_string(),
            kept: self.keep,
            steps: steps?,
        })?;
        Ok(exit::DONE)
    }
}

/// Runs every step.
fn play(context: &Context, place: &Path, root: &Path) -> Result<Vec<Done>> {
    let is_shown = context.printer.form() == Form::Words;
    let page = context.printer.page();
    let show = |text: String| {
        if is_shown {
            context.printer.text(&text)
        } else {
            Ok(())
        }
    };
    let prompt = |line: &str| {
        format!(
            "{} {}\n",
            page.tone(Tone::Dim, "$"),
            page.tone(Tone::Strong, line)
        )
    };
    show(prompt(&format!(
        "export MCELL_ROOT={}",
        quoted(&root.display().to_string())
    )))?;
    let mut cell: Option<PathBuf> = None;
    let mut steps = Vec::new();
    let mut beside = Beside::default();
    for Step { why, run, ends } in STEPS {
        let (line, mut command) = match run {
            Run::Mcell(arguments) | Run::Await(arguments) => {
                (shell_line(arguments), mcell(context, arguments)?)
            }
            Run::Start(arguments) => (
                format!("{} &", shell_line(arguments)),
                mcell(context, arguments)?,
            ),
            Run::Shell(line) => ((*line).to_owned(), shell(line)),
            Run::Kill(arguments) => {
                let line = format!("kill -9 {}", beside.pid(arguments)?);
                let command = shell(&line);
                (line, command)
            }
        };
        if !why.is_empty() {
            show(format!(
                "\n{}\n",
                page.tone(Tone::Dim, format_args!("# {why}"))
            ))?;
        }
        if let (Run::Shell(_), None) = (run, &cell) {
            let found = only_cell(root)?;
            show(prompt(&format!(
                "cd {}",
                quoted(&found.display().to_string())
            )))?;
            cell = Some(found);
        }
        show(prompt(&line))?;
        let folder = cell.as_deref().unwrap_or(place);
        command
            .current_dir(folder)
            .env("MCELL_ROOT", root)
            .env("MCELL_CONFIG", place.join(keeper::CONFIG))
            .env("PWD", folder)
            .stdin(Stdio::null());
        let failed = |error| Error::storage(format_args!("run `{line}`"), error);
        let (code, output) = match run {
            Run::Start(arguments) => beside
                .start(arguments, command)
                .map(|()| (exit::DONE, String::new())),
            Run::Await(_) => finish_as(&mut command, ends),
            _ => finish(command, is_shown),
        }
        .map_err(failed)?;
        if matches!(run, Run::Await(_)) {
            show(output.clone())?;
        }
        steps.push(Done {
            command: line.clone(),
            exit: code,
            output,
        });
        if !ends.contains(&code) {
            return Err(Error::new(
                Kind::CouldNotTell,
                format!("`{line}` ended with {code}, which was not to be expected"),
            )
            .hint("`mcell doctor` looks at this machine"));
        }
    }
    Ok(steps)
}

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

/// How long something is waited for that takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it again and again until it ends so, or the patience is at its end; gives what it said the last time.
fn finish_as(command: &mut Command, ends: &[u8]) -> std::io::Result<(u8, String)> {
    let until = Instant::now() + PATIENCE;
    loop {
        let done = command.output()?;
        let code = done
            .status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(exit::SIGNAL);
        if ends.contains(&code) || Instant::now() >= until {
            let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
            output.push_str(&String::from_utf8_lossy(&done.stderr));
            return Ok((code, output));
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// A line as it is typed.
fn shell_line(arguments: &[&str]) -> String {
    arguments.iter().fold(String::from("mcell"), |line, word| {
        // Double quotes where they do: that is what people type.
        let is_phrase = word
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == ' ');
        if is_phrase && word.contains(' ') {
            format!("{line} \"{word}\"")
        } else {
            format!("{line} {}", quoted(word))
        }
    })
}

/// This program, free of what the operator has set: the demo is the same everywhere.
fn mcell(context: &Context, arguments: &[&str]) -> Result<Command> {
    let program =
        std::env::current_exe().map_err(|error| Error::storage("find mcell itself", error))?;
    let mut command = Command::new(program);
    command.args(arguments).env_remove("COMPLETE");
    let is_coloured = !context.printer.page().tone(Tone::Bad, "").is_empty();
    command.args(["--color", if is_coloured { "always" } else { "never" }]);
    for name in context.session.env.names("MCELL_") {
        if name != "MCELL_NOW" {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Runs it to its end; what it says goes where we print, in its order, or is gathered.
fn finish(mut command: Command, is_shown: bool) -> std::io::Result<(u8, String)> {
    let (status, output) = if is_shown {
        use std::os::fd::AsFd;
        let together = std::io::stdout().as_fd().try_clone_to_owned()?;
        (command.stderr(together).status()?, String::new())
    } else {
        let done = command.output()?;
        let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
        output.push_str(&String::from_utf8_lossy(&done.stderr));
        (done.status, output)
    };
    // No code: it was ended by a signal, and so shall be the demo.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok((code.unwrap_or(exit::SIGNAL), output))
}

fn only_cell(root: &Path) -> Result<PathBuf> {
    let root = crate::store::root::Root::open(root)?;
    let ids = root.cell_ids()?;
    let id = ids
        .first()
        .ok_or_else(|| Error::bug("the demo has no cell"))?;
    Ok(root.path().join(id.as_str()))
}
