//! A cell put together from texts, for the tests of rules.
//!
//! ```ignore
//! let found = cell().task("task_001", json!({"assigned_to": "agent_009"})).findings();
//! ```

use super::check;
use crate::base::clock::Time;
use crate::base::finding::Finding;
use crate::mission::sheet::{Sheet, stem};
use crate::mission::survey::{Context, Oddity, OddityKind, Survey};
use serde_json::{Value, json};

/// The name of the built cell's folder, and its `cell_id`.
pub(crate) const FOLDER: &str = "0b7a3f8e-5c1d-4e2a-9f60-1a2b3c4d5e6f";
/// The present, unless [`Built::now`] says otherwise. The built files were made an hour before.
pub(crate) const NOW: &str = "2026-01-02T04:00:00Z";
const MADE: &str = "2026-01-02T03:00:00Z";

/// A cell that is being put together: sound and without agents, tasks and settings until told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    folder: String,
    now: String,
    files: Vec<(String, Vec<u8>)>,
    oddities: Vec<Oddity>,
    contexts: Vec<(String, Context)>,
    artifacts: Vec<String>,
    is_thorough: bool,
    resilience: bool,
}

/// A sound cell.
pub(crate) fn cell() -> Built {
    let built = Built {
        folder: FOLDER.into(),
        now: NOW.into(),
        files: Vec::new(),
        oddities: Vec::new(),
        contexts: Vec::new(),
        artifacts: Vec::new(),
        is_thorough: false,
        resilience: false,
    };
    built.cell(json!({}))
}

impl Built {
    /// Puts a file in, in place of one at this path.
    pub(crate) fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.retain(|(known, _)| known != path);
        self.files.push((path.into(), text.as_ref().to_vec()));
        self
    }

    /// Takes a file out.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.files.retain(|(known, _)| known != path);
        self
    }

    /// A sound `cell.json` with these members set instead (`null` stands as null).
    pub(crate) fn cell(self, with: Value) -> Self {
        let base = json!({
            "cell_id": FOLDER,
            "mission_name": "Example Mission",
            "created_at": MADE,
            "created_by": "ada",
            "status": "active",
            "isolation_level": "none",
            "max_agents": 10,
        });
        self.file("cell.json", laid_over(base, with))
    }

    /// A sound agent that is idle and may write, with these members set instead.
    pub(crate) fn agent(self, id: &str, with: Value) -> Self {
        let base = json!({
            "agent_id": id,
            "name": "Worker",
            "role": "write",
            "capabilities": [],
            "gateway": null,
            "status": "idle",
            "current_task": null,
            "checkpoint": null,
        });
        self.file(&format!("agents/{id}.json"), laid_over(base, with))
    }

    /// A sound task that is pending and assigned to nobody, with these members set instead.
    pub(crate) fn task(self, id: &str, with: Value) -> Self {
        let base = json!({
            "task_id": id,
            "title": "Something to do",
            "description": "",
            "assigned_to": null,
            "status": "pending",
            "priority": "medium",
            "dependencies": [],
            "artifacts": [],
            "timeout": 1800,
            "created_at": MADE,
        });
        self.file(&format!("tasks/{id}.json"), laid_over(base, with))
    }

    /// `config/policies.json`.
    pub(crate) fn policies(self, text: Value) -> Self {
        self.file("config/policies.json", text.to_string())
    }

    /// `config/isolation.json`.
    pub(crate) fn isolation(self, text: Value) -> Self {
        self.file("config/isolation.json", text.to_string())
    }

    /// `config/permissions.json`.
    pub(crate) fn permissions(self, text: Value) -> Self {
        self.file("config/permissions.json", text.to_string())
    }

    /// The folder's name.
    pub(crate) fn folder(mut self, name: &str) -> Self {
        self.folder = name.into();
        self
    }

    /// The present.
    pub(crate) fn now(mut self, now: &str) -> Self {
        self.now = now.into();
        self
    }

    /// Something odd about a file or folder.
    pub(crate) fn odd(mut self, path: &str, kind: OddityKind) -> Self {
        self.oddities.push(Oddity {
            path: path.into(),
            kind,
        });
        self
    }

    /// A thorough survey: checkpoints and artifacts were looked at.
    pub(crate) fn thorough(mut self) -> Self {
        self.is_thorough = true;
        self
    }

    /// The checkpoint folder of an agent, with the hash of its context.json; makes the survey thorough.
    pub(crate) fn context(mut self, agent: &str, hash: Option<&str>) -> Self {
        let context = Context {
            hash: hash.map(Into::into),
            has_folder: true,
        };
        self.contexts.push((agent.into(), context));
        self.thorough()
    }

    /// A file under `artifacts/`, by its path below that; makes the survey thorough.
    pub(crate) fn artifact(mut self, path: &str) -> Self {
        self.artifacts.push(path.into());
        self.artifacts.sort();
        self.thorough()
    }

    /// As under `--resilience`.
    pub(crate) fn resilience(mut self) -> Self {
        self.resilience = true;
        self
    }

    /// What the rules find: code, file and message, sorted.
    pub(crate) fn findings(&self) -> Vec<(&'static str, String, String)> {
        let found = self.all().into_iter();
        found.map(|one| (one.code, one.file, one.message)).collect()
    }

    /// The codes found, sorted; one that is found twice stands twice.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.all().into_iter().map(|one| one.code).collect()
    }

    /// The only finding.
    pub(crate) fn only(&self) -> Finding {
        let mut found = self.all();
        assert_eq!(found.len(), 1, "expected one finding: {found:#?}");
        found.remove(0)
    }

    /// The findings of one code.
    pub(crate) fn of(&self, code: &str) -> Vec<Finding> {
        let mut found = self.all();
        found.retain(|one| one.code == code);
        found
    }

    /// Whole findings, sorted by code, file and place.
    pub(crate) fn all(&self) -> Vec<Finding> {
        let now = Time::parse(&self.now).expect("a time");
        let mut found = check(&self.survey(), now, self.resilience).kept;
        found.sort_by(|a, b| (a.code, &a.file, &a.spot).cmp(&(b.code, &b.file, &b.spot)));
        found
    }

    /// The cell as a survey.
    pub(crate) fn survey(&self) -> Survey<'_> {
        let mut survey = Survey {
            folder: &self.folder,
            oddities: self.oddities.clone(),
            artifacts: self.artifacts.clone(),
            is_thorough: self.is_thorough,
            ..Survey::default()
        };
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by_key(|(path, _)| stem(path));
        for (path, text) in files {
            let path = path.as_str();
            match path.split_once('/') {
                None if path == "cell.json" => survey.cell = Some(Sheet::read(path, text)),
                Some(("agents", _)) => survey.agents.push(Sheet::read(path, text)),
                Some(("tasks", _)) => survey.tasks.push(Sheet::read(path, text)),
                Some(("config", "isolation.json")) => {
                    survey.isolation = Some(Sheet::read(path, text));
                }
                Some(("config", "policies.json")) => {
                    survey.policies = Some(Sheet::read(path, text));
                }
                Some(("config", "permissions.json")) => {
                    survey.permissions = Some(Sheet::read(path, text));
                }
                _ => panic!("{path} is no mission file"),
            }
        }
        if self.is_thorough {
            let of = |id: &str| {
                let mut known = self.contexts.iter();
                known
                    .find(|(agent, _)| agent == id)
                    .map(|(_, context)| context.clone())
            };
            let agents = survey.agents.iter();
            survey.contexts = agents
                .map(|sheet| of(sheet.stem()).unwrap_or_default())
                .collect();
        }
        survey
    }
}

/// An object as text, one member a line, with the members of another in place of its own.
fn laid_over(mut base: Value, with: Value) -> String {
    if let (Some(base), Value::Object(with)) = (base.as_object_mut(), with) {
        base.extend(with);
    }
    serde_json::to_string_pretty(&base).expect("JSON")
}

#[test]
fn the_built_cell_and_what_is_put_in_are_sound() {
    let built = cell()
        .agent("agent_001", json!({}))
        .task("task_001", json!({"dependencies": []}))
        .policies(json!({}))
        .isolation(json!({"level": "none"}))
        .permissions(json!({}))
        .thorough();
    assert_eq!(built.all(), []);
    let survey = built.survey();
    assert!(survey.cell.is_some() && survey.agent("agent_001").is_some());
    assert!(survey.task("task_001").is_some() && survey.permissions.is_some());
}
