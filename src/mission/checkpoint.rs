//! Checkpoints: what a generation holds, when it is whole, and which generations may go (docs/checkpoint.md).

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state that an agent saves: one JSON object.
pub const STATE: &str = "state.json";
/// The context that an agent saves: one JSON object.
pub const CONTEXT: &str = "context.json";
/// The folder of the files saved with them.
pub const ARTIFACTS: &str = "artifacts";

/// How many generations are kept.
pub const KEPT: usize = 3;

/// The most bytes of an artifact's name: what file systems take.
const LONGEST_NAME: usize = 255;

/// One file of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Its name in the generation: state.json, context.json, artifacts/NAME.
    pub name: String,
    /// SHA-256 of its bytes, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
}

/// What belongs to a generation. Its number is the folder's name, and stands nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Whose it is.
    pub agent: String,
    /// When it was saved.
    pub saved_at: Time,
    /// Who saved it: an operator's name or an agent's id.
    pub saved_by: String,
    /// The task that the agent held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The fencing token of its claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// Its files.
    pub files: Vec<Part>,
}

/// How a generation differs from its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Its manifest cannot be read, or is none of this agent.
    Torn,
    /// A file is not there.
    Missing,
    /// A file has other bytes than were saved.
    Altered,
    /// A file is there that was not saved.
    Extra,
}

/// One thing that is wrong with a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flaw {
    /// The file in the generation.
    pub file: String,
    /// What is wrong with it.
    pub difference: Difference,
}

impl Flaw {
    /// In words: "state.json is altered".
    pub fn words(&self) -> String {
        let file = shown(&self.file);
        match self.difference {
            Difference::Torn => format!("{file} cannot be read, or is of another agent"),
            Difference::Missing => format!("{file} is missing"),
            Difference::Altered => format!("{file} is altered"),
            Difference::Extra => format!("{file} was not saved with it"),
        }
    }
}

impl Manifest {
    /// One of its files.
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.files.iter().find(|part| part.name == name)
    }

    /// Its artifacts: the name that an agent knows, and the file.
    pub fn artifacts(&self) -> impl Iterator<Item = (&str, &Part)> {
        self.files.iter().filter_map(|part| {
            let name = part.name.strip_prefix(ARTIFACTS)?.strip_prefix('/')?;
            Some((name, part))
        })
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|part| part.bytes).sum()
    }

    /// Tells whether it is of this agent, and names only files that a generation may hold, each once.
    pub fn is_sound(&self, agent: &str) -> bool {
        let may_be = |name: &str| {
            let artifact = name
                .strip_prefix(ARTIFACTS)
                .and_then(|name| name.strip_prefix('/'));
            name == STATE || name == CONTEXT || artifact.is_some_and(is_artifact_name)
        };
        let is_once = |name: &str| self.files.iter().filter(|part| part.name == name).count() == 1;
        let is_own = |part: &Part| may_be(&part.name) && is_once(&part.name);
        self.agent == agent && self.files.iter().all(is_own)
    }

    /// Everything in which what is there differs from what was saved.
    pub fn flaws(&self, there: &[Part]) -> Vec<Flaw> {
        let flaw = |part: &Part, difference| Flaw {
            file: part.name.clone(),
            difference,
        };
        let saved = self.files.iter().filter_map(|part| {
            match there.iter().find(|found| found.name == part.name) {
                None => Some(flaw(part, Difference::Missing)),
                Some(found) if found != part => Some(flaw(part, Difference::Altered)),
                Some(_) => None,
            }
        });
        let extra = there
            .iter()
            .filter(|found| self.part(&found.name).is_none())
            .map(|found| flaw(found, Difference::Extra));
        saved.chain(extra).collect()
    }
}

/// Tells whether a file may be saved under this name: one plain name that does not begin with a dot.
pub fn is_artifact_name(name: &str) -> bool {
    let is_plain = |letter: char| letter != '/' && !letter.is_control();
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('.')
        && name.chars().all(is_plain)
}

/// Refuses a name under which no file may be saved (exit 2).
pub fn require_artifact_name(name: &str) -> Result<()> {
    if is_artifact_name(name) {
        return Ok(());
    }
    Err(
        Error::usage(format!("no artifact can be called `{}`", shown(name)))
            .hint("give it a plain name that does not begin with a dot"),
    )
}

/// The generations that may go: all but the newest `keep`, and never the newest one that is good.
pub fn surplus(numbers: &[u64], keep: usize, newest_good: Option<u64>) -> Vec<u64> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.truncate(numbers.len().saturating_sub(keep));
    numbers.retain(|number| Some(*number) != newest_good);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, sha256: &str) -> Part {
        Part {
            name: name.into(),
            sha256: sha256.into(),
            bytes: 1,
        }
    }

    fn manifest(names: &[&str]) -> Manifest {
        Manifest {
            agent: "agent_001".into(),
            saved_at: Time::parse("2026-01-02T03:04:05Z").unwrap(),
            saved_by: "ada".into(),
            task: None,
            token: None,
            files: names.iter().map(|name| part(name, "a")).collect(),
        }
    }

    #[test]
    fn what_is_missing_altered_or_extra_is_named() {
        let manifest = manifest(&[STATE, CONTEXT]);
        assert!(manifest.flaws(&manifest.files).is_empty());
        let there = [part(CONTEXT, "b"), part("artifacts/x", "a")];
        let found: Vec<String> = manifest.flaws(&there).iter().map(Flaw::words).collect();
        assert_eq!(
            found,
            [
                "state.json is missing",
                "context.json is altered",
                "artifacts/x was not saved with it"
            ]
        );
    }

    #[test]
    fn a_manifest_names_only_what_a_generation_may_hold() {
        assert!(manifest(&[STATE, "artifacts/a b.txt"]).is_sound("agent_001"));
        assert!(!manifest(&[STATE]).is_sound("agent_002"));
        for wrong in [
            "manifest.json",
            "artifacts/../x",
            "artifacts/.x",
            "artifacts/",
            "/etc/passwd",
            "artifacts/a/b",
        ] {
            assert!(!manifest(&[wrong]).is_sound("agent_001"), "{wrong}");
        }
        assert!(!manifest(&[STATE, STATE]).is_sound("agent_001"));
    }

    #[test]
    fn the_last_ones_are_kept_and_the_newest_good_one_always() {
        assert_eq!(surplus(&[4, 1, 3, 2], 3, Some(4)), [1]);
        assert!(surplus(&[7, 9], 3, Some(9)).is_empty());
        assert_eq!(surplus(&[1, 2, 3, 10], 1, Some(2)), [1, 3]);
        assert_eq!(surplus(&[1, 2], 1, None), [1]);
    }
}
