//! Artifacts: what comes of the work, how it is named, and what the cell notes of each (docs/artifact.md).

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::mission::agent::Role;
use crate::mission::amount::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sort of an artifact: the folder of `artifacts/` in which it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What runs, and whatever is neither of the others.
    Code,
    /// What people read.
    Docs,
    /// What a tool found: results, logs, tables.
    Reports,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Code, Kind::Docs, Kind::Reports];

    /// The word, and the name of the folder.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Code => "code",
            Kind::Docs => "docs",
            Kind::Reports => "reports",
        }
    }

    /// The kind of a file by the end of its name.
    pub fn of(file: &str) -> Self {
        let end = file.rsplit_once('.').map_or("", |(_, end)| end);
        match end.to_ascii_lowercase().as_str() {
            "md" | "txt" | "pdf" | "rst" | "html" => Kind::Docs,
            "json" | "jsonl" | "csv" | "log" | "xml" | "sarif" => Kind::Reports,
            _ => Kind::Code,
        }
    }

    fn named(word: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The most bytes of a name: what a task may note of one, less the folder.
const LONGEST: usize = 4000;

/// The name of an artifact: its path below `artifacts/`, as in `code/x.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Checks a path below `artifacts/`: plain parts, none of which begins with a dot (exit 2).
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let is_plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && !part.starts_with('.')
                && !part.chars().any(char::is_control)
        };
        if text.len() <= LONGEST && text.split('/').all(is_plain) {
            return Ok(Name(text));
        }
        Err(
            Error::usage(format!("`{}` is no name of an artifact", shown(&text))).hint(
                "a name has plain parts, such as code/parser.rs: none begins with a dot; `--name NAME` gives another",
            ),
        )
    }

    /// The name of a file that is called so: in the folder of its kind, unless it says one itself (exit 2).
    pub fn given(file: &str, kind: Option<Kind>) -> Result<Self> {
        let said = file
            .split_once('/')
            .and_then(|(first, _)| Kind::named(first));
        match (said, kind) {
            (Some(said), Some(kind)) if said != kind => Err(Error::usage(format!(
                "`{}` lies in {}, and `--kind` says {}",
                shown(file),
                said.word(),
                kind.word()
            ))
            .hint("leave `--kind` out, or the folder")),
            (Some(_), _) => Name::new(file),
            (None, kind) => {
                let kind = kind.unwrap_or_else(|| Kind::of(file));
                Name::new(format!("{}/{file}", kind.word()))
            }
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its kind: the folder it lies in, else what its end says.
    pub fn kind(&self) -> Kind {
        kind_of(&self.0)
    }

    /// The same for a file of an agent where another has the name: `code/x-agent_001.rs`, then `code/x-agent_001-2.rs`.
    pub fn of_agent(&self, agent: &str, number: usize) -> Result<Self> {
        let (folder, file) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        let (stem, end) = match file.split_once('.') {
            Some((stem, end)) => (stem, format!(".{end}")),
            None => (file, String::new()),
        };
        let again = if number > 1 {
            format!("-{number}")
        } else {
            String::new()
        };
        let slash = if folder.is_empty() { "" } else { "/" };
        Name::new(format!("{folder}{slash}{stem}-{agent}{again}{end}"))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// The kind of what lies below `artifacts/` under this name.
pub fn kind_of(name: &str) -> Kind {
    let folder = name
        .split_once('/')
        .and_then(|(first, _)| Kind::named(first));
    folder.unwrap_or_else(|| Kind::of(name))
}

/// What the cell notes of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
    /// The task that it came of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The agent that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When it was noted.
    pub added_at: Time,
    /// Who noted it: an agent, or an operator's name.
    pub added_by: String,
}

/// `.mcell/artifacts.json`: what was noted of each artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// By name.
    #[serde(default)]
    pub artifacts: BTreeMap<String, Note>,
}

/// What is wrong with an artifact that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is not there.
    Missing,
    /// It is not what was noted.
    Altered,
}

impl Manifest {
    /// What is noted of a name.
    pub fn of(&self, name: &str) -> Option<&Note> {
        self.artifacts.get(name)
    }

    /// Notes an artifact. What is noted of the same content stays, and learns only what was not known. Tells whether
    /// anything changed.
    pub fn add(&mut self, name: &Name, note: Note) -> bool {
        match self.artifacts.get_mut(name.as_str()) {
            Some(known) if known.sha256 == note.sha256 => {
                let before = known.clone();
                known.task = known.task.take().or(note.task);
                known.agent = known.agent.take().or(note.agent);
                *known != before
            }
            _ => {
                self.artifacts.insert(name.as_str().to_owned(), note);
                true
            }
        }
    }

    /// The names that are there and not noted.
    pub fn unrecorded<'n>(&self, there: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
        there
            .filter(|name| !self.artifacts.contains_key(*name))
            .collect()
    }
}

impl Note {
    /// Holds what was noted against what is there: its hash and its size; none if nothing is there.
    pub fn compare(&self, there: Option<(&str, u64)>) -> Option<Flaw> {
        match there {
            None => Some(Flaw::Missing),
            Some((sha256, bytes)) if sha256 == self.sha256 && bytes == self.bytes => None,
            Some(_) => Some(Flaw::Altered),
        }
    }
}

/// Refuses an agent whose role does not make artifacts (exit 5).
pub fn require_maker(id: &str, role: Role) -> Result<()> {
    if role.may_work() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{id} may not add artifacts: its role is {}, which never changes anything",
        role.word()
    ))
    .hint("an operator can add them, or an agent whose role is lead or write"))
}

/// Refuses what the disk that the cell is allowed does not take (exit 5): `used` bytes are taken, `coming` shall be added,
/// of which `what` is told.
pub fn require_room(limit: Option<Bytes>, used: u64, coming: u64, what: &str) -> Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    if used.saturating_add(coming) <= limit.get() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{what} takes {}, and the cell uses {} of the {limit} of disk that config/isolation.json allows",
        size(coming),
        size(used)
    ))
    .hint("an operator can allow more: `mcell isolation set --disk SIZE`"))
}

/// A number of bytes for people: `41.9 MB`.
pub fn size(bytes: u64) -> String {
    const STEP: u64 = 1000;
    let (mut unit, mut units) = (1_u64, ["KB", "MB", "GB", "TB", "PB"].into_iter());
    let mut word = None;
    while bytes / unit >= STEP {
        let Some(next) = units.next() else { break };
        word = Some(next);
        unit *= STEP;
    }
    match word {
        None if bytes == 1 => String::from("1 byte"),
        None => format!("{bytes} bytes"),
        Some(word) => {
            let tenths = bytes / (unit / 10);
            format!("{}.{} {word}", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn note(sha256: &str, task: Option<&str>) -> Note {
        Note {
            sha256: sha256.into(),
            bytes: 3,
            task: task.map(str::to_owned),
            agent: None,
            added_at: Time::parse("2026-01-02T03:04:05Z").unwrap(),
            added_by: "ada".into(),
        }
    }

    #[test]
    fn the_end_of_a_name_tells_the_kind() {
        for (file, kind) in [
            ("parser.rs", Kind::Code),
            ("Makefile", Kind::Code),
            ("archive.tar.gz", Kind::Code),
            ("README.md", Kind::Docs),
            ("PAGE.HTML", Kind::Docs),
            ("found.sarif", Kind::Reports),
            ("run.log", Kind::Reports),
        ] {
            assert_eq!(Kind::of(file), kind, "{file}");
        }
        assert_eq!(kind_of("docs/run.log"), Kind::Docs);
        assert_eq!(kind_of("other/run.log"), Kind::Reports);
    }

    #[test]
    fn a_name_has_plain_parts() {
        for text in ["code/x.rs", "x.rs", "docs/a b/c", "x..y"] {
            assert!(Name::new(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "/x",
            "code/",
            "code//x",
            "../x",
            "code/../x",
            "code/.x",
            ".",
            "code/x\ny",
        ] {
            assert!(Name::new(text).is_err(), "{text:?}");
        }
        assert!(Name::new("x".repeat(256)).is_err());
        assert!(Name::new("x/".repeat(3000) + "x").is_err());
    }

    #[test]
    fn a_file_gets_the_folder_of_its_kind() {
        let given = |file, kind| Name::given(file, kind).map(|name| name.to_string());
        assert_eq!(given("x.rs", None).unwrap(), "code/x.rs");
        assert_eq!(given("x.rs", Some(Kind::Docs)).unwrap(), "docs/x.rs");
        assert_eq!(given("docs/x.rs", None).unwrap(), "docs/x.rs");
        assert_eq!(given("part/x.md", None).unwrap(), "docs/part/x.md");
        assert!(given("docs/x.rs", Some(Kind::Code)).is_err());
        assert!(given(".hidden", None).is_err());
    }

    #[test]
    fn a_second_file_of_a_name_carries_its_agent() {
        let second = |text: &str, number| {
            let second = name(text).of_agent("agent_001", number).unwrap();
            second.to_string()
        };
        assert_eq!(second("code/x.rs", 1), "code/x-agent_001.rs");
        assert_eq!(second("code/x.tar.gz", 2), "code/x-agent_001-2.tar.gz");
        assert_eq!(second("Makefile", 1), "Makefile-agent_001");
    }

    #[test]
    fn the_same_content_keeps_its_note() {
        let mut manifest = Manifest::default();
        assert!(manifest.add(&name("code/x"), note("a", None)));
        assert!(!manifest.add(&name("code/x"), note("a", None)));
        assert!(manifest.add(&name("code/x"), note("a", Some("task_001"))));
        assert!(!manifest.add(&name("code/x"), note("a", Some("task_002"))));
        assert_eq!(
            manifest.of("code/x").unwrap().task.as_deref(),
            Some("task_001")
        );
        assert!(manifest.add(&name("code/x"), note("b", None)));
        assert_eq!(manifest.of("code/x").unwrap().task, None);
        let there = ["code/x", "code/y"];
        assert_eq!(manifest.unrecorded(there.into_iter()), ["code/y"]);
    }

    #[test]
    fn what_is_there_is_held_against_its_note() {
        let note = note("a", None);
        assert_eq!(note.compare(Some(("a", 3))), None);
        assert_eq!(note.compare(Some(("b", 3))), Some(Flaw::Altered));
        assert_eq!(note.compare(Some(("a", 4))), Some(Flaw::Altered));
        assert_eq!(note.compare(None), Some(Flaw::Missing));
    }

    #[test]
    fn a_limit_is_kept_to_the_byte_and_named() {
        let limit = "10MB".parse().ok();
        assert!(require_room(limit, 4_000_000, 6_000_000, "x").is_ok());
        assert!(require_room(None, u64::MAX, u64::MAX, "x").is_ok());
        assert!(require_room(limit, u64::MAX, 1, "x").is_err());
        let refused = require_room(limit, 4_000_000, 6_000_001, "code/x").unwrap_err();
        for part in ["code/x", "6.0 MB", "4.0 MB", "10MB"] {
            assert!(refused.message().contains(part), "{refused}");
        }
    }

    #[test]
    fn sizes_are_for_people() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 KB"),
            (41_943_040, "41.9 MB"),
            (u64::MAX, "18446.7 PB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn only_who_works_makes_artifacts() {
        assert!(require_maker("agent_001", Role::Lead).is_ok());
        assert!(require_maker("agent_001", Role::Write).is_ok());
        assert!(require_maker("agent_001", Role::Read).is_err());
        assert!(require_maker("agent_001", Role::Audit).is_err());
    }
}
