//! What one can do with the isolation of a cell.

use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::mission::amount::{Bytes, Cores};
use crate::mission::cell::Cell;
use crate::mission::isolation::{Isolation, Level, effective_level};
use crate::ops::session::Session;
use crate::ops::set::{self, Assignment, Protected};
use crate::store::cell::OpenCell;
use crate::store::layout;
use std::path::{Component, Path, PathBuf};

/// The isolation of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The level that counts: the stricter one, where two are stated.
    pub level: Level,
    /// What cell.json says.
    pub in_cell: Level,
    /// What config/isolation.json says, if it is there.
    pub in_config: Option<Level>,
    /// What config/isolation.json says, else what the level means.
    pub isolation: Isolation,
}

impl Shown {
    fn of(cell: &Cell, config: Option<Isolation>) -> Self {
        let in_config = config.as_ref().map(|config| config.level);
        let level = effective_level(cell.isolation_level, in_config);
        Shown {
            level,
            in_cell: cell.isolation_level,
            in_config,
            isolation: config.unwrap_or_else(|| Isolation::of_level(level)),
        }
    }

    /// The file that states the level that counts.
    pub fn source(&self) -> &'static str {
        match self.in_config {
            Some(config) if config > self.in_cell => layout::ISOLATION,
            _ => layout::CELL,
        }
    }

    /// Tells whether agents see a file tree of their own.
    pub fn has_mount_namespace(&self) -> bool {
        self.level.has_mount_namespace() || self.isolation.has_mount_namespace()
    }
}

/// The isolation of a cell.
pub fn show(cell: &OpenCell) -> Result<Shown> {
    let _view = cell.view()?;
    Ok(Shown::of(&cell.cell()?, cell.isolation()?))
}

/// What shall be: the level, and fields of config/isolation.json, with short names for those within.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The level, written to both files.
    pub level: Option<Level>,
    /// Fields: `cpu` for `resource_limits.cpu`, `user` for `security_context.user`, …
    pub fields: Vec<Assignment>,
}

const LEVEL: &Protected<'_> = &[(
    "level",
    "say it as `mcell isolation set LEVEL`, which keeps both files the same",
)];

/// Sets the isolation of a cell, in every file that states it, in one commit. Gives it as it was and as it is.
pub fn set(session: &Session, cell: &OpenCell, wanted: &Wanted) -> Result<(Shown, Shown)> {
    session.require_operator("set the isolation")?;
    let fields: Vec<Assignment> = wanted
        .fields
        .iter()
        .map(|field| normal(session, cell, field))
        .collect::<Result<_>>()?;
    let mut writing = session.write(cell, "isolation set")?;
    let mut mission: Cell = writing.read(layout::CELL)?.ok_or_else(|| cell.no_cell())?;
    let mut config: Option<Isolation> = writing.read(layout::ISOLATION)?;
    let before = Shown::of(&mission, config.clone());
    if let Some(level) = wanted.level {
        mission.isolation_level = level;
        writing.put(layout::CELL, &mission)?;
    }
    // Without further fields cell.json alone says it, as after `init`.
    let is_new = config.is_none() && fields.iter().any(|field| field.value.is_some());
    if config.is_some() || is_new {
        let mut stated = config
            .take()
            .unwrap_or_else(|| Isolation::of_level(mission.isolation_level));
        stated.level = wanted.level.unwrap_or(stated.level);
        writing.put(layout::ISOLATION, &stated)?;
        if !fields.is_empty() {
            stated = set::apply::<Isolation>(&mut writing, layout::ISOLATION, &fields, LEVEL)?.0;
        }
        config = Some(stated);
    }
    let mut said: Vec<String> = Vec::new();
    said.extend(
        wanted
            .level
            .map(|level| format!("level to {}", level.word())),
    );
    if !fields.is_empty() {
        said.push(set::named(&fields));
    }
    writing.commit(&format!("set the isolation: {}", said.join(", ")))?;
    Ok((before, Shown::of(&mission, config)))
}

/// A field by its whole name, and its value as the fleet writes it.
fn normal(session: &Session, cell: &OpenCell, field: &Assignment) -> Result<Assignment> {
    let typed = field.name.replace('-', "_");
    let name = match typed.as_str() {
        "cpu" | "memory" | "disk" => format!("resource_limits.{typed}"),
        "user" | "group" | "capabilities" => format!("security_context.{typed}"),
        "isolation_level" => String::from("level"),
        _ => typed.clone(),
    };
    let amount = |error: crate::mission::amount::AmountError| Error::usage(error.to_string());
    let value = match (&field.value, name.as_str()) {
        (None, _) => None,
        (Some(text), "resource_limits.cpu") => {
            Some(text.parse::<Cores>().map_err(amount)?.to_string())
        }
        (Some(text), "resource_limits.memory" | "resource_limits.disk") => {
            Some(text.parse::<Bytes>().map_err(amount)?.to_string())
        }
        (Some(text), "security_context.capabilities") => Some(capabilities(text)),
        (Some(text), "read_only_paths" | "writable_paths") => {
            for path in paths(text) {
                require_outside(session, cell, &path)?;
            }
            Some(text.clone())
        }
        (Some(text), _) => Some(text.clone()),
    };
    Ok(Assignment { name, value })
}

/// Capabilities as the files name them: in capitals, without `CAP_`.
fn capabilities(text: &str) -> String {
    let one = |name: &str| {
        let upper = name.trim().to_uppercase();
        upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
    };
    // A JSON list stays one; whether its words are sound is for the shape to say.
    if text.trim_start().starts_with('[') {
        return text.to_owned();
    }
    text.split(',').map(one).collect::<Vec<_>>().join(",")
}

/// The paths of a list as `set` takes it: a JSON list, or words with commas between.
fn paths(text: &str) -> Vec<String> {
    if text.trim_start().starts_with('[') {
        // What is no list of texts is refused by its shape later.
        return serde_json::from_str(text).unwrap_or_default();
    }
    text.split(',').map(|path| path.trim().to_owned()).collect()
}

/// Refuses a path by which agents could reach missions that are not theirs, or mcell's own files.
fn require_outside(session: &Session, cell: &OpenCell, text: &str) -> Result<()> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(
            Error::usage(format!("the path `{}` is not absolute", shown(text))).hint(format!(
                "is `{}` meant?",
                session.env.resolve(path).display()
            )),
        );
    }
    if path
        .components()
        .any(|part| matches!(part, Component::ParentDir))
    {
        return Err(
            Error::usage(format!("the path `{}` has `..` in it", shown(text)))
                .hint("say where it leads"),
        );
    }
    let root = cell.path().parent().unwrap_or_else(|| Path::new("/"));
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    // As it is written, and where its links lead.
    for path in [path.to_path_buf(), real(path)] {
        let why = if root.starts_with(&path) {
            format!("the root of all missions, {}, lies in it", root.display())
        } else if !path.starts_with(&root) {
            continue;
        } else if path.starts_with(root.join(layout::RUNTIME)) {
            String::from("it is mcell's own")
        } else if path.starts_with(root.join(cell.id().as_str())) {
            String::from("it lies in this cell, of which agents see what their role allows")
        } else {
            format!("it lies in {}, where all missions are", root.display())
        };
        return Err(
            Error::refused(format!("agents cannot be given {}: {why}", shown(text))).hint(
                "name a folder outside of the root; files for the mission belong under artifacts/",
            ),
        );
    }
    Ok(())
}

/// Where a path leads: links resolved as far as it is there.
fn real(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (there.canonicalize(), path.strip_prefix(there)) {
            return real.join(rest);
        }
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Kind;
    use crate::ops::world::World;

    fn change(world: &World, level: Option<Level>, words: &[&str]) -> Result<(Shown, Shown)> {
        let wanted = Wanted {
            level,
            fields: words.iter().map(|word| word.parse().unwrap()).collect(),
        };
        set(&world.session, &world.cell, &wanted)
    }

    #[test]
    fn the_level_stands_in_both_files_or_in_cell_json_alone() {
        let world = World::new();
        change(&world, Some(Level::Mount), &[]).unwrap();
        assert!(world.cell.isolation().unwrap().is_none());
        change(&world, None, &["cpu=2"]).unwrap();
        let before = world.journal().len();
        let (was, is) = change(&world, Some(Level::Process), &[]).unwrap();
        assert_eq!((was.level, is.level), (Level::Mount, Level::Process));
        assert_eq!(
            (is.in_cell, is.in_config),
            (Level::Process, Some(Level::Process))
        );
        assert_eq!(world.journal().len(), before + 1);
        assert_eq!(show(&world.cell).unwrap(), is);
    }

    #[test]
    fn amounts_are_written_as_the_fleet_writes_them() {
        let world = World::new();
        let words = ["cpu=2", "memory=4096M", "capabilities=cap_net_raw,KILL"];
        let (_, is) = change(&world, None, &words).unwrap();
        let limits = is.isolation.resource_limits.unwrap();
        assert_eq!(limits.cpu.as_deref(), Some("2 cores"));
        assert_eq!(limits.memory.as_deref(), Some("4GiB"));
        let context = is.isolation.security_context.unwrap();
        assert_eq!(context.capabilities, ["NET_RAW", "KILL"]);
        let (_, is) = change(&world, None, &["cpu=", "network_isolation=on"]).unwrap();
        assert_eq!(is.isolation.resource_limits.unwrap().cpu, None);
        assert_eq!(is.isolation.network_isolation, Some(true));
        for wrong in ["cpu=lots", "capabilities=FLY", "level=level_9"] {
            assert!(change(&world, None, &[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_path_leads_to_the_root_to_mcell_or_to_another_cell() {
        let world = World::new();
        let root = world.root().path().to_path_buf();
        let outside = tempfile::TempDir::new().unwrap();
        let link = outside.path().join("link");
        std::os::unix::fs::symlink(&root, &link).unwrap();
        let within = |name: &str| root.join(name).display().to_string();
        for path in [
            String::from("/"),
            root.display().to_string(),
            within(".mcell/trash"),
            within("other-cell"),
            within(world.cell.id().as_str()),
            link.join("other").display().to_string(),
        ] {
            for field in ["writable_paths", "read_only_paths"] {
                let refused = change(&world, None, &[&format!("{field}={path}")]).unwrap_err();
                assert_eq!(refused.kind(), Kind::Refused, "{path}");
            }
        }
        for path in ["data", "/srv/../var"] {
            let refused = change(&world, None, &[&format!("writable_paths={path}")]).unwrap_err();
            assert_eq!(refused.kind(), Kind::Usage);
        }
        assert!(world.cell.isolation().unwrap().is_none());
        let field = format!("writable_paths={}", outside.path().display());
        let (_, is) = change(&world, None, &[&field, "image=fleet:1"]).unwrap();
        assert_eq!(is.isolation.writable_paths.len(), 1);
    }
}
