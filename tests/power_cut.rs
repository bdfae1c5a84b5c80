//! The power goes while commands write: what was said to be done is there.
//!
//! The file system is shut down under the writers without a flush (FS_IOC_SHUTDOWN), as if the disk were unplugged, and
//! mounted again. The system itself runs on, so the lock's note, which is not fsynced, may well say that nothing lies half
//! done.

use crate::mount::{Mount, may_mount, run};
use crate::world::{MCELL, World, lacks, require};
use crate::{fleet, sound};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// FS_IOC_SHUTDOWN of linux/fs.h.
const SHUTDOWN: rustix::ioctl::Opcode = 0x8004_587d;
/// Do not even flush the log.
const NO_LOG_FLUSH: u32 = 2;

/// Cuts the file system off, as it is on the disk.
#[allow(
    unsafe_code,
    reason = "the system has no other word for a power cut; the call reads one number"
)]
fn cut(place: &Path) -> rustix::io::Result<()> {
    let folder = std::fs::File::open(place).expect("the file system");
    // SAFETY: the opcode reads one u32, and that is what it is given.
    let order = unsafe { rustix::ioctl::Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH) };
    // SAFETY: as above.
    unsafe { rustix::ioctl::ioctl(&folder, order) }
}

#[test]
fn what_exited_0_before_the_power_went_is_there_afterwards() {
    if !require("mkfs.ext4") || !may_mount() {
        return;
    }
    let mut world = World::new();
    let image = world.place().join("disk");
    let disk = std::fs::File::create(&image).expect("an image");
    disk.set_len(64 << 20).expect("64 MiB");
    run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)).expect("mkfs.ext4");
    let place = world.place().join("mounted");
    let image = image.display().to_string();
    let mount = || Mount::new(&place, &["-o", "loop", &image]);
    let mut mounted = match mount() {
        Ok(mounted) => mounted,
        Err(error) => {
            lacks("loop", &format!("no loop device can be mounted: {error}"));
            return;
        }
    };
    let root = mounted.place().join("missions");
    world.set("MCELL_ROOT", &root);
    let first = world.mcell("init -q First").ok().datum().to_owned();
    if let Err(error) = cut(mounted.place()) {
        lacks(
            "loop",
            &format!("this file system cannot be shut down: {error}"),
        );
        return;
    }
    let mut said = BTreeSet::from([format!("{first}/cell.json")]);
    for round in 0..4 {
        drop(mounted);
        mounted = mount().expect("mounted again");
        let found: BTreeSet<String> = fleet::sound(&root).into_keys().collect();
        let lost: Vec<&String> = said.difference(&found).collect();
        assert!(lost.is_empty(), "round {round}: exit 0, and gone: {lost:?}");
        // The next command in each cell needs no help, and finishes what was written down.
        for cell in fleet::names(&root).expect("the root") {
            if !cell.starts_with('.') {
                let line = format!("-c {cell} add-task -q After");
                let task = world.mcell(&line).ok().datum().to_owned();
                said.insert(format!("{cell}/tasks/{task}.json"));
            }
        }
        let made = world.mcell("init -q Another").ok();
        said.insert(format!("{}/cell.json", made.datum()));
        assert_eq!(sound::flaws(&root), Vec::<String>::new(), "round {round}");
        said.extend(write_until_cut(&world, &first, &mounted, 15 + 10 * round));
    }
}

/// Lets four write until `enough` acts are done, cuts the power, and gives what was said to be done.
fn write_until_cut(world: &World, cell: &str, mounted: &Mount, enough: usize) -> Vec<String> {
    let done = Mutex::new(Vec::new());
    let number = AtomicUsize::new(0);
    let writers = [
        format!("while mcell -c {cell} add-task -q Work; do :; done"),
        format!("while mcell -c {cell} add-task -q Work --priority high; do :; done"),
        format!(
            "mcell -c {cell} add-agent -q --role read; while mcell -c {cell} add-task -q Work; do :; done"
        ),
        String::from("while mcell init -q More; do :; done"),
    ];
    std::thread::scope(|threads| {
        for line in &writers {
            let mut command = world.command("sh");
            command
                .args(["-c", line])
                .env("MCELL_LOCK_TIMEOUT", "30")
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            let mut writer = command.spawn().expect("a writer");
            let (done, number) = (&done, &number);
            threads.spawn(move || {
                let out = writer.stdout.take().expect("its output");
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    let file = match line.split_once('_') {
                        Some(("task", _)) => format!("{cell}/tasks/{line}.json"),
                        Some(_) => format!("{cell}/agents/{line}.json"),
                        None => format!("{line}/cell.json"),
                    };
                    done.lock().expect("a list").push(file);
                    let now = number.fetch_add(1, Ordering::AcqRel);
                    if now + 1 == enough {
                        cut(mounted.place()).expect("the power goes");
                    }
                }
                let _ = writer.wait();
            });
        }
    });
    assert!(
        number.load(Ordering::Acquire) >= enough,
        "the writers gave up"
    );
    done.into_inner().expect("a list")
}

#[test]
fn the_program_under_test_is_the_one_in_the_path_of_its_world() {
    let world = World::new();
    let found = world.shell("command -v mcell").ok();
    assert_eq!(found.datum(), MCELL);
}
