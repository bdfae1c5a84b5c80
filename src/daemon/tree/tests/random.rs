//! Random commands and random hands in the files: after each the tree is as the disk is.

use super::*;
use crate::base::ids::TaskId;
use crate::ops::{agent, cell, task};
use proptest::prelude::*;
use std::fs;
use std::fs::File;

/// Names small in number, so that they meet.
const CELLS: [&str; 3] = ["one", "two", "three"];
const FOLDERS: [&str; 6] = [
    "agents",
    "tasks",
    "config",
    ".mcell",
    ".mcell/run",
    ".mcell/agents",
];

#[derive(Clone, Debug)]
enum Deed {
    AddAgent,
    AddTask,
    Claim(u8, u8, bool),
    Complete(u8),
    PauseAgent(u8, bool),
    RemoveAgent(u8),
    PauseCell(bool),
    /// By hand: a cell, or one of its folders or files.
    MakeCell(usize),
    DropCell(usize),
    RenameCell(usize, usize),
    MakeFolder(usize),
    DropFolder(usize),
    /// Aside, or back.
    MoveFolder(usize),
    Write(u8, u8),
    Append(u8),
    Drop(u8),
    Replace(u8, u8),
    Link(u8),
    Begin(u8),
    End(u8),
    Beat(u8, u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let n = || 0..4_u8;
    let cell = || 0..CELLS.len();
    let folder = || 0..FOLDERS.len();
    let file = || 0..FILES as u8;
    let deed = prop_oneof![
        1 => Just(Deed::AddAgent),
        1 => Just(Deed::AddTask),
        3 => (n(), n(), any::<bool>()).prop_map(|(a, t, l)| Deed::Claim(a, t, l)),
        1 => n().prop_map(Deed::Complete),
        1 => (n(), any::<bool>()).prop_map(|(a, p)| Deed::PauseAgent(a, p)),
        1 => n().prop_map(Deed::RemoveAgent),
        1 => any::<bool>().prop_map(Deed::PauseCell),
        2 => cell().prop_map(Deed::MakeCell),
        1 => cell().prop_map(Deed::DropCell),
        2 => (cell(), cell()).prop_map(|(a, b)| Deed::RenameCell(a, b)),
        2 => folder().prop_map(Deed::MakeFolder),
        1 => folder().prop_map(Deed::DropFolder),
        2 => folder().prop_map(Deed::MoveFolder),
        4 => (file(), n()).prop_map(|(f, w)| Deed::Write(f, w)),
        1 => file().prop_map(Deed::Append),
        2 => file().prop_map(Deed::Drop),
        2 => (file(), n()).prop_map(|(f, w)| Deed::Replace(f, w)),
        1 => file().prop_map(Deed::Link),
        2 => n().prop_map(Deed::Begin),
        1 => n().prop_map(Deed::End),
        2 => (n(), 0..3_u64).prop_map(|(a, up)| Deed::Beat(a, up)),
    ];
    proptest::collection::vec(deed, 1..24)
}

const FILES: usize = 9;

fn file(number: u8) -> &'static str {
    [
        "cell.json",
        "agents/agent_001.json",
        "agents/agent_002.json",
        "tasks/task_001.json",
        "config/policies.json",
        ".mcell/fence",
        ".mcell/agents/agent_001.json",
        ".mcell/run/agent_001.json",
        "agents/stray",
    ]
    .get(usize::from(number))
    .copied()
    .unwrap_or("agents/other.json")
}

fn text(file: &str, number: u8) -> String {
    let stem = crate::mission::sheet::stem(file);
    match (number, file) {
        (0, _) => String::from("{"),
        (_, "cell.json") => cell_json("one").replace("By Hand", &format!("Number {number}")),
        (_, file) if file.starts_with("agents/") => {
            agent_json(stem).replacen("null", &format!("\"task_00{number}\""), 1)
        }
        (_, "config/policies.json") => format!("{{\"max_retries\": {number}}}"),
        (_, ".mcell/fence") => {
            format!("{{\"token\": {number}, \"wake\": \"2026-01-02T03:04:0{number}Z\"}}")
        }
        (1, ".mcell/agents/agent_001.json") => String::from("{\"wanted\": \"running\"}"),
        (_, ".mcell/agents/agent_001.json") => String::from("{\"wanted\": \"stopped\"}"),
        (_, ".mcell/run/agent_001.json") => format!("{{\"incarnation\": {number}}}"),
        _ => format!("{{\"number\": {number}}}"),
    }
}

fn agent_id(number: u8) -> AgentId {
    AgentId::new(format!("agent_00{}", number + 1)).unwrap()
}

struct Hands {
    yard: Yard,
    held: BTreeMap<u8, File>,
}

impl Hands {
    /// Does it as far as it can be done: a refusal, or nothing to do it to, is as good.
    fn carry_out(&mut self, deed: &Deed) {
        let yard = &mut self.yard;
        let root = yard.root();
        let cell_at = |number: usize| root.join(CELLS[number]);
        let folder_at = |yard: &Yard, number: usize| yard.path(FOLDERS[number]);
        match *deed {
            Deed::AddAgent
            | Deed::AddTask
            | Deed::Claim(..)
            | Deed::Complete(_)
            | Deed::PauseAgent(..)
            | Deed::RemoveAgent(_)
            | Deed::PauseCell(_) => self.command(deed),
            Deed::MakeCell(number) => {
                if !cell_at(number).exists() {
                    by_hand(&root, CELLS[number]);
                }
            }
            Deed::DropCell(number) => drop(fs::remove_dir_all(cell_at(number))),
            Deed::RenameCell(from, to) => drop(fs::rename(cell_at(from), cell_at(to))),
            Deed::MakeFolder(number) => drop(fs::create_dir_all(folder_at(yard, number))),
            Deed::DropFolder(number) => drop(fs::remove_dir_all(folder_at(yard, number))),
            Deed::MoveFolder(number) => {
                let (there, aside) = (
                    folder_at(yard, number),
                    root.join(format!(".aside-{number}")),
                );
                let _ = if there.exists() {
                    fs::rename(there, aside)
                } else {
                    fs::rename(aside, there)
                };
            }
            Deed::Write(at, number) => drop(fs::write(yard.path(file(at)), text(file(at), number))),
            Deed::Append(at) => {
                use std::io::Write;
                if let Ok(mut out) = File::options().append(true).open(yard.path(file(at))) {
                    out.write_all(b"\n").unwrap();
                }
            }
            Deed::Drop(at) => drop(fs::remove_file(yard.path(file(at)))),
            Deed::Replace(at, number) => {
                let temp = yard.path(".new.tmp");
                fs::write(&temp, text(file(at), number)).unwrap();
                let _ = fs::rename(&temp, yard.path(file(at)));
            }
            Deed::Link(at) => drop(std::os::unix::fs::symlink("/dev/null", yard.path(file(at)))),
            Deed::Begin(number) => {
                let lock = yard.path(&layout::run_lock(&agent_id(number)));
                let mut how = File::options();
                how.create(true).truncate(false).write(true);
                if let Ok(lock) = how.open(lock)
                    && crate::store::fs2::try_lock(&lock, true).unwrap()
                {
                    // The event of a beginning.
                    let note = yard.path(&layout::run_note(&agent_id(number)));
                    fs::write(note, "{\"incarnation\": 9}").unwrap();
                    self.held.insert(number, lock);
                }
            }
            Deed::End(number) => drop(self.held.remove(&number)),
            Deed::Beat(number, up) => {
                let beat = Beat {
                    up,
                    boot: None,
                    incarnation: None,
                    kind: crate::mission::beat::Kind::Heartbeat,
                    says: crate::mission::beat::Says::Lives,
                    status: None,
                    progress: None,
                    quiet_until: None,
                    metadata: serde_json::Map::new(),
                };
                let _ =
                    crate::store::beat::write(yard.world.cell.folder(), &agent_id(number), &beat);
            }
        }
    }

    fn command(&mut self, deed: &Deed) {
        let id = agent_id;
        let task_id = |number: u8| TaskId::new(format!("task_00{}", number + 1)).unwrap();
        let acting = match *deed {
            Deed::Claim(agent, ..) => Some(id(agent)),
            _ => None,
        };
        let (first, second) = match *deed {
            Deed::PauseAgent(agent, _) | Deed::RemoveAgent(agent) => (Some(id(agent)), None),
            Deed::Claim(_, task, _) | Deed::Complete(task) => (None, Some(task_id(task))),
            _ => (None, None),
        };
        let World {
            session,
            cell: open,
            ..
        } = &mut self.yard.world;
        session.agent = acting;
        let (session, open) = (&*session, &*open);
        match (deed, first, second) {
            (Deed::AddAgent, ..) => drop(agent::add(session, open, &new_agent())),
            (Deed::AddTask, ..) => drop(task::add(session, open, &new_task())),
            (Deed::Claim(_, _, lease), _, Some(task)) => {
                drop(task::claim(session, open, &task, lease.then_some(60)));
            }
            (Deed::Complete(_), _, Some(task)) => {
                drop(task::complete(
                    session,
                    open,
                    &task,
                    &task::Yield::default(),
                ));
            }
            (Deed::PauseAgent(_, true), Some(id), _) => {
                drop(agent::pause(session, open, &id, Some(60), None));
            }
            (Deed::PauseAgent(_, false), Some(id), _) => drop(agent::resume(session, open, &id)),
            (Deed::RemoveAgent(_), Some(id), _) => drop(agent::remove(session, open, &id)),
            (Deed::PauseCell(true), ..) => drop(cell::pause(session, open, None, None)),
            (Deed::PauseCell(false), ..) => drop(cell::resume(session, open)),
            _ => {}
        }
    }
}

fn new_agent() -> agent::NewAgent {
    agent::NewAgent {
        id: None,
        role: crate::mission::agent::Role::Write,
        name: None,
        capabilities: Vec::new(),
        gateway: None,
        run: None,
        template: None,
    }
}

fn new_task() -> task::NewTask {
    task::NewTask {
        title: String::from("Review"),
        ..task::NewTask::default()
    }
}

fn goes_well(deeds: &[Deed], most: usize) {
    let mut hands = Hands {
        yard: Yard::with_most(most),
        held: BTreeMap::new(),
    };
    for deed in deeds {
        hands.carry_out(deed);
        hands.yard.is_as_the_disk();
    }
}

#[test]
fn what_is_written_while_it_is_read_is_seen_in_the_end() {
    let mut yard = Yard::new();
    let root = yard.root();
    let cell_at = yard.path("");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let until = Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let is_over = || until.load(std::sync::atomic::Ordering::Relaxed);
        // At least one of each.
        for round in (0_u32..).take_while(|round| *round < 5 || !is_over()) {
            let name = format!("b{}", round % 7);
            let file = cell_at.join("agents").join(format!("{name}.json"));
            let temp = cell_at.join("agents/.b.tmp");
            fs::write(&temp, agent_json(&name).replace("Ada", &round.to_string())).unwrap();
            fs::rename(&temp, &file).unwrap();
            match round % 5 {
                0 => fs::remove_file(&file).unwrap(),
                1 => drop(by_hand(&root, &format!("cell-{round}"))),
                2 => fs::rename(root.join(format!("cell-{}", round - 1)), root.join("moved"))
                    .unwrap(),
                3 => fs::remove_dir_all(root.join("moved")).unwrap(),
                _ => fs::create_dir_all(cell_at.join(".mcell/run")).unwrap(),
            }
        }
    });
    for _ in 0..300 {
        yard.refresh();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    yard.is_as_the_disk();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_each_deed_the_tree_is_as_the_disk(deeds in deeds()) {
        goes_well(&deeds, usize::MAX);
    }

    #[test]
    fn also_where_there_are_few_watches(deeds in deeds(), most in 0..16_usize) {
        goes_well(&deeds, most);
    }
}
