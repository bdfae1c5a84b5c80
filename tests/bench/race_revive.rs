//! An agent that is killed, until it runs again, beside 99 others: the daemon against runit, which does no fence, no
//! checkpoint and no journal, and against s6. And what it costs to keep a hundred agents: memory, and processor at rest.

use crate::field::Field;
use crate::measure::median;
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::server::Server;
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Agents that are kept running.
const AGENTS: usize = 100;
/// How many of them are killed, one after the other.
const KILLED: usize = 50;
/// How long one may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn race(field: &Field, report: &mut Report) {
    let (times, memory, rest) = match ours(field) {
        Ok(ours) => (Ok(ours.0), Ok(ours.1), Ok(ours.2)),
        Err(trouble) => (Err(trouble.clone()), Err(trouble.clone()), Err(trouble)),
    };
    let against = |theirs: Result<f64>| {
        Ok(Pair {
            ours: times.clone()?,
            theirs: theirs?,
        })
    };
    let what = "kill -9 of one of 100 agents until its new process, against runit";
    report.pair("revive", what, Bound::AtMost(6.0), against(runit(field)));
    report.pair(
        "revive",
        "against s6",
        Bound::AsFast(30.0),
        against(s6(field)),
    );
    let time = times.clone().map(Duration::from_secs_f64);
    report.time("revive", "the same, by itself (30 ms are the bound)", time);
    let what = "the daemon and 100 runners: memory, by their share (PSS)";
    report.memory("revive", what, 30.0, memory);
    let what = format!(
        "the same at rest for {} s: of one core",
        field.rest.as_secs()
    );
    report.share("revive", &what, 0.05, rest);
}

/// Kills agents one after the other, and gives the median of the times until each has another process.
fn kill_each(pid: impl Fn(usize) -> Option<u32>) -> Result<f64> {
    let mut times = Vec::new();
    for number in 0..KILLED {
        let wait_for = |is_it: &dyn Fn(u32) -> bool| {
            let end = Instant::now() + PATIENCE;
            loop {
                if let Some(pid) = pid(number).filter(|pid| is_it(*pid)) {
                    return Ok(pid);
                }
                if Instant::now() > end {
                    return Err(Trouble::Failed(format!("agent {number} does not run")));
                }
                std::thread::sleep(Duration::from_micros(100));
            }
        };
        let old = wait_for(&|pid| pid > 0)?;
        let begun = Instant::now();
        kill(old)?;
        wait_for(&|pid| pid > 0 && pid != old)?;
        times.push(begun.elapsed().as_secs_f64());
        // The next one falls when this one is forgotten.
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(median(times))
}

fn kill(pid: u32) -> Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Trouble::Failed(String::from("no process")))?;
    Ok(kill_process(pid, Signal::KILL).map_err(std::io::Error::from)?)
}

/// The time of one revival, the memory in KiB, and the share of a core at rest.
fn ours(field: &Field) -> Result<(f64, u64, f64)> {
    let root = field.scratch().join("revive");
    let crew = Crew::start(field, &root)?;
    let daemon = Server::daemon(field, &root, "{}")?;
    // What it does when it starts is over.
    std::thread::sleep(Duration::from_secs(3));
    let pids = || crew.runners().into_iter().chain([daemon.pid()]);
    let memory = pids().map(share_of_memory).sum();
    let spent = || pids().filter_map(spent).sum::<Duration>();
    let (begun, before) = (Instant::now(), spent());
    std::thread::sleep(field.rest);
    let rest = (spent() - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    let time = kill_each(|number| crew.pid(number))?;
    Ok((time, memory, rest))
}

/// A hundred agents in ten cells, each of which only waits. They end with this.
struct Crew<'f> {
    field: &'f Field,
    root: PathBuf,
    cells: Vec<PathBuf>,
}

impl<'f> Crew<'f> {
    fn start(field: &'f Field, root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root)?;
        let mut crew = Crew {
            field,
            root: root.to_path_buf(),
            cells: Vec::new(),
        };
        for _ in 0..AGENTS / 10 {
            let made = run(tools::mcell(field, root).args(["init", "-q", "Crew"]))?;
            let cell = made.trim().to_owned();
            let mut agents = Vec::new();
            for number in 1..=10 {
                let id = format!("agent_{number:03}");
                run(tools::mcell(field, root)
                    .args(["-c", &cell, "add-agent", &id, "--role", "write", "--"])
                    .args(["/bin/sleep", "100000"]))?;
                agents.push(id);
            }
            let mut start = tools::mcell(field, root);
            start.args(["-c", &cell, "agent", "start"]).args(&agents);
            run(&mut start)?;
            crew.cells.push(root.join(cell));
        }
        Ok(crew)
    }

    fn note(&self, number: usize) -> Option<serde_json::Value> {
        let cell = self.cells.get(number / 10)?;
        let file = cell.join(format!(".mcell/run/agent_{:03}.json", number % 10 + 1));
        serde_json::from_slice(&std::fs::read(file).ok()?).ok()
    }

    fn pid(&self, number: usize) -> Option<u32> {
        u32::try_from(self.note(number)?["pid"].as_u64()?).ok()
    }

    fn runners(&self) -> Vec<u32> {
        let runner = |number| {
            self.note(number)?["runner"]["pid"]
                .as_u64()?
                .try_into()
                .ok()
        };
        (0..AGENTS).filter_map(runner).collect()
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for cell in &self.cells {
            let cell = cell.file_name().unwrap_or_default();
            let agents = (1..=10).map(|number| format!("agent_{number:03}"));
            let mut stop = tools::mcell(self.field, &self.root);
            stop.arg("-c")
                .arg(cell)
                .args(["agent", "stop", "--now"])
                .args(agents);
            let _ = run(&mut stop);
        }
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Trouble::Failed(format!("{command:?}: {said}")))
}

/// KiB.
fn share_of_memory(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

fn spent(pid: u32) -> Option<Duration> {
    crate::measure::spent(pid).ok()
}

/// Another supervisor over a hundred folders of its kind. It ends, with all that it started, when this is dropped.
struct Other {
    child: Child,
    folder: PathBuf,
}

impl Other {
    fn start(field: &Field, name: &str) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let mut command = tools::other(name)?;
        let folder = field.scratch().join(name);
        for number in 0..AGENTS {
            let service = folder.join(format!("agent{number}"));
            std::fs::create_dir_all(&service)?;
            let script = service.join("run");
            std::fs::write(&script, "#!/bin/sh\nexec sleep 100000\n")?;
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
        }
        let child = command
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Other { child, folder })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // From the top: whoever starts something again is gone before what it would start.
        for pid in descendants(self.child.id()) {
            let _ = kill(pid);
        }
        let _ = self.child.wait();
    }
}

/// A process and all that it started, parents first.
fn descendants(first: u32) -> Vec<u32> {
    let names = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all: Vec<_> = pids
        .filter_map(|pid| mcell::base::process::Process::of(pid).ok()?)
        .collect();
    let mut found = vec![first];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let children = all.iter().filter(|one| one.parent.unsigned_abs() == parent);
        found.extend(children.map(|one| one.pid.unsigned_abs()));
        at += 1;
    }
    found
}

fn runit(field: &Field) -> Result<f64> {
    let other = Other::start(field, "runsvdir")?;
    let pid = |number: usize| {
        let file = other.folder.join(format!("agent{number}/supervise/pid"));
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    };
    wait_for_all(pid)?;
    kill_each(pid)
}

fn s6(field: &Field) -> Result<f64> {
    tools::other("s6-svstat")?;
    let other = Other::start(field, "s6-svscan")?;
    let pid = |number: usize| {
        let folder = other.folder.join(format!("agent{number}"));
        let said = Command::new("s6-svstat")
            .args(["-o", "pid"])
            .arg(folder)
            .output()
            .ok()?;
        let pid: i64 = String::from_utf8_lossy(&said.stdout).trim().parse().ok()?;
        u32::try_from(pid).ok()
    };
    wait_for_all(pid)?;
    kill_each(pid)
}

fn wait_for_all(pid: impl Fn(usize) -> Option<u32>) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !(0..AGENTS).all(|number| pid(number).is_some_and(|pid| pid > 0)) {
        if Instant::now() > end {
            return Err(Trouble::Failed(String::from("not all of its services run")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // What is killed in its first second waits for that second.
    std::thread::sleep(Duration::from_secs(2));
    Ok(())
}
