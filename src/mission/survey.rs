//! A whole cell as it was read: every sheet, and everything odd about its files.

use crate::base::text::shown;
use crate::mission::shape::Shape;
use crate::mission::sheet::{
    AgentSheet, CellSheet, IsolationSheet, PermissionsSheet, PoliciesSheet, Sheet, TaskSheet,
};
use std::borrow::Cow;

/// A whole cell as it was read. Sheets are sorted by file name, so a stem is found by halving.
#[derive(Debug, Default)]
pub struct Survey<'a> {
    /// The folder's name: the id that counts.
    pub folder: &'a str,
    /// `cell.json`; none if it is not there or cannot be read (then an oddity says why).
    pub cell: Option<CellSheet<'a>>,
    /// The agents' files.
    pub agents: Vec<AgentSheet<'a>>,
    /// The tasks' files.
    pub tasks: Vec<TaskSheet<'a>>,
    /// `config/isolation.json`, if it is there.
    pub isolation: Option<IsolationSheet<'a>>,
    /// `config/policies.json`, if it is there.
    pub policies: Option<PoliciesSheet<'a>>,
    /// `config/permissions.json`, if it is there.
    pub permissions: Option<PermissionsSheet<'a>>,
    /// What is odd about files and folders.
    pub oddities: Vec<Oddity>,
    /// SHA-256 of `checkpoints/<agent>/context.json` for agents that note one, in the order of `agents`; only a thorough
    /// survey has them.
    pub contexts: Vec<Context>,
    /// The files under `artifacts/`, relative to it, sorted; only a thorough survey has them.
    pub artifacts: Vec<String>,
    /// Whether the survey is thorough: rules about rights, checkpoints and artifacts say nothing otherwise.
    pub is_thorough: bool,
}

/// What lies in an agent's checkpoint folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// SHA-256 of its context.json, if that is there and can be read.
    pub hash: Option<String>,
    /// Whether the folder `checkpoints/<agent>` is there.
    pub has_folder: bool,
}

/// Something odd about a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Its path in the cell, made UTF-8; empty for the cell itself.
    pub path: String,
    /// What is odd.
    pub kind: OddityKind,
}

/// What may be odd about a file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OddityKind {
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Special,
    /// A folder where a file should be.
    FolderForFile,
    /// A file where a folder should be.
    FileForFolder,
    /// More bytes than a mission file may have.
    TooLarge(u64),
    /// More in this cell than can be looked at.
    TooMuch,
    /// The name is not UTF-8.
    NameNotUtf8,
    /// The stem of the name cannot be an id.
    NameNotAnId,
    /// It is there and cannot be read: the system's word.
    Unreadable(String),
    /// Nobody knows what it is there for; the known name it is like.
    Stray(Option<String>),
    /// A folder that should be there is not.
    MissingFolder,
    /// `cell.json` is not there.
    MissingCell,
    /// Everybody may write it; its mode.
    WorldWritable(u32),
    /// A temp that a killed writer left; the next writer sweeps it.
    LeftTemp,
}

impl Oddity {
    /// What cannot be read because of it, in a sentence; none if it hides nothing.
    pub fn hides(&self) -> Option<String> {
        let why = match &self.kind {
            OddityKind::Link => "a symbolic link, and links are not followed",
            OddityKind::Special => "a FIFO, a socket or a device, not a file",
            OddityKind::FolderForFile => "a folder, not a file",
            OddityKind::FileForFolder => "a file, not a folder",
            OddityKind::TooLarge(_) => "larger than a mission file may be",
            OddityKind::TooMuch => "more than is read of one cell",
            OddityKind::NameNotUtf8 => "a name that is not UTF-8",
            OddityKind::NameNotAnId => "a name that cannot be an id",
            OddityKind::MissingCell => "not there",
            OddityKind::Unreadable(why) => {
                return Some(format!("{} cannot be read: {why}", self.shown()));
            }
            OddityKind::Stray(_)
            | OddityKind::MissingFolder
            | OddityKind::WorldWritable(_)
            | OddityKind::LeftTemp => return None,
        };
        Some(format!("{} is {why}", self.shown()))
    }

    fn shown(&self) -> Cow<'_, str> {
        match &*self.path {
            "" => Cow::Borrowed("it"),
            path => shown(path),
        }
    }
}

impl<'a> Survey<'a> {
    /// The place of an agent among the sheets.
    pub fn agent_at(&self, id: &str) -> Option<usize> {
        self.agents
            .binary_search_by(|sheet| sheet.stem().cmp(id))
            .ok()
    }

    /// The place of a task among the sheets.
    pub fn task_at(&self, id: &str) -> Option<usize> {
        self.tasks
            .binary_search_by(|sheet| sheet.stem().cmp(id))
            .ok()
    }

    /// The sheet of an agent.
    pub fn agent(&self, id: &str) -> Option<&AgentSheet<'a>> {
        self.agents.get(self.agent_at(id)?)
    }

    /// The sheet of a task.
    pub fn task(&self, id: &str) -> Option<&TaskSheet<'a>> {
        self.tasks.get(self.task_at(id)?)
    }

    /// The text of a file by its path in the cell.
    pub fn text(&self, file: &str) -> Option<&'a [u8]> {
        let of = |found: bool, text: &'a [u8]| found.then_some(text);
        let cell = self
            .cell
            .as_ref()
            .and_then(|sheet| of(sheet.file == file, sheet.text));
        let agent = || {
            self.agents
                .iter()
                .find(|sheet| sheet.file == file)
                .map(|sheet| sheet.text)
        };
        let task = || {
            self.tasks
                .iter()
                .find(|sheet| sheet.file == file)
                .map(|sheet| sheet.text)
        };
        let isolation = || {
            self.isolation
                .as_ref()
                .and_then(|sheet| of(sheet.file == file, sheet.text))
        };
        let policies = || {
            self.policies
                .as_ref()
                .and_then(|sheet| of(sheet.file == file, sheet.text))
        };
        let permissions = || {
            self.permissions
                .as_ref()
                .and_then(|sheet| of(sheet.file == file, sheet.text))
        };
        cell.or_else(agent)
            .or_else(task)
            .or_else(isolation)
            .or_else(policies)
            .or_else(permissions)
    }

    /// A survey of one file alone, to say what is wrong with its form.
    pub fn of_one(shape: &'static Shape, file: &'a str, text: &'a [u8]) -> Self {
        let mut survey = Survey::default();
        match shape.name {
            "cell" => survey.cell = Some(Sheet::read(file, text)),
            "agent" => survey.agents.push(Sheet::read(file, text)),
            "task" => survey.tasks.push(Sheet::read(file, text)),
            "isolation" => survey.isolation = Some(Sheet::read(file, text)),
            "policies" => survey.policies = Some(Sheet::read(file, text)),
            _ => survey.permissions = Some(Sheet::read(file, text)),
        }
        survey
    }
}
