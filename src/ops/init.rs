//! Makes a cell.

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::mission::cell::Cell;
use crate::mission::isolation::Level;
use crate::mission::policy::AutoRevive;
use crate::ops::find::RootChoice;
use crate::ops::session::Session;
use crate::ops::template;
use crate::store::cell::OpenCell;
use crate::store::journal::Line;
use crate::store::layout;
use crate::store::root::{NewFile, Root};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What a new cell shall be. What is none comes from the template.
#[derive(Clone, Debug, Default)]
pub struct NewCell {
    /// The mission's name.
    pub name: String,
    /// Its id; a random one if not said.
    pub id: Option<CellId>,
    /// Who makes it; who types if not said.
    pub created_by: Option<String>,
    /// The isolation level.
    pub isolation: Option<Level>,
    /// The most agents.
    pub max_agents: Option<u64>,
    /// Seconds the mission may take.
    pub timeout: Option<u64>,
    /// Whether dead agents are brought back.
    pub auto_revive: Option<AutoRevive>,
    /// A template, or a folder of them.
    pub template: Option<PathBuf>,
    /// A cell whose agents, tasks and settings are taken over, as they were at its start.
    pub like: Option<String>,
}

/// Makes the root's folder. Only where `init` was told to.
#[allow(
    clippy::disallowed_methods,
    reason = "a root is made by whoever runs mcell, with their umask"
)]
pub fn make_root(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::storage(format_args!("make the root {}", path.display()), error)
    };
    let is_new = |folder: &&Path| folder.symlink_metadata().is_err();
    let made: Vec<&Path> = path.ancestors().take_while(is_new).collect();
    std::fs::create_dir_all(path).map_err(failed)?;
    // The names of new folders must outlast a power cut as the cell in them does.
    for parent in made.into_iter().filter_map(Path::parent) {
        let folder = std::fs::File::open(parent).map_err(failed)?;
        folder.sync_all().map_err(failed)?;
    }
    Ok(())
}

/// The root that is meant, made if it can be made. An error with both ways out if not.
pub fn root_for_init(session: &Session) -> Result<Root> {
    let choice = session.root_choice()?;
    match Root::open(&choice.path) {
        Err(error) if error.kind() == Kind::NotFound => {}
        opened => return opened,
    }
    match make_root(&choice.path) {
        Ok(()) => Root::open(&choice.path),
        Err(error) => Err(no_root(&choice, &error)),
    }
}

/// Says that the root cannot be made, and the two ways out.
pub fn no_root(choice: &RootChoice, error: &Error) -> Error {
    let path = choice.path.display();
    Error::new(Kind::Storage, error.message())
        .hint(format!("make it once: `{}`", sudo_line(&choice.path)))
        .hint(format!("or keep missions in your home: `mcell --root ~/missions init NAME` ({path} was chosen by {})", choice.why))
}

/// The command that makes a root for the operators of a group.
pub fn sudo_line(path: &Path) -> String {
    format!(
        "sudo install -d -m 2770 -g \"$(id -gn)\" {}",
        path.display()
    )
}

/// Makes a cell and gives it as it is on disk.
pub fn init(session: &Session, root: &Root, new: &NewCell) -> Result<(OpenCell, Cell)> {
    session.require_operator("make a cell")?;
    let now = session.env.clock.now();
    let id = new.id.clone().unwrap_or_else(CellId::random);
    if !crate::base::ids::is_uuid(id.as_str()) {
        return Err(Error::usage(format!("`{id}` is not a UUID"))
            .hint("leave `--id` out for a new one, or take one from `uuidgen`"));
    }
    let created_by = new.created_by.clone().unwrap_or_else(|| session.actor());
    let mut members: Vec<(&str, Value)> = vec![
        ("cell_id", id.as_str().into()),
        ("mission_name", new.name.as_str().into()),
        ("created_at", now.to_string().into()),
        ("created_by", created_by.into()),
        ("status", "active".into()),
    ];
    if let Some(level) = new.isolation {
        members.push(("isolation_level", level.word().into()));
    }
    if let Some(most) = new.max_agents {
        members.push(("max_agents", most.into()));
    }
    if let Some(seconds) = new.timeout {
        members.push(("timeout", seconds.into()));
    }
    if let Some(revive) = new.auto_revive {
        let revive = serde_json::to_value(revive).map_err(|error| Error::bug(error.to_string()))?;
        members.push(("policies/auto_revive", revive));
    }
    let (template, mut files) = match &new.like {
        None => (
            template::find(session, "cell", new.template.as_deref())?,
            Vec::new(),
        ),
        Some(like) => like_cell(session, like, now, new.isolation)?,
    };
    let (cell, text) = template::fill::<Cell>(&template, members)?;
    files.insert(
        0,
        NewFile {
            file: String::from(layout::CELL),
            text,
        },
    );
    let line = Line {
        at: now,
        by: session.actor(),
        act: String::from("init"),
        what: format!(
            "made the cell {}",
            crate::base::text::shown(&cell.mission_name)
        ),
        why: None,
        request: None,
        token: None,
        files: Vec::new(),
        prev: String::new(),
    };
    let held = root.lock(session.wait("init")?)?;
    let open = root.make_cell(&held, &id, &files, line)?;
    Ok((open, cell))
}

/// The files of another cell as they were at its start: agents idle, tasks pending, nobody's checkpoint.
fn like_cell(
    session: &Session,
    like: &str,
    now: crate::base::clock::Time,
    isolation: Option<Level>,
) -> Result<(template::Template, Vec<NewFile>)> {
    let other = session.open_named(like)?;
    let _view = other.view()?;
    let text = other
        .folder()
        .read(layout::CELL)?
        .ok_or_else(|| other.no_cell())?;
    let name = other.folder().path_of(layout::CELL).display().to_string();
    let mut files = Vec::new();
    let mut take =
        |file: String, members: Vec<(&'static str, Value)>, gone: &[&str]| -> Result<()> {
            if let Some(text) = other.folder().read(&file)? {
                files.push(NewFile {
                    text: restarted(&file, &text, members, gone)?,
                    file,
                });
            }
            Ok(())
        };
    for id in other.agent_ids()? {
        let members = vec![
            ("status", "idle".into()),
            ("current_task", Value::Null),
            ("checkpoint", Value::Null),
        ];
        take(layout::agent(&id), members, &["paused_until"])?;
    }
    for id in other.task_ids()? {
        let members = vec![
            ("status", "pending".into()),
            ("created_at", now.to_string().into()),
            ("completed_at", Value::Null),
        ];
        take(
            layout::task(&id),
            members,
            &["started_at", "attempts", "claim", "result"],
        )?;
    }
    let level = isolation
        .map(|level| vec![("level", level.word().into())])
        .unwrap_or_default();
    take(String::from(layout::ISOLATION), level, &[])?;
    take(String::from(layout::POLICIES), Vec::new(), &[])?;
    take(String::from(layout::PERMISSIONS), Vec::new(), &[])?;
    let template = template::Template {
        name: name.clone(),
        text: restarted(
            &name,
            &text,
            Vec::new(),
            &["paused_until", "paused_seconds"],
        )?,
    };
    Ok((template, files))
}

fn restarted(
    file: &str,
    text: &[u8],
    members: Vec<(&str, Value)>,
    gone: &[&str],
) -> Result<Vec<u8>> {
    use crate::base::document::{Document, Edit, splice};
    let document = Document::parse(text)
        .map_err(|fault| Error::malformed(format!("{file} is not JSON: {fault}")))?;
    let set = members.into_iter().map(|(member, value)| Edit::Set {
        pointer: format!("/{member}"),
        value,
    });
    let removed = gone.iter().map(|member| Edit::Remove {
        pointer: format!("/{member}"),
    });
    let edits: Vec<Edit> = set.chain(removed).collect();
    let spliced =
        splice(&document, &edits).map_err(|error| Error::malformed(format!("{file}: {error}")))?;
    Ok(spliced.into_bytes())
}
