//! Names said twice: the id in a file and the name of the file, the id of the cell and the name of its folder.

use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Mend, Severity};
use crate::base::ids::is_uuid;
use crate::mission::sheet::Sheet;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC013",
        name: "id-is-not-the-file-name",
        severity: Severity::Error,
        summary: "An agent_id or task_id equals the name of its file.",
        why: "Everything refers to agents and tasks by the name of their file. A tool that goes by the id inside takes \
              this one for another. Usually the file was copied and only half changed.",
        example: r#"tasks/task_002.json: { "task_id": "task_001" }"#,
        mend: "Write the file's name (without .json) as the id. `--fix` does so.",
        check: Check::Always(id_is_not_the_file_name),
    },
    Rule {
        code: "MC014",
        name: "id-is-not-the-folder-name",
        severity: Severity::Warning,
        summary: "The cell_id equals the name of the cell's folder.",
        why: "The folder's name is the cell's id everywhere: in commands, over HTTP, in MCELL_CELL. The fleet's recipe \
              calls uuidgen more than once, so that cells made by it differ here.",
        example: r#"0b7a3f8e-…/cell.json: { "cell_id": "5d2c1a90-…" }"#,
        mend: "Write the folder's name as cell_id. `--fix` does so.",
        check: Check::Always(id_is_not_the_folder_name),
    },
];

fn id_is_not_the_file_name(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        one_id(sheet, "agent_id", &agent.agent_id, findings);
    }
    for (sheet, task) in facts.tasks() {
        one_id(sheet, "task_id", &task.task_id, findings);
    }
}

fn one_id<T>(sheet: &Sheet<'_, T>, field: &str, id: &str, findings: &mut Findings) {
    let stem = sheet.stem();
    if id == stem {
        return;
    }
    // An id that has a flaw stands here as the file's name, so what differs is sound.
    let pointer = format!("/{field}");
    findings.add(
        Finding::new(
            "MC013",
            Severity::Error,
            &*sheet.file,
            format!("{field} is `{id}`, but the file is named `{stem}`"),
        )
        .value(pointer.clone())
        .hint("the file's name counts: write it as the id, or rename the file")
        .mend(Mend::Set(pointer, stem.into())),
    );
}

fn id_is_not_the_folder_name(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let folder = facts.survey.folder;
    let Some(sheet) = &facts.survey.cell else {
        return;
    };
    let Some(cell) = &sheet.value else {
        return;
    };
    if &*cell.cell_id == folder || !is_uuid(folder) || !sheet.trusts("/cell_id") {
        return;
    }
    findings.add(
        Finding::new(
            "MC014",
            Severity::Warning,
            &*sheet.file,
            format!(
                "cell_id is `{}`, but the cell's folder is named `{folder}`",
                &*cell.cell_id
            ),
        )
        .value("/cell_id")
        .hint("the folder's name counts: write it as cell_id")
        .mend(Mend::Set("/cell_id".into(), folder.into())),
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FOLDER, cell};
    use crate::base::finding::Mend;
    use serde_json::json;

    #[test]
    fn an_id_is_the_name_of_its_file() {
        let found = cell()
            .agent("agent_001", json!({}))
            .task("task_002", json!({"task_id": "task_001"}))
            .only();
        assert_eq!(found.code, "MC013");
        assert_eq!(
            found.mend,
            Some(Mend::Set("/task_id".into(), "task_002".into()))
        );
        let found = cell()
            .agent("agent_002", json!({"agent_id": "agent_001"}))
            .only();
        assert_eq!(
            (found.code, found.file.as_str()),
            ("MC013", "agents/agent_002.json")
        );
    }

    #[test]
    fn an_id_with_a_flaw_is_said_once() {
        let built = cell().agent("agent_001", json!({"agent_id": "a b"}));
        assert!(built.of("MC013").is_empty());
    }

    #[test]
    fn the_recipe_with_two_uuidgens_is_a_warning_that_is_mended() {
        let other = "5d2c1a90-0000-4000-8000-000000000000";
        let found = cell().cell(json!({"cell_id": other})).only();
        assert_eq!(found.code, "MC014");
        assert_eq!(
            found.mend,
            Some(Mend::Set("/cell_id".into(), FOLDER.into()))
        );
    }

    #[test]
    fn a_folder_with_a_name_of_its_own_has_no_id_to_differ_from() {
        assert!(cell().folder("healthy").of("MC014").is_empty());
        let flawed = cell().cell(json!({"cell_id": "not a uuid"}));
        assert!(flawed.of("MC014").is_empty());
        // Nor has a file that is no object.
        assert!(cell().file("cell.json", "5").of("MC014").is_empty());
    }
}
