//! What lies beside the mission files: checkpoints and artifacts are what the files say they are.

use super::known::{item, said, task_status};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::survey::{OddityKind, Survey};
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC081",
        name: "checkpoint-is-another",
        severity: Severity::Warning,
        summary: "The context_hash of a checkpoint is the SHA-256 of its context.json.",
        why: "A revival restores an agent from its checkpoint only if that is whole. One that is not there, or is \
              another than was noted, is passed over, and the agent begins further back.",
        example: r#"{ "checkpoint": { "context_hash": "<not that of checkpoints/agent_001/context.json>" } }"#,
        mend: "Put the context.json that was noted back (`mcell checkpoint restore AGENT`), or save the one that is there \
               (`mcell checkpoint save AGENT`).",
        check: Check::Always(checkpoint_is_another),
    },
    Rule {
        code: "MC082",
        name: "artifact-is-not-there",
        severity: Severity::Warning,
        summary: "What a completed task names under artifacts/ is there.",
        why: "The work was handed in, and someone will look for it. Names outside artifacts/ are not looked for.",
        example: r#"{ "status": "completed", "artifacts": ["artifacts/code/lost.py"] }"#,
        mend: "Put the file where it should be, or correct the name.",
        check: Check::Always(artifact_is_not_there),
    },
];

fn checkpoint_is_another(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let survey = facts.survey;
    if !survey.is_thorough || is_out_of_sight(survey, "checkpoints") {
        return;
    }
    for (sheet, context) in survey.agents.iter().zip(&survey.contexts) {
        let checkpoint = sheet
            .value
            .as_ref()
            .and_then(|agent| agent.checkpoint.as_ref());
        let Some(noted) = checkpoint.and_then(|checkpoint| checkpoint.context_hash.as_deref())
        else {
            continue;
        };
        let id = sheet.stem();
        let message = match &context.hash {
            Some(hash) if hash == noted => continue,
            Some(_) => format!("checkpoints/{id}/context.json is not the one noted here"),
            None => format!(
                "there is no checkpoints/{id}/context.json that can be read, but its hash is noted here"
            ),
        };
        // What is not there cannot be saved.
        let ways = match context.hash {
            Some(_) => format!(
                "save the one that is there with `mcell checkpoint save {id}`, or bring the newest saved one back with \
                 `mcell checkpoint restore {id}`"
            ),
            None => format!(
                "bring the newest saved one back with `mcell checkpoint restore {id}`, or write null at `checkpoint` \
                 with `mcell agent edit {id}`"
            ),
        };
        findings.add(
            Finding::new("MC081", Severity::Warning, &*sheet.file, message)
                .value("/checkpoint/context_hash")
                .hint(ways),
        );
    }
}

/// A survey lists at most some ten thousand files and folders. Near that it may not have seen all, and says nothing.
const ALL_SEEN: usize = 5_000;

fn artifact_is_not_there(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let survey = facts.survey;
    if !survey.is_thorough
        || survey.artifacts.len() > ALL_SEEN
        || is_out_of_sight(survey, "artifacts")
    {
        return;
    }
    for (sheet, task) in facts.tasks() {
        if task.artifacts.is_empty() || task_status(sheet) != Some(TaskStatus::Completed) {
            continue;
        }
        for (index, name) in task.artifacts.iter().enumerate() {
            let name = name.strip_prefix("./").unwrap_or(name);
            let Some(below) = name.strip_prefix("artifacts/") else {
                continue;
            };
            if !is_there(survey, below) {
                findings.add(
                    Finding::new(
                        "MC082",
                        Severity::Warning,
                        &*sheet.file,
                        format!(
                            "task `{}` is completed, but `{}` is not there",
                            sheet.stem(),
                            said(name)
                        ),
                    )
                    .value(item(sheet, "/artifacts", index))
                    .hint(format!(
                        "put the file there, or correct its name with `mcell task edit {}`",
                        sheet.stem()
                    )),
                );
            }
        }
    }
}

/// Tells whether a file is there, or a folder with a file in it.
fn is_there(survey: &Survey<'_>, below: &str) -> bool {
    // The survey goes no deeper.
    if below.matches('/').count() >= 8 {
        return true;
    }
    let below = below.trim_end_matches('/');
    let from = survey
        .artifacts
        .partition_point(|file| file.as_str() < below);
    let mut files = survey.artifacts.iter().skip(from);
    // Names like "code-2" and "code.py" stand between "code" and "code/x".
    let mut like = files.by_ref().take_while(|file| file.starts_with(below));
    like.any(|file| {
        let rest = file.strip_prefix(below);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Tells whether a folder is something else than a folder that can be looked into.
fn is_out_of_sight(survey: &Survey<'_>, folder: &str) -> bool {
    survey.oddities.iter().any(|odd| {
        odd.path == folder
            && !matches!(
                odd.kind,
                OddityKind::MissingFolder | OddityKind::WorldWritable(_)
            )
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use crate::mission::survey::OddityKind;
    use serde_json::{Value, json};

    fn noted(hash: &str) -> Built {
        cell().agent("agent_001", json!({"checkpoint": {"context_hash": hash}}))
    }

    #[test]
    fn a_checkpoint_is_the_one_noted() {
        let (one, other) = ("a".repeat(64), "b".repeat(64));
        assert!(
            noted(&one)
                .context("agent_001", Some(&one))
                .codes()
                .is_empty()
        );
        let found = noted(&one).context("agent_001", Some(&other)).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC081", Spot::Value("/checkpoint/context_hash".into()))
        );
        assert!(
            noted(&one)
                .thorough()
                .only()
                .message
                .starts_with("there is no checkpoints/agent_001/")
        );
        assert!(noted(&one).codes().is_empty(), "a quick look knows nothing");
        let linked = noted(&one).thorough().odd("checkpoints", OddityKind::Link);
        assert!(linked.of("MC081").is_empty());
    }

    #[test]
    fn what_was_handed_in_is_there() {
        let task = |status: &str, artifacts: Value| {
            let completed = (status == "completed").then_some("2026-01-02T03:30:00Z");
            cell()
                .agent("agent_001", json!({}))
                .task(
                    "task_001",
                    json!({"status": status, "completed_at": completed, "artifacts": artifacts}),
                )
                .artifact("code-2.py")
                .artifact("code/x.py")
        };
        let good = json!([
            "artifacts/code/x.py",
            "./artifacts/code-2.py",
            "artifacts/code",
            "artifacts/code/",
            "src/y.py"
        ]);
        assert!(task("completed", good).codes().is_empty());
        let lost = json!(["artifacts/code/x.py", "artifacts/code/y.py"]);
        let found = task("completed", lost.clone()).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC082", Spot::Value("/artifacts/1".into()))
        );
        assert!(task("pending", lost).codes().is_empty());
        assert_eq!(
            task("completed", json!(["artifacts/cod"])).codes(),
            ["MC082"]
        );
    }
}
