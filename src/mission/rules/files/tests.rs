//! What each rule of files says about an oddity.

use super::super::testing::{FOLDER, cell};
use super::*;
use crate::base::finding::Severity;
use serde_json::json;

#[test]
fn every_kind_of_oddity_has_its_code() {
    use OddityKind::*;
    let cases = [
        ("tasks/a.json", Link, "MC040", "error"),
        ("tasks/a.json", Special, "MC041", "error"),
        ("tasks/a.json", TooLarge(1 << 30), "MC042", "error"),
        ("tasks/a.json", TooMuch, "MC042", "error"),
        ("tasks/a.json", WorldWritable(0o666), "MC043", "warning"),
        ("tasks/a.txt", Stray(None), "MC044", "warning"),
        ("tasks/\u{fffd}.json", NameNotUtf8, "MC045", "error"),
        ("logs", MissingFolder, "MC046", "warning"),
        ("cell.json", MissingCell, "MC047", "error"),
        ("tasks/a.json", FolderForFile, "MC048", "error"),
        ("tasks", FileForFolder, "MC048", "error"),
        ("tasks/a b.json", NameNotAnId, "MC049", "error"),
        (
            "cell.json",
            Unreadable("permission denied".into()),
            "MC050",
            "error",
        ),
        ("tasks/.a.tmp", LeftTemp, "MC051", "note"),
    ];
    for (path, kind, code, severity) in cases {
        let found = cell().odd(path, kind).only();
        assert_eq!(
            (found.code, found.severity.word(), &*found.file),
            (code, severity, path)
        );
        assert!(!found.hints.is_empty() && !found.message.ends_with('.'));
        assert_eq!(found.mend.is_some(), code == "MC046");
    }
}

#[test]
fn hints_name_what_was_meant() {
    let like = OddityKind::Stray(Some("config/policies.json".into()));
    let found = cell().odd("config/policy.json", like).only();
    assert_eq!(found.hints, ["did you mean `config/policies.json`?"]);
    let found = cell()
        .odd("tasks/my task.json", OddityKind::NameNotAnId)
        .only();
    assert_eq!(
        found.message,
        "`my task` cannot be an id, so the file is not read"
    );
    assert_eq!(
        found.hints,
        ["rename it to tasks/my_task.json, and write \"my_task\" into it"]
    );
    let found = cell().odd("tasks/--.json", OddityKind::NameNotAnId).only();
    assert!(found.hints[0].starts_with("rename it: letters"));
    let found = cell().odd("", OddityKind::WorldWritable(0o777)).only();
    assert_eq!(
        found.message,
        "everybody may write to the cell's folder (mode 0777)"
    );
    assert_eq!(
        found.hints,
        [format!("take that away: `chmod o-w {FOLDER}`")]
    );
    let large = cell()
        .odd("tasks/a.json", OddityKind::TooLarge(17 << 20))
        .only();
    assert_eq!(
        large.message,
        "the file has 17 MiB, and at most 16 MiB are read"
    );
}

#[test]
fn a_folder_that_is_no_uuid_is_a_warning() {
    let found = cell().folder("my mission").of("MC052");
    assert_eq!(found[0].severity, Severity::Warning);
    assert_eq!(
        found[0].hints,
        [format!(
            "stop its agents and rename it: `mv 'my mission' {FOLDER}`"
        )]
    );
    let found = cell().folder("test").without("cell.json").of("MC052");
    assert_eq!(
        found[0].hints,
        ["stop its agents and rename it to what `uuidgen` prints"]
    );
    assert!(cell().agent("agent_001", json!({})).of("MC052").is_empty());
}

#[test]
fn a_path_cannot_speak_to_the_shell_or_the_terminal() {
    assert_eq!(for_shell("tasks/a.json"), "tasks/a.json");
    assert_eq!(for_shell("a b; rm -rf '~'"), r"'a b; rm -rf '\''~'\'''");
    assert_eq!(for_shell("-rf"), "'./-rf'");
    assert!(!for_shell("a\u{1b}[2J").contains('\u{1b}'));
}
