//! Whoever starts, stops or brings back an agent may be killed at any moment, or fail at any call, and so may the agent's
//! runner: the next command ends what was begun, one process of the agent lives, its task has one holder, and no request is
//! lost.
//!
//! Every so many places by default, all of them with `MCELL_SWEEP=all`.

use crate::alone::{self, Then};
use crate::crew;
use crate::fault_sweep;
use crate::injection::{Call, Start, calls, nothing_wrong, sweep_with, with_processes};
use crate::pit::until;
use crate::swept::talk;
use crate::world::{MCELL, World, end_runs, require, words};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A try that is watched waits for five seconds: many wait at a time.
const THREADS: usize = 16;

/// One command that acts on an agent.
struct Act {
    line: &'static str,
    /// How the agent is before it.
    before: fn() -> World,
    /// What each copy goes through first.
    first: &'static [&'static str],
    then: Then,
    /// By default every so many of the places at which it is killed, and at which a call fails, are tried.
    steps: (usize, usize),
}

const ACTS: &[Act] = &[
    Act {
        line: "revive agent_001",
        before: fallen,
        first: &[],
        then: Then::Lives,
        steps: (5, 40),
    },
    Act {
        line: "agent start agent_001",
        before: fallen,
        first: &[],
        then: Then::Lives,
        steps: (5, 25),
    },
    Act {
        line: "agent restart agent_001",
        before: fresh,
        first: &["agent start agent_001"],
        then: Then::Lives,
        steps: (7, 40),
    },
    Act {
        line: "agent stop agent_001",
        before: fresh,
        first: &["agent start agent_001"],
        then: Then::Gone,
        steps: (4, 25),
    },
];

/// An agent that was never started, and has a task.
fn fresh() -> World {
    let world = crew::world(alone::LINE);
    world.mcell("add-task 'Code Review'").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    world
}

/// An agent that ran, and was killed at its task.
fn fallen() -> World {
    let world = fresh();
    let started = world.mcell("agent start agent_001 --json").ok().json();
    let pid = i32::try_from(started["pid"].as_i64().unwrap()).unwrap();
    crew::send(pid, Signal::KILL);
    until("its end is noted", || {
        let end = &crew::note(&world, "agent_001")["end"];
        end.is_object().then_some(())
    });
    world
}

/// Every so many of a list, or all.
fn some<T>(list: Vec<T>, step: usize) -> Vec<T> {
    let is_all = std::env::var_os("MCELL_SWEEP").is_some_and(|word| word == "all");
    let step = if is_all { 1 } else { step };
    list.into_iter().step_by(step).collect()
}

/// By what whoever waits looks, again and again.
const LOOKS: [&str; 3] = ["flock", "openat2", "fstat"];

/// The calls of a recording without the looks that whoever waits repeats. From then on the numbers of calls of these names
/// depend on how often it looked: what comes between two others is left to these.
fn without_repetition(calls: Vec<Call>) -> Vec<Call> {
    let text = |call: &Call| call.line.split(" = ").next().unwrap_or_default().to_owned();
    let mut seen: Vec<String> = Vec::new();
    let mut repeated = 0;
    let mut kept = Vec::new();
    for call in calls {
        let is_look = LOOKS.contains(&call.name.as_str());
        if is_look && repeated > 10 {
            continue;
        }
        if !is_look {
            seen.clear();
        } else if seen.contains(&text(&call)) {
            repeated += usize::from(call.name == "flock");
            continue;
        }
        seen.push(text(&call));
        kept.push(call);
    }
    kept
}

/// An act, recorded and ready to be disturbed.
struct Ready<'a> {
    act: &'a Act,
    start: Start,
    words: Vec<String>,
    calls: Vec<Call>,
}

impl<'a> Ready<'a> {
    fn new(act: &'a Act) -> Self {
        let start = Start::alone((act.before)(), act.first);
        let words = words(act.line);
        let (calls, copy, output) = start.record(&words);
        assert!(output.status.success(), "`{}`: {}", act.line, talk(&output));
        let ready = Ready {
            act,
            start,
            words,
            calls: without_repetition(calls),
        };
        assert_eq!(ready.flaws(&copy), [""; 0], "`{}` by itself", act.line);
        end_runs(&copy);
        ready
    }

    fn flaws(&self, copy: &Path) -> Vec<String> {
        alone::flaws(copy, "agent_001", self.act.then, Some("task_001"))
    }

    /// Does it again, and gives what is wrong then.
    fn after(&self, copy: &Path) -> Vec<String> {
        let again = self.start.run(copy, &self.words);
        let said = talk(&again);
        // What is well needs nothing.
        let is_well = again.status.code() == Some(5) && said.contains("agent_001 is healthy");
        let mut wrong = Vec::new();
        if !again.status.success() && !is_well {
            wrong.push(format!("the next command fails: {said}"));
        }
        // Whoever writes next mends what was cut short.
        for line in ["add-task After", "journal verify", "validate"] {
            let output = self.start.run(copy, &words(line));
            if !output.status.success() {
                let out = String::from_utf8_lossy(&output.stdout);
                wrong.push(format!("`{line}`: {} {out}", talk(&output)));
            }
        }
        wrong.extend(self.flaws(copy));
        wrong
    }

    /// Goes through places, each in a copy of its own.
    fn sweep<T: Sync>(
        &self,
        places: &[T],
        each: impl Fn(&Path, &T) -> (String, Vec<String>) + Sync,
    ) -> Vec<String> {
        sweep_with(THREADS, places, |number, place| {
            let copy = self.start.copy(&format!("copy-{number}"));
            let (told, wrong) = each(&copy, place);
            end_runs(&copy);
            let _ = std::fs::remove_dir_all(&copy);
            let line = self.act.line;
            let place = |what| format!("`{line}` {told}\n    {what}");
            wrong.into_iter().map(place).collect()
        })
    }
}

fn killed(output: &Output) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    (output.status.signal() != Some(9)).then(|| format!("it was not killed: {}", talk(output)))
}

#[test]
fn whoever_acts_on_an_agent_and_is_killed_at_any_system_call_leaves_what_the_next_one_ends() {
    if !require("strace") || !require("flock") {
        return;
    }
    let (mut kills, mut wrong) = (0, Vec::new());
    for act in ACTS {
        let ready = Ready::new(act);
        let places = ready.calls.iter().filter(|call| call.changes()).collect();
        let places = some(places, act.steps.0);
        kills += places.len();
        wrong.extend(ready.sweep(&places, |copy, call| {
            let output = ready
                .start
                .inject(copy, call, "signal=SIGKILL", &ready.words);
            let mut wrong: Vec<String> = killed(&output).into_iter().collect();
            wrong.extend(ready.after(copy));
            (format!("killed at {call}"), wrong)
        }));
    }
    nothing_wrong(&wrong, kills);
}

/// What can happen to a call of whoever acts on processes.
fn faults(call: &Call) -> &'static [&'static str] {
    match call.name.as_str() {
        "clone" | "clone3" | "vfork" | "fork" => &["EAGAIN", "ENOMEM"],
        "pidfd_open" | "pipe2" => &["EMFILE", "ENFILE"],
        "wait4" | "waitid" => &["EINTR"],
        _ => fault_sweep::faults(call),
    }
}

/// A place for each call, each time with another fault.
fn places(calls: &[Call]) -> Vec<(&Call, &'static str)> {
    let each = calls.iter().enumerate();
    each.filter_map(|(at, call)| {
        let faults = faults(call);
        let fault = faults.get(at % faults.len().max(1))?;
        Some((call, *fault))
    })
    .collect()
}

/// Where the exit code is not what happened; `flaws`: what is not as it is after the command has gone through.
fn lie(call: &Call, fault: &str, output: &Output, flaws: impl Fn() -> Vec<String>) -> Vec<String> {
    let (out, said) = (&output.stdout, talk(output));
    let out = String::from_utf8_lossy(out);
    let told = said.contains("error: ") || out.contains("the revival of agent_001 is");
    match output.status.code() {
        // What could not be removed is swept by the next one who writes.
        Some(0) => {
            let mut flaws = flaws();
            flaws.retain(|flaw| !flaw.ends_with(" was left"));
            flaws
        }
        _ if fault == "EINTR" => vec![format!("a signal came in between: {said}")],
        Some(1 | 5..=9) if told || call.talks() => Vec::new(),
        _ => vec![format!("the exit code tells nothing: {said} {out}")],
    }
}

#[test]
fn an_error_at_any_system_call_of_whoever_acts_on_an_agent_is_told_and_loses_nothing() {
    if !require("strace") || !require("flock") {
        return;
    }
    let (mut runs, mut wrong) = (0, Vec::new());
    for act in ACTS {
        let ready = Ready::new(act);
        let places = some(places(&ready.calls), act.steps.1);
        runs += places.len();
        wrong.extend(ready.sweep(&places, |copy, (call, fault)| {
            let what = format!("error={fault}");
            let output = ready.start.inject(copy, call, &what, &ready.words);
            let mut wrong = lie(call, fault, &output, || ready.flaws(copy));
            wrong.extend(ready.after(copy));
            let said = talk(&output);
            (format!("with {fault} at {call}\n    {said}"), wrong)
        }));
    }
    nothing_wrong(&wrong, runs);
}

/// mcell beside a runner that is traced from its beginning on.
struct Traced {
    place: tempfile::TempDir,
    start: Start,
}

impl Traced {
    fn new() -> Self {
        let place = tempfile::Builder::new()
            .prefix("traced-")
            // Where the binaries are: they are linked, not copied.
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        Traced {
            place,
            start: Start::alone(fallen(), &[]),
        }
    }

    /// A folder with mcell, and a runner that is traced with these options.
    fn beside(&self, name: &str, options: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let folder = self.place.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::hard_link(MCELL, folder.join("mcell")).unwrap();
        let strace = self.start.world.shell("command -v strace").ok();
        let runner = Path::new(MCELL).with_file_name("mcell-runner");
        let script = format!(
            "#!/bin/sh\nexec {} -qq {options} {}\n",
            strace.datum(),
            runner.display()
        );
        let file = folder.join("mcell-runner");
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    fn act(&self, folder: &Path, copy: &Path, line: &str) -> Output {
        let program = folder.join("mcell");
        let mut command: Command = self.start.world.command(program.to_str().unwrap());
        command.env("MCELL_ROOT", copy).args(words(line));
        command.output().unwrap()
    }

    /// What a runner calls from its start to its report, and from there to its end.
    fn record(&self) -> (Vec<Call>, Vec<Call>) {
        let copy = self.start.copy("recorded");
        let record = self.place.path().join("recording");
        let options = format!("-s 512 -e {} -o {}", with_processes(), record.display());
        let folder = self.beside("recorder", &options);
        let output = self.act(&folder, &copy, "agent start agent_001");
        assert!(output.status.success(), "{}", talk(&output));
        let output = self.start.run(&copy, &words("agent stop agent_001"));
        assert!(output.status.success(), "{}", talk(&output));
        let text = until("the recording ends", || {
            let text = std::fs::read_to_string(&record).unwrap();
            text.contains("exit_group(").then_some(text)
        });
        let mut start = calls(&text, &copy);
        let told = start.iter().position(Call::talks).unwrap();
        let end = start.split_off(told + 1);
        (start, end)
    }

    fn inject(&self, number: usize, call: &Call, what: &str) -> PathBuf {
        let Call {
            name, number: at, ..
        } = call;
        let options = format!("-o /dev/null --trace={name} --inject={name}:{what}:when={at}");
        self.beside(&format!("beside-{number}"), &options)
    }

    /// Starts an agent by a runner that is disturbed, then again as it should be.
    fn try_start(&self, number: usize, call: &Call, what: &str) -> Vec<String> {
        let copy = self.start.copy(&format!("copy-{number}"));
        let folder = self.inject(number, call, what);
        let flaws = || alone::flaws(&copy, "agent_001", Then::Lives, Some("task_001"));
        let output = self.act(&folder, &copy, "agent start agent_001");
        let mut wrong = match what.strip_prefix("error=") {
            Some(fault) => lie(call, fault, &output, flaws),
            // It was killed right after it had told that its agent runs: nothing was lost with it.
            None if output.status.success() && call.talks() => Vec::new(),
            None if matches!(output.status.code(), Some(6 | 7 | 9)) => Vec::new(),
            None => vec![format!("its runner is dead: {}", talk(&output))],
        };
        let again = self.start.run(&copy, &words("agent start agent_001"));
        if !again.status.success() {
            wrong.push(format!("the next start fails: {}", talk(&again)));
        }
        wrong.extend(flaws());
        self.done(&copy, &folder);
        let said = talk(&output);
        let place = |wrong| format!("the runner with {what} at {call}\n    {wrong}\n    {said}");
        wrong.into_iter().map(place).collect()
    }

    /// Stops an agent whose runner is killed while it ends, and starts it again.
    fn try_end(&self, number: usize, call: &Call) -> Vec<String> {
        let copy = self.start.copy(&format!("copy-{number}"));
        let folder = self.inject(number, call, "signal=SIGKILL");
        let mut wrong = Vec::new();
        let mut act = |folder: Option<&Path>, line: &str, then| {
            let output = match folder {
                Some(folder) => self.act(folder, &copy, line),
                None => self.start.run(&copy, &words(line)),
            };
            if !output.status.success() {
                wrong.push(format!("`{line}` fails: {}", talk(&output)));
            }
            // What was left half written is swept by who writes it next.
            let flaws = match then {
                Then::Lives => alone::flaws(&copy, "agent_001", then, None),
                Then::Gone => alone::of_agent(&copy, "agent_001", then, None),
            };
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            wrong.extend(
                flaws
                    .into_iter()
                    .map(|flaw| format!("after `{line}` ({said}) {flaw}")),
            );
        };
        act(Some(&folder), "agent start agent_001", Then::Lives);
        act(None, "agent stop agent_001", Then::Gone);
        act(None, "agent start agent_001", Then::Lives);
        self.done(&copy, &folder);
        let place = |wrong| format!("the runner killed at {call}\n    {wrong}");
        wrong.into_iter().map(place).collect()
    }

    fn done(&self, copy: &Path, folder: &Path) {
        end_runs(copy);
        let _ = std::fs::remove_dir_all(copy);
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[test]
fn a_runner_that_is_killed_or_fails_at_any_system_call_leaves_no_second_life() {
    if !require("strace") || !require("flock") {
        return;
    }
    let traced = Traced::new();
    let (start, end) = traced.record();
    let of = |calls: &[Call]| {
        calls
            .iter()
            .filter(|call| call.changes())
            .cloned()
            .collect()
    };
    let (kills, ends): (Vec<Call>, Vec<Call>) = (some(of(&start), 6), some(of(&end), 6));
    let faults = some(places(&start), 12);
    let mut wrong = sweep_with(4, &kills, |number, call| {
        traced.try_start(number, call, "signal=SIGKILL")
    });
    wrong.extend(sweep_with(4, &ends, |number, call| {
        traced.try_end(number, call)
    }));
    wrong.extend(sweep_with(4, &faults, |number, (call, fault)| {
        traced.try_start(number, call, &format!("error={fault}"))
    }));
    nothing_wrong(&wrong, kills.len() + ends.len() + faults.len());
}
