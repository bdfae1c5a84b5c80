//! How the steps of the demo are run: each as an operator would type it, in the folder where it stands.

use super::beside::Beside;
use super::keeper;
use super::recovery::Blow;
use super::steps::{Run, Step};
use super::{Done, Played};
use crate::base::error::{Error, Kind, Result};
use crate::base::exit;
use crate::base::text::quoted;
use crate::cli::context::Context;
use crate::ops::find::Scope;
use crate::ui::page::Tone;
use crate::ui::printer::Form;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the demo stands, and what it did so far.
pub(super) struct Stage<'c> {
    context: &'c Context,
    place: &'c Path,
    root: &'c Path,
    /// The folder of the cell that it went to.
    cell: Option<PathBuf>,
    beside: Beside,
    blow: Option<Blow>,
    played: Played,
}

impl<'c> Stage<'c> {
    /// Nothing was done yet.
    pub(super) fn new(context: &'c Context, place: &'c Path, root: &'c Path) -> Self {
        Stage {
            context,
            place,
            root,
            cell: None,
            beside: Beside::default(),
            blow: None,
            played: Played::default(),
        }
    }

    /// Runs every step.
    pub(super) fn play(mut self, steps: &[Step]) -> Result<Played> {
        self.type_line(&format!(
            "export MCELL_ROOT={}",
            quoted(&self.root.display().to_string())
        ))?;
        for step in steps {
            self.step(step)?;
        }
        if let Some(blow) = self.blow.take() {
            self.played.recoveries.push(blow.recovery()?);
        }
        Ok(self.played)
    }

    fn step(&mut self, Step { why, run, ends }: &Step) -> Result<()> {
        if !why.is_empty() {
            let page = self.context.printer.page();
            let why = page.tone(Tone::Dim, format_args!("# {why}"));
            self.show(&format!("\n{why}\n"))?;
        }
        match run {
            Run::Enter(mission) => {
                let cell = of_mission(self.root, mission)?;
                return self.enter(cell);
            }
            Run::Shell(_) if self.cell.is_none() => {
                let cell = only_cell(self.root)?;
                self.enter(cell)?;
            }
            Run::Story => self.until_it_is_back()?,
            _ => {}
        }
        let (line, mut command) = self.command(run)?;
        let folder = self.cell.as_deref().unwrap_or(self.place);
        command
            .current_dir(folder)
            .env("MCELL_ROOT", self.root)
            .env("MCELL_CONFIG", self.place.join(keeper::CONFIG))
            .env("PWD", folder)
            .env("PATH", path_with_mcell(self.context)?)
            .stdin(Stdio::null());
        self.type_line(&line)?;
        let (code, output) = self
            .carry_out(run, command, ends)
            .map_err(|error| Error::storage(format_args!("run `{line}`"), error))?;
        if !ends.contains(&code) {
            return Err(Error::new(
                Kind::CouldNotTell,
                format!("`{line}` ended with {code}, which was not to be expected"),
            )
            .hint("`mcell doctor` looks at this machine"));
        }
        self.played.steps.push(Done {
            command: line,
            exit: code,
            output,
        });
        Ok(())
    }

    /// A step as it is typed, and as it is run.
    fn command(&mut self, run: &Run) -> Result<(String, Command)> {
        let of_mcell = |arguments: &[&str]| {
            let command = mcell(self.context, arguments)?;
            Ok((shell_line(arguments), command))
        };
        let of_shell = |line: String| {
            let command = shell(&line);
            Ok((line, command))
        };
        match run {
            Run::Mcell(arguments) | Run::Await(arguments) | Run::Until(arguments, _) => {
                of_mcell(arguments)
            }
            Run::Start(arguments) => {
                let (line, command) = of_mcell(arguments)?;
                Ok((format!("{line} &"), command))
            }
            Run::Shell(line) => of_shell((*line).to_owned()),
            Run::Kill(arguments) => of_shell(format!("kill -9 {}", self.beside.pid(arguments)?)),
            Run::KillAgent(agent) => {
                let cell = self.cell.as_deref().unwrap_or(self.place);
                let blow = Blow::at(cell, agent, PATIENCE)?;
                let line = format!("kill -9 {}", blow.pid);
                self.blow = Some(blow);
                of_shell(line)
            }
            Run::Story => {
                let blow = self.blow.as_ref();
                let request = blow.map(Blow::request).transpose()?.flatten();
                let id = request.map(|request| request.id);
                let id = id.ok_or_else(|| Error::bug("the demo tells of nobody"))?;
                of_mcell(&["revival", "show", &id])
            }
            Run::Enter(_) => Err(Error::bug("a step that goes somewhere runs nothing")),
        }
    }

    fn carry_out(
        &mut self,
        run: &Run,
        mut command: Command,
        ends: &[u8],
    ) -> std::io::Result<(u8, String)> {
        let is_so: &dyn Fn(&str) -> bool = match run {
            Run::Start(arguments) => {
                self.beside.start(arguments, command)?;
                return Ok((exit::DONE, String::new()));
            }
            Run::Await(_) => &|_| true,
            Run::Until(_, is_so) => is_so,
            _ => return finish(command, self.is_shown()),
        };
        let done = finish_as(&mut command, ends, is_so)?;
        self.show(&done.1)
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(done)
    }

    /// Waits until the agent that was killed has proved that it lives again.
    fn until_it_is_back(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.blow.as_ref().map(Blow::is_over).transpose()? != Some(false) {
                return Ok(());
            }
            std::thread::park_timeout(PAUSE);
        }
        Err(Error::new(
            Kind::CouldNotTell,
            "the agent that was killed was not brought back in time",
        )
        .hint("`mcell doctor` looks at this machine"))
    }

    fn enter(&mut self, cell: PathBuf) -> Result<()> {
        self.type_line(&format!("cd {}", quoted(&cell.display().to_string())))?;
        self.cell = Some(cell);
        Ok(())
    }

    fn is_shown(&self) -> bool {
        self.context.printer.form() == Form::Words
    }

    fn show(&self, text: &str) -> Result<()> {
        if self.is_shown() {
            return self.context.printer.text(text);
        }
        Ok(())
    }

    /// Shows a line as it is typed.
    fn type_line(&self, line: &str) -> Result<()> {
        let page = self.context.printer.page();
        let (prompt, line) = (page.tone(Tone::Dim, "$"), page.tone(Tone::Strong, line));
        self.show(&format!("{prompt} {line}\n"))
    }
}

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

/// How long something is waited for that takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs it again and again until it ends so and says so, or the patience is at its end; gives what it said the last time.
fn finish_as(
    command: &mut Command,
    ends: &[u8],
    is_so: &dyn Fn(&str) -> bool,
) -> std::io::Result<(u8, String)> {
    let until = Instant::now() + PATIENCE;
    loop {
        let done = command.output()?;
        let code = done
            .status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(exit::SIGNAL);
        let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
        output.push_str(&String::from_utf8_lossy(&done.stderr));
        let is_over = Instant::now() >= until;
        if (ends.contains(&code) && is_so(&output)) || is_over {
            // What never came to be so is no end as it must be.
            let code = if is_so(&output) {
                code
            } else {
                exit::COULD_NOT_TELL
            };
            return Ok((code, output));
        }
        std::thread::park_timeout(PAUSE);
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
    let is_coloured = !context.printer.page().tone(Tone::Bad, "").is_empty();
    command.args(["--color", if is_coloured { "always" } else { "never" }]);
    command.args(arguments).env_remove("COMPLETE");
    for name in context.session.env.names("MCELL_") {
        if name != "MCELL_NOW" {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Where programs are looked for: this one first, for agents that call it by its name.
fn path_with_mcell(context: &Context) -> Result<std::ffi::OsString> {
    let program =
        std::env::current_exe().map_err(|error| Error::storage("find mcell itself", error))?;
    let own = program.parent().map(Path::to_path_buf);
    let usual = context.session.env.path("PATH").unwrap_or_default();
    let others = std::env::split_paths(&usual);
    std::env::join_paths(own.into_iter().chain(others))
        .map_err(|error| Error::bug(format!("no PATH leads to mcell: {error}")))
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

/// The folder of the cell of a mission.
fn of_mission(root: &Path, mission: &str) -> Result<PathBuf> {
    let scope = Scope::Root(crate::store::root::Root::open(root)?);
    let (seen, _) = scope.look_around(true, |cell| {
        let is_it = cell.cell()?.mission_name == mission;
        Ok(is_it.then(|| cell.path().to_path_buf()))
    })?;
    let found = seen.into_iter().flatten().next();
    found.ok_or_else(|| Error::bug(format!("the demo has no {mission}")))
}

fn only_cell(root: &Path) -> Result<PathBuf> {
    let root = crate::store::root::Root::open(root)?;
    let ids = root.cell_ids()?;
    let id = ids
        .first()
        .ok_or_else(|| Error::bug("the demo has no cell"))?;
    Ok(root.path().join(id.as_str()))
}
