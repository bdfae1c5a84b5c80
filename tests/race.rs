//! Many at once: ids, limits and what readers see.

use crate::fleet::{self, Files};
use crate::sound;
use crate::swept::share;
use crate::world::{MCELL, World, lacks, require};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Reads a root as a tool of the fleet does, over and over, until told to stop: no file is torn, none goes missing, and
/// none changes. Gives how often it went through.
fn read_until(root: &Path, done: &AtomicBool) -> usize {
    let mut before = Files::new();
    let mut rounds = 0;
    loop {
        // Asked before: the last round sees the end.
        let is_last = done.load(Ordering::Acquire);
        let found = fleet::sound(root);
        for (name, text) in &before {
            let now = found.get(name);
            assert!(now == Some(text), "{name} went missing or changed");
        }
        before = found;
        rounds += 1;
        if is_last {
            return rounds;
        }
    }
}

/// Runs these commands all at once.
fn at_once(commands: Vec<Command>) -> Vec<Output> {
    let children: Vec<Child> = commands
        .into_iter()
        .map(|mut command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("mcell starts")
        })
        .collect();
    let ended = children.into_iter().map(Child::wait_with_output);
    ended.map(|output| output.expect("mcell ends")).collect()
}

/// The ids that were printed by those that ended with 0.
fn given(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .collect()
}

#[test]
fn of_500_who_add_a_task_at_once_each_gets_its_own_id_and_none_is_lost() {
    let world = World::with_cell("Example");
    let (root, done) = (world.root(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        let readers = [(); 2].map(|()| threads.spawn(|| read_until(&root, &done)));
        let adders = (0..500).map(|number| {
            let mut command = world.command(MCELL);
            command.args(["-q", "add-task", &format!("Task {number}")]);
            command
        });
        let outputs = at_once(adders.collect());
        done.store(true, Ordering::Release);
        for output in &outputs {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}", output.status);
        }
        let ids: BTreeSet<String> = given(&outputs).into_iter().collect();
        let wanted: BTreeSet<String> = (1..=500)
            .map(|number| format!("task_{number:03}"))
            .collect();
        assert_eq!(ids, wanted);
        for reader in readers {
            assert!(reader.join().expect("a reader") > 1);
        }
    });
    let titles: BTreeSet<String> = fleet::sound(&root)
        .iter()
        .filter(|(name, _)| name.contains("/tasks/"))
        .map(|(_, text)| {
            let task: serde_json::Value = serde_json::from_slice(text).expect("JSON");
            task["title"].as_str().expect("a title").to_owned()
        })
        .collect();
    assert_eq!(titles.len(), 500, "a task was lost");
    assert_eq!(sound::flaws(&root), Vec::<String>::new());
}

#[test]
fn of_100_who_add_an_agent_at_once_exactly_as_many_get_in_as_may() {
    let world = World::new();
    world.mcell("init Example --max-agents 60").ok();
    let (root, done) = (world.root(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| read_until(&root, &done));
        let adders = (0..100).map(|_| {
            let mut command = world.command(MCELL);
            command.args(["-q", "add-agent", "--role", "write"]);
            command
        });
        let outputs = at_once(adders.collect());
        done.store(true, Ordering::Release);
        let ids: BTreeSet<String> = given(&outputs).into_iter().collect();
        let wanted: BTreeSet<String> = (1..=60)
            .map(|number| format!("agent_{number:03}"))
            .collect();
        assert_eq!(ids, wanted);
        let refused: Vec<&Output> = outputs
            .iter()
            .filter(|output| output.status.code() == Some(5))
            .collect();
        assert_eq!(refused.len(), 40);
        for output in refused {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("may have 60"), "{said}");
        }
        reader.join().expect("a reader");
    });
    assert_eq!(sound::flaws(&root), Vec::<String>::new());
}

/// Says that all is done when the last one ends, however it ends.
struct Ends<'a>(&'a AtomicUsize, &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        if self.0.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.1.store(true, Ordering::Release);
        }
    }
}

#[test]
fn a_reader_that_knows_only_the_fleet_sees_no_fault_while_8_write() {
    let world = World::new();
    let cells: Vec<String> = (0..8)
        .map(|number| {
            let made = world.mcell(&format!("init -q 'Mission {number}'")).ok();
            made.datum().to_owned()
        })
        .collect();
    let (root, done) = (world.root(), AtomicBool::new(false));
    let (writing, world) = (AtomicUsize::new(cells.len()), &world);
    std::thread::scope(|threads| {
        for cell in &cells {
            let ends = Ends(&writing, &done);
            threads.spawn(move || {
                let _ends = ends;
                for number in 0..15 {
                    let line = match number % 3 {
                        0 => format!("-c {cell} add-agent --role write"),
                        _ => format!("-c {cell} add-task 'Task {number}'"),
                    };
                    world.mcell(&line).ok();
                }
            });
        }
        // What mcell itself shows of a root in change: no error, and never fewer cells.
        threads.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let scan = world.mcell("scan --json").ok().json();
                assert_eq!(scan["cells"].as_array().map(Vec::len), Some(8), "{scan}");
                world.mcell("task list --json").ok();
            }
        });
        assert!(read_until(&root, &done) > 1);
    });
    // cell.json, 5 agents and 10 tasks each.
    assert_eq!(fleet::sound(&root).len(), 8 * 16);
    assert_eq!(sound::flaws(&root), Vec::<String>::new());
}

/// A process that is ended when the test is over, however it ends.
struct Stopped {
    tracer: Child,
    pid: Option<rustix::process::Pid>,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.tracer.kill();
        let _ = self.tracer.wait();
    }
}

/// Waits until something is there, for 20 s at most.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "it did not happen in time {what}"
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_stopped_holder_of_the_lock_is_named_in_time_and_what_it_left_is_mended() {
    if !require("strace") {
        return;
    }
    let mut world = World::with_cell("Example");
    let cell = world.cell();
    // The first writer makes the lock, which takes a few fsyncs.
    world.mcell("add-task First").ok();
    // Stopped at its second fsync, of the journal: its temp and its line are written.
    let mut command = world.command("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "--trace=fsync"]);
    command.args([
        "--inject=fsync:signal=SIGSTOP:when=2",
        MCELL,
        "add-task",
        "Stopped",
    ]);
    let tracer = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("strace starts");
    let mut holder = Stopped { tracer, pid: None };
    let pid: i32 = wait_for("that the lock is taken", || {
        let note = std::fs::read_to_string(cell.join(".mcell/lock")).ok()?;
        let note: serde_json::Value = serde_json::from_str(note.trim()).ok()?;
        i32::try_from(note["pid"].as_i64()?).ok()
    });
    holder.pid = rustix::process::Pid::from_raw(pid);
    let journal = || std::fs::read_to_string(cell.join("logs/journal.jsonl")).expect("a journal");
    wait_for("that its holder stops", || {
        let about = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let is_stopped = about.contains(") T") || about.contains(") t");
        (is_stopped && journal().contains("Stopped")).then_some(())
    });
    let before = journal();
    world.set("MCELL_LOCK_TIMEOUT", "1");
    let started = Instant::now();
    world
        .mcell("add-task Waiting")
        .code(6)
        .says(&format!("is held by pid {pid} ("))
        .says("MCELL_LOCK_TIMEOUT");
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_secs(1) && waited < Duration::from_secs(5),
        "{waited:?}"
    );
    assert_eq!(journal(), before);
    // Readers wait for nobody.
    fleet::sound(&world.root());
    drop(holder);
    world.set("MCELL_LOCK_TIMEOUT", "10");
    // What was written down is finished by the next: it has its task, and the next has its own.
    world
        .mcell("add-task After")
        .ok()
        .shows("Added task_003")
        .says("finished what a crash cut short");
    assert_eq!(sound::flaws(&world.root()), Vec::<String>::new());
}

#[test]
fn two_operators_of_one_group_share_a_root() {
    const GROUP: u32 = 61_000;
    if !require("setpriv") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        lacks("root", "only root may become two operators");
        return;
    }
    let world = World::new();
    let (place, root) = (world.place(), world.root());
    std::os::unix::fs::chown(&root, None, Some(GROUP)).expect("chgrp");
    share(&root);
    let open = |path: &Path| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("chmod");
    };
    open(&place);
    // The program may lie where only its builder looks.
    let program = place.join("mcell");
    std::fs::copy(MCELL, &program).expect("a copy");
    open(&program);
    let run = |user: u32, words: &[&str]| {
        // A mask that closes everything: rights come from the root, not from the one who types.
        let output = world
            .command("sh")
            .current_dir("/")
            .args(["-c", "umask 077; exec \"$@\"", "sh", "setpriv"])
            .args([format!("--reuid={user}"), format!("--regid={user}")])
            .args([format!("--groups={GROUP}")])
            .arg(&program)
            .args(words)
            .output()
            .expect("setpriv runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{user} {words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let users = [61_001, 61_002];
    let cells = users.map(|user| run(user, &["init", "-q", "Shared"]));
    for _ in 0..2 {
        for cell in &cells {
            for user in users {
                run(user, &["-c", cell, "add-agent", "--role", "write"]);
                run(user, &["-c", cell, "add-task", "Together"]);
            }
        }
    }
    assert_eq!(fleet::sound(&root).len(), 2 * 9);
    assert_eq!(sound::flaws(&root), Vec::<String>::new());
    for path in fleet::walk(&root) {
        use std::os::unix::fs::MetadataExt;
        let about = path.symlink_metadata().expect("it is there");
        let wanted = if about.is_dir() { 0o2770 } else { 0o660 };
        let found = (about.gid(), about.mode() & 0o7777);
        assert_eq!(found, (GROUP, wanted), "{}", path.display());
    }
}
