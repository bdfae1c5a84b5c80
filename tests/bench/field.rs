//! Where the races are run: one generated root, and a scratch folder beside it on the same disk.

use crate::floor;
use crate::generate::{self, Recipe};
use crate::options::{Options, Size};
use crate::report::{Result, Trouble};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Linux's number for a file system that is memory only.
const TMPFS: i64 = 0x0102_1994;

/// What all races share.
pub struct Field {
    /// The root, if a race needs it.
    root: Option<PathBuf>,
    /// Whether we made the root and it has no faults.
    pub clean: bool,
    pub rounds: u32,
    /// How long a daemon at rest is watched.
    pub rest: Duration,
    scratch: PathBuf,
    keep: Keep,
    about: String,
}

/// What stays when the races are over.
struct Keep {
    root: bool,
    scratch: bool,
}

impl Field {
    /// Makes the scratch folder and, where a race needs it, the root.
    pub fn prepare(options: &Options) -> Result<Self> {
        let mut field = Self::bare(options)?;
        if options.needs_root() {
            let root = options
                .root
                .clone()
                .unwrap_or_else(|| field.scratch.join("root"));
            field.clean = generated(&root, &options.size)?;
            let root = root.canonicalize()?;
            let seen =
                floor::read(&root, 2).map_err(|error| format!("{}: {error}", root.display()))?;
            field.about = format!(
                "{}; {}",
                describe(&root, &options.size, field.clean, seen.files)?,
                field.about
            );
            field.root = Some(root);
        }
        Ok(field)
    }

    /// Makes the scratch folder.
    pub fn bare(options: &Options) -> Result<Self> {
        // Under target/, which lies on a real disk more often than /tmp does.
        let scratch =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("race-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        Ok(Self {
            root: None,
            clean: true,
            rounds: options.rounds,
            rest: Duration::from_secs(options.rest),
            keep: Keep {
                root: options.keep || options.root.is_some(),
                scratch: options.keep,
            },
            about: format!("{}, {}", machine(), file_system(&scratch)?),
            scratch,
        })
    }

    /// The big root. Asked for only by races for which `Options::needs_root` says yes.
    pub fn root(&self) -> &Path {
        self.root
            .as_deref()
            .expect("a race that said it needs the root")
    }

    /// A folder for this run's own files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// One line on what was measured where.
    pub fn about(&self) -> String {
        self.about.clone()
    }

    /// Refuses what has no meaning on a disk that is memory: fsync and a cold cache.
    pub fn needs_a_disk(&self, folder: &Path) -> Result<()> {
        if rustix::fs::statfs(folder)
            .map_err(std::io::Error::from)?
            .f_type as i64
            == TMPFS
        {
            return Err(Trouble::Skipped(
                "the folder is on tmpfs, where nothing is written to a disk".into(),
            ));
        }
        Ok(())
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        if self.keep.scratch {
            eprintln!("kept: {}", self.scratch.display());
        } else if let Err(error) = std::fs::remove_dir_all(&self.scratch) {
            eprintln!("could not remove {}: {error}", self.scratch.display());
        }
        if let (true, Some(root)) = (self.keep.root, &self.root) {
            eprintln!("the root is {}", root.display());
        }
    }
}

/// Makes the root, or takes the one that is there. Tells whether it is what `size` would give.
fn generated(root: &Path, size: &Size) -> Result<bool> {
    let recipe = Recipe::of(size.clone(), 0.0);
    let note = root.join(generate::NOTE);
    if root
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        let same = std::fs::read_to_string(note).is_ok_and(|note| note == recipe.note());
        eprintln!(
            "taking {} as it is{}",
            root.display(),
            if same {
                ""
            } else {
                ": other content than asked for"
            }
        );
        return Ok(same);
    }
    eprintln!("generating {} cells", size.cells);
    generate::root(root, &recipe, 2)?;
    // Or the kernel would write a gigabyte back while the clock runs.
    rustix::fs::sync();
    Ok(true)
}

fn describe(root: &Path, size: &Size, ours: bool, files: usize) -> Result<String> {
    if ours {
        return Ok(format!(
            "{} cells × {} agents × {} tasks, {files} JSON files",
            size.cells, size.agents, size.tasks
        ));
    }
    let cells = root
        .read_dir()?
        .flatten()
        .filter(|entry| entry.path().join("cell.json").exists())
        .count();
    Ok(format!(
        "a root of {cells} cells, {files} JSON files, not generated for this run"
    ))
}

fn machine() -> String {
    let kernel = rustix::system::uname();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let release = kernel.release().to_string_lossy().into_owned();
    format!(
        "mcell {}; {cores} cores, Linux {release}",
        env!("CARGO_PKG_VERSION")
    )
}

fn file_system(folder: &Path) -> Result<String> {
    let number = rustix::fs::statfs(folder)
        .map_err(std::io::Error::from)?
        .f_type as i64;
    Ok(match number {
        TMPFS => "tmpfs".into(),
        0xEF53 => "ext4".into(),
        0x5846_5342 => "xfs".into(),
        0x9123_683E => "btrfs".into(),
        0x794C_7630 => "overlayfs".into(),
        other => format!("file system {other:#x}"),
    })
}
