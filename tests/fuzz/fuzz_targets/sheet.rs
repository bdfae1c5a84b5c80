//! The files of a cell, parted by U+0001, each with its path on its first line; without a path, one file of every kind.
//! Each file is read as its kind, all together are held against the rules, and what `--fix` would do is done.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcell::base::clock::Time;
use mcell::base::document::Document;
use mcell::base::error::Kind;
use mcell::base::finding::{Finding, Mend, Spot};
use mcell::base::ids::is_id;
use mcell::mission::agent::Agent;
use mcell::mission::cell::Cell;
use mcell::mission::isolation::Isolation;
use mcell::mission::permission::Permissions;
use mcell::mission::policy::Policies;
use mcell::mission::rules;
use mcell::mission::shape;
use mcell::mission::sheet::{
    AgentSheet, CellSheet, IsolationSheet, PermissionsSheet, PoliciesSheet, Record, Sheet,
    TaskSheet, Trouble, stem,
};
use mcell::mission::survey::{Context, Oddity, OddityKind, Survey};
use mcell::mission::task::Task;
use mcell::ops::validate::{Options, judge, mend_text};
use mcell::store::read::sound;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// As often as `--fix` passes over a cell.
const PASSES: usize = 4;
const FOLDER: &str = "c0ffee00-0000-4000-8000-000000000001";
const EVERY_KIND: [&str; 6] = [
    "cell.json",
    "agents/agent_001.json",
    "tasks/task_001.json",
    "config/isolation.json",
    "config/policies.json",
    "config/permissions.json",
];

fuzz_target!(|bytes: &[u8]| {
    let mut built = Built::of(bytes);
    for (file, text) in &built.files {
        as_its_kind(file, text);
    }
    let mut mended = 0;
    while built.look_and_mend() {
        mended += 1;
        assert!(mended < PASSES, "--fix comes to no end");
    }
});

fn as_its_kind(file: &str, text: &[u8]) {
    match file {
        "cell.json" => one_kind::<Cell>(&CellSheet::read(file, text)),
        "config/isolation.json" => one_kind::<Isolation>(&IsolationSheet::read(file, text)),
        "config/policies.json" => one_kind::<Policies>(&PoliciesSheet::read(file, text)),
        "config/permissions.json" => one_kind::<Permissions>(&PermissionsSheet::read(file, text)),
        _ if file.starts_with("agents/") => one_kind::<Agent>(&AgentSheet::read(file, text)),
        _ => one_kind::<Task>(&TaskSheet::read(file, text)),
    }
}

/// `Owned` is what commands read strictly, `T` what scans read. Both must tell the same of a file, and however a sheet is
/// read, quickly or thoroughly, the same must come out.
fn one_kind<'a, Owned: Record + DeserializeOwned>(
    sheet: &Sheet<'a, impl Record + Deserialize<'a> + PartialEq + Debug>,
) {
    let (file, text) = (&*sheet.file, sheet.text);
    let strict = sound::<Owned>(file, file, text);
    if let Err(error) = &strict {
        assert!(error.kind() != Kind::Bug, "{}", error.message());
    }
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(fault) => {
            assert!(sheet.value.is_none() && strict.is_err());
            assert_eq!(sheet.trouble, Some(Trouble::Fault(fault)));
            return;
        }
    };
    let reading = shape::read(&document, Owned::SHAPE, stem(file));
    let value = read_again(sheet, reading.value);
    assert_eq!(sheet.value.as_ref(), Some(&value), "types and shape differ");
    match &sheet.trouble {
        None => assert!(
            reading.flaws.is_empty() && strict.is_ok(),
            "{:?}",
            reading.flaws
        ),
        trouble => assert_eq!(*trouble, Some(Trouble::Flaws(reading.flaws))),
    }
}

fn read_again<'a, T: Deserialize<'a>>(_: &Sheet<'a, T>, value: serde_json::Value) -> T {
    T::deserialize(value).expect("what a shape lets pass its type takes")
}

/// A cell in memory.
struct Built {
    files: BTreeMap<String, Vec<u8>>,
    oddities: Vec<Oddity>,
    contexts: BTreeMap<String, Context>,
    artifacts: Vec<String>,
    now: Time,
}

impl Built {
    fn of(bytes: &[u8]) -> Self {
        let mut built = Built {
            files: BTreeMap::new(),
            oddities: Vec::new(),
            contexts: BTreeMap::new(),
            artifacts: Vec::new(),
            now: Time::parse("2026-01-02T04:00:00Z").expect("a time"),
        };
        let mut parts = bytes.split(|byte| *byte == 1);
        let first = parts.next().unwrap_or_default();
        if !first.is_empty() {
            for file in EVERY_KIND {
                built.files.insert(file.to_owned(), first.to_vec());
            }
        }
        for part in parts {
            let end = part.iter().position(|byte| *byte == b'\n');
            let (path, text) = part.split_at(end.unwrap_or(part.len()));
            let text = text.get(1..).unwrap_or_default();
            if let Ok(path) = std::str::from_utf8(path) {
                built.put(path, text);
            }
        }
        built.artifacts.sort();
        built
    }

    /// As a survey takes files: only names that are ids, everything else is odd.
    fn put(&mut self, path: &str, text: &[u8]) {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        match (folder, name.strip_suffix(".json")) {
            ("agents" | "tasks", Some(id)) if is_id(id) => self.file(path, text),
            _ if EVERY_KIND.contains(&path) => self.file(path, text),
            ("artifacts", _) => self.artifacts.push(name.to_owned()),
            ("checkpoints", _) => {
                let hash = String::from_utf8(text.to_vec()).ok();
                let context = Context {
                    hash: hash.filter(|hash| !hash.is_empty()),
                    has_folder: true,
                };
                self.contexts.insert(name.to_owned(), context);
            }
            ("now", _) => self.now = Time::parse(name).unwrap_or(self.now),
            _ => self.oddities.push(Oddity {
                path: path.to_owned(),
                kind: odd(text),
            }),
        }
    }

    fn file(&mut self, path: &str, text: &[u8]) {
        self.files.insert(path.to_owned(), text.to_vec());
    }

    fn survey(&self) -> Survey<'_> {
        let mut survey = Survey {
            folder: FOLDER,
            is_thorough: true,
            oddities: self.oddities.clone(),
            artifacts: self.artifacts.clone(),
            ..Survey::default()
        };
        for (file, text) in &self.files {
            let file = file.as_str();
            match file {
                "cell.json" => survey.cell = Some(Sheet::read(file, text)),
                "config/isolation.json" => survey.isolation = Some(Sheet::read(file, text)),
                "config/policies.json" => survey.policies = Some(Sheet::read(file, text)),
                "config/permissions.json" => survey.permissions = Some(Sheet::read(file, text)),
                _ if file.starts_with("agents/") => survey.agents.push(Sheet::read(file, text)),
                _ => survey.tasks.push(Sheet::read(file, text)),
            }
        }
        survey
            .agents
            .sort_by(|one, other| one.stem().cmp(other.stem()));
        survey
            .tasks
            .sort_by(|one, other| one.stem().cmp(other.stem()));
        let context = |sheet: &AgentSheet<'_>| self.contexts.get(sheet.stem()).cloned();
        survey.contexts = survey
            .agents
            .iter()
            .map(|sheet| context(sheet).unwrap_or_default())
            .collect();
        survey
    }

    /// Tells whether anything was mended.
    fn look_and_mend(&mut self) -> bool {
        let survey = self.survey();
        let found = rules::check(&survey, self.now, true);
        let findings = found.kept;
        is_in_bounds(&findings, self.files.values().map(Vec::len).sum());
        let options = Options {
            resilience: true,
            also_over: true,
        };
        let verdict = judge(&survey, self.now, options);
        assert_eq!(verdict.is_none(), findings.is_empty());
        for placed in verdict.iter().flat_map(|verdict| &verdict.findings) {
            let is_placed = placed.excerpt.line > 0 || placed.finding.spot == Spot::Whole;
            assert!(is_placed, "without a place: {:?}", placed.finding);
        }
        drop(survey);
        let mut mends: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in findings
            .into_iter()
            .filter(|finding| finding.mend.is_some())
        {
            mends.entry(finding.file.clone()).or_default().push(finding);
        }
        let mut done = Vec::new();
        for (file, findings) in mends {
            if findings
                .iter()
                .any(|finding| finding.mend == Some(Mend::MakeFolder))
            {
                let before = self.oddities.len();
                self.oddities.retain(|odd| odd.path != file);
                assert!(
                    self.oddities.len() < before,
                    "a folder is made that is there"
                );
                done.push(file);
                continue;
            }
            let text = self.files.get(&file).expect("only what is there is mended");
            if let Some(mended) = mend_text(&file, text, &findings, &mut done) {
                let starts_with_json = !text.starts_with(b"\xef\xbb\xbf");
                assert!(!starts_with_json || Document::parse(&mended).is_ok());
                self.files.insert(file, mended);
            }
        }
        !done.is_empty()
    }
}

/// What is said of a cell must not be far larger than the cell.
fn is_in_bounds(findings: &[Finding], bytes: usize) {
    let said = findings.iter().map(|finding| {
        finding.message.len() + finding.hints.iter().map(String::len).sum::<usize>()
    });
    assert!(said.sum::<usize>() <= (1 << 16) + 200 * bytes);
}

fn odd(text: &[u8]) -> OddityKind {
    let rest = || String::from_utf8_lossy(text.get(1..).unwrap_or_default()).into_owned();
    match text.first().copied().unwrap_or_default() % 14 {
        0 => OddityKind::Link,
        1 => OddityKind::Special,
        2 => OddityKind::FolderForFile,
        3 => OddityKind::FileForFolder,
        4 => OddityKind::TooLarge(rest().parse().unwrap_or(u64::MAX)),
        5 => OddityKind::TooMuch,
        6 => OddityKind::NameNotUtf8,
        7 => OddityKind::NameNotAnId,
        8 => OddityKind::Unreadable(rest()),
        9 => OddityKind::Stray(Some(rest()).filter(|like| !like.is_empty())),
        10 => OddityKind::MissingFolder,
        11 => OddityKind::MissingCell,
        12 => OddityKind::WorldWritable(0o7777),
        _ => OddityKind::LeftTemp,
    }
}
