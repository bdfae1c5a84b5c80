//! The world of a test: the real program, in a throw-away home and root.
//!
//! ```ignore
//! let world = World::with_cell("Example Mission");
//! world.mcell("add-task 'Code Review' --priority high").ok();
//! world.mcell("task show task_999").code(3).says("there is no task task_999");
//! ```

#![allow(
    dead_code,
    reason = "each promise takes of the world what it needs, and some machines skip some promises"
)]

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The program under test.
pub(crate) const MCELL: &str = env!("CARGO_BIN_EXE_mcell");

/// How long one command may take before it is ended: none should, so a slow machine is not a failure.
const DEADLINE: Duration = Duration::from_secs(120);

/// A throw-away home and root. What it made is removed with it.
pub(crate) struct World {
    place: tempfile::TempDir,
    folder: PathBuf,
    variables: Vec<(OsString, Option<OsString>)>,
}

impl World {
    /// An empty home and an empty root that `MCELL_ROOT` names; nothing of the caller's environment but PATH.
    pub(crate) fn new() -> Self {
        let place = tempfile::Builder::new()
            .prefix("mcell-test-")
            .tempdir()
            .expect("a place for the test");
        // The real path: what the program prints is that, also where the temporary folder is a link.
        let real = place.path().canonicalize().expect("the place itself");
        let home = real.join("home");
        let root = real.join("missions");
        std::fs::create_dir(&home).expect("a home");
        std::fs::create_dir(&root).expect("a root");
        let mut world = World {
            place,
            folder: home.clone(),
            variables: Vec::new(),
        };
        let folder_of_program = Path::new(MCELL).parent().expect("a folder of the program");
        let mut path = OsString::from(folder_of_program);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        world.set("PATH", path);
        world.set("HOME", home);
        world.set("LOGNAME", "ada");
        world.set("LC_ALL", "C.UTF-8");
        world.set("TZ", "UTC");
        world.set("NO_COLOR", "1");
        world.set("MCELL_ROOT", root);
        world
    }

    /// A world with one cell in it, of this mission's name.
    pub(crate) fn with_cell(mission_name: &str) -> Self {
        let world = World::new();
        world.run(["init", mission_name]).ok();
        world
    }

    /// The throw-away folder: the home and the root lie in it.
    pub(crate) fn place(&self) -> PathBuf {
        self.place.path().canonicalize().expect("the place itself")
    }

    /// The home.
    pub(crate) fn home(&self) -> PathBuf {
        self.place().join("home")
    }

    /// The root.
    pub(crate) fn root(&self) -> PathBuf {
        self.place().join("missions")
    }

    /// The folder of the only cell of the root.
    pub(crate) fn cell(&self) -> PathBuf {
        let mut cells: Vec<PathBuf> = std::fs::read_dir(self.root())
            .expect("the root")
            .map(|entry| entry.expect("an entry of the root").path())
            .filter(|path| path.join("cell.json").exists())
            .collect();
        assert_eq!(cells.len(), 1, "the root has not one cell: {cells:?}");
        cells.remove(0)
    }

    /// Sets a variable for every command from now on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) -> &mut Self {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable away.
    pub(crate) fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(other, _)| other != name);
        self
    }

    /// Fixes the time, RFC 3339.
    pub(crate) fn at_time(&mut self, moment: &str) -> &mut Self {
        self.set("MCELL_NOW", moment)
    }

    /// Goes to a folder: relative ones start at the place.
    pub(crate) fn stand_in(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.folder = self.place().join(folder);
        self
    }

    /// Runs mcell with a line of arguments, with quotes as a shell has them.
    pub(crate) fn mcell(&self, line: &str) -> Outcome {
        self.run(words(line))
    }

    /// Runs mcell with arguments.
    pub(crate) fn run(&self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Outcome {
        self.run_in(self.command(MCELL), arguments)
    }

    /// Runs mcell as root without its powers, so that the modes of files stop it as they stop everybody. Needs setpriv.
    pub(crate) fn run_without_powers(
        &self,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Outcome {
        let mut command = self.command("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", "--", MCELL]);
        self.run_in(command, arguments)
    }

    fn run_in(
        &self,
        command: std::process::Command,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Outcome {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let name = arguments
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ");
        let output = assert_cmd::Command::from_std(command)
            .args(arguments)
            .write_stdin("")
            .timeout(DEADLINE)
            .output()
            .unwrap_or_else(|error| panic!("`mcell {name}` did not run: {error}"));
        Outcome::new(format!("mcell {name}"), &output)
    }

    /// Runs a line in a shell of this world (`sh -c`), where `mcell` is in PATH.
    pub(crate) fn shell(&self, line: &str) -> Outcome {
        let mut command = assert_cmd::Command::from_std(self.command("sh"));
        let output = command
            .args(["-c", line])
            .write_stdin("")
            .timeout(DEADLINE)
            .output()
            .unwrap_or_else(|error| panic!("`{line}` did not run: {error}"));
        Outcome::new(line.to_owned(), &output)
    }

    /// A command of this world, for tests that need more than its outcome: mcell is `self.command(MCELL)`.
    pub(crate) fn command(&self, program: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.env_clear().current_dir(&self.folder);
        for (name, value) in &self.variables {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }
}

impl Drop for World {
    /// What mcell started in this world ends with it, however the test ended.
    fn drop(&mut self) {
        end_runs(&self.root());
    }
}

/// Ends whatever mcell started in a root.
pub(crate) fn end_runs(root: &Path) {
    for cell in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let notes = std::fs::read_dir(cell.path().join(".mcell/run"));
        for note in notes.into_iter().flatten().flatten() {
            end_run(&note.path());
        }
    }
}

/// Ends the run that a note speaks of: by its runner, which ends last, or if that is dead by the agent's own process.
fn end_run(note: &Path) {
    use mcell::base::process::Process;
    use mcell::runner::Handle;
    use rustix::process::Signal;
    let text = std::fs::read(note).unwrap_or_default();
    let Ok(note) = serde_json::from_slice::<mcell::mission::run::RunNote>(&text) else {
        return;
    };
    for (one, signal) in [(note.runner, Signal::INT), (note.process(), Signal::KILL)] {
        let Some(one) = one else { continue };
        let pid = i32::try_from(one.pid).unwrap_or(0);
        if let Ok(Some(process)) = Process::of(pid)
            && process.started == one.started
            && let Ok(Some(handle)) = Handle::of(process)
        {
            let _ = handle.signal(signal);
            let _ = handle.wait(DEADLINE);
        }
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    name: String,
    /// The exit code as a shell gives it: 128+n for an end by signal n.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) out: String,
    /// What it said.
    pub(crate) err: String,
}

impl Outcome {
    fn new(name: String, output: &std::process::Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status;
        let signal = status.signal().map(|signal| 128 + signal);
        Outcome {
            name,
            code: status.code().or(signal).unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It is done, or the answer is yes.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.code(0)
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn code(self, wanted: i32) -> Self {
        let Outcome {
            name,
            code,
            out,
            err,
        } = &self;
        assert_eq!(
            *code, wanted,
            "`{name}` ended with {code}, not {wanted}\nstdout:\n{out}\nstderr:\n{err}"
        );
        self
    }

    /// It printed exactly this; `[..]` stands for anything within a line, a line `...` for any lines.
    #[track_caller]
    pub(crate) fn prints(self, wanted: &str) -> Self {
        same(&self.name, &self.out, wanted);
        self
    }

    /// What it printed has this in it.
    #[track_caller]
    pub(crate) fn shows(self, part: &str) -> Self {
        let Outcome { name, out, err, .. } = &self;
        assert!(
            out.contains(part),
            "`{name}` does not show `{part}`\nstdout:\n{out}\nstderr:\n{err}"
        );
        self
    }

    /// What it printed does not have this in it.
    #[track_caller]
    pub(crate) fn hides(self, part: &str) -> Self {
        let Outcome { name, out, .. } = &self;
        assert!(
            !out.contains(part),
            "`{name}` shows `{part}`\nstdout:\n{out}"
        );
        self
    }

    /// What it said on stderr has this in it.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        let Outcome { name, out, err, .. } = &self;
        assert!(
            err.contains(part),
            "`{name}` does not say `{part}`\nstdout:\n{out}\nstderr:\n{err}"
        );
        self
    }

    /// It said nothing on stderr.
    #[track_caller]
    pub(crate) fn says_nothing(self) -> Self {
        let Outcome { name, err, .. } = &self;
        assert!(err.is_empty(), "`{name}` says:\n{err}");
        self
    }

    /// What it printed, without white space around it.
    pub(crate) fn datum(&self) -> &str {
        self.out.trim()
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| {
            panic!("`{}` did not print JSON: {error}\n{}", self.name, self.out)
        })
    }
}

/// Compares a text with what is wanted, where `[..]` stands for anything within a line and a line `...` for any lines.
#[track_caller]
pub(crate) fn same(name: &str, text: &str, wanted: &str) {
    if let Err(difference) = compare(name, text, wanted) {
        panic!("{difference}");
    }
}

/// The same, with the difference as a value.
pub(crate) fn compare(name: &str, text: &str, wanted: &str) -> Result<(), String> {
    snapbox::Assert::new()
        .try_eq(Some(&name), text.into(), wanted.into())
        .map_err(|difference| difference.to_string())
}

/// Compares a text that mcell makes with the file of the project that holds it; `MCELL_BLESS=1` renews the file.
#[track_caller]
pub(crate) fn checked_in(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if is_blessed() {
        std::fs::write(&path, made).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    if there != made {
        let line = there
            .lines()
            .zip(made.lines())
            .take_while(|(one, other)| one == other)
            .count();
        panic!(
            "{file} is not what mcell makes now (line {}); renew it with `MCELL_BLESS=1 cargo test`, and look at the difference",
            line + 1
        );
    }
}

/// Checks that a folder of the project holds these files and no others; `MCELL_BLESS=1` removes the others.
#[track_caller]
pub(crate) fn checked_in_folder(folder: &str, names: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{folder}: {error}")) {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if names.contains(&name.as_str()) {
            continue;
        }
        assert!(
            is_blessed(),
            "{folder}/{name} is made by nothing; `MCELL_BLESS=1 cargo test` removes it"
        );
        std::fs::remove_file(entry.path()).expect("a file that can be removed");
    }
}

fn is_blessed() -> bool {
    std::env::var_os("MCELL_BLESS").is_some_and(|word| word == "1")
}

/// The words of a line, with '…', "…" and \ as a shell has them.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, Some(open)) if letter == open => quote = None,
            (_, None) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    assert!(quote.is_none(), "a quote is open in: {line}");
    words.extend(word);
    words
}

/// Tells whether a program is installed here. If not, the test says that it is skipped and why, and ends; where
/// `MCELL_REQUIRE` names the program (`MCELL_REQUIRE=zsh,fish`) or says `all`, it fails.
#[track_caller]
pub(crate) fn require(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Not in everyone's PATH, and where mkfs and losetup live.
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let is_here = folders.iter().any(|folder| folder.join(tool).is_file());
    is_here || lacks(tool, &format!("there is no {tool} here"))
}

/// Tells whether a program does its work here, by an attempt: what is installed may still be forbidden. Says so as
/// `require` does.
#[track_caller]
pub(crate) fn works(tool: &str, attempt: &[&str]) -> bool {
    if !require(tool) {
        return false;
    }
    let tried = std::process::Command::new(tool).args(attempt).output();
    let why = match tried {
        Ok(tried) if tried.status.success() => return true,
        Ok(tried) => String::from_utf8_lossy(&tried.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    lacks(tool, &format!("{tool} does not work here: {why}"))
}

/// What no machine is expected to have: `MCELL_REQUIRE=all` does not ask for it, only its name does.
const OPT_IN: [&str; 1] = ["hermes"];

/// Says that a test is skipped since this machine lacks something (a tool, `root`, `loop`), and gives false; fails where
/// `MCELL_REQUIRE` names it, or says `all` and it is not opt-in.
#[track_caller]
pub(crate) fn lacks(what: &str, why: &str) -> bool {
    let required = std::env::var("MCELL_REQUIRE").unwrap_or_default();
    let is_required = required
        .split(',')
        .map(str::trim)
        .any(|word| word == what || (word == "all" && !OPT_IN.contains(&what)));
    assert!(
        !is_required,
        "MCELL_REQUIRE={required} asks for {what}, but {why}"
    );
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Not eprintln: what a passing test prints by it is hidden, and a skipped test shall be seen.
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED: {test}: {why}");
    false
}

#[test]
fn a_line_has_the_words_that_a_shell_would_see() {
    assert_eq!(
        words(r#"add-task "Code Review" --assign 'agent 1' a\ b """#),
        ["add-task", "Code Review", "--assign", "agent 1", "a b", ""]
    );
}

#[test]
fn the_world_has_a_root_of_its_own() {
    let world = World::with_cell("Example Mission");
    world
        .mcell("add-task 'Code Review'")
        .ok()
        .prints("Added task_001: Code Review, to cell [..]\n")
        .says_nothing();
    world
        .shell("cd \"$MCELL_ROOT\" && mcell add-task -q Testing")
        .ok()
        .prints("task_002\n");
    assert!(world.cell().join("tasks/task_002.json").is_file());
    world
        .mcell("add-task --depends-on task_009 Deploy")
        .code(3)
        .says("there is no task task_009");
}
