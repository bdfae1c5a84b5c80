//! Times: they agree with the states and with each other, and none lies in the future.

use super::{Check, Facts, Findings, Rule};
use crate::base::clock::Time;
use crate::base::finding::{Finding, Severity};
use crate::mission::sheet::Sheet;
use crate::mission::task::TaskStatus;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC024",
        name: "completed-without-a-time",
        severity: Severity::Error,
        summary: "A completed task says when it was completed.",
        why: "The specification asks for it, and what counts how long work took has nothing to go by.",
        example: r#"{ "status": "completed", "completed_at": null }"#,
        mend: "Set completed_at, or, if it is not done, set the status back.",
        check: Check::Always(completed_without_a_time),
    },
    Rule {
        code: "MC025",
        name: "completed-before-created",
        severity: Severity::Error,
        summary: "A task is completed after it was created.",
        why: "One of the two times is wrong. Often one was written in local time and called UTC.",
        example: r#"{ "created_at": "2026-01-02T03:00:00Z", "completed_at": "2026-01-01T03:00:00Z" }"#,
        mend: "Correct the time that is wrong.",
        check: Check::Always(completed_before_created),
    },
    Rule {
        code: "MC027",
        name: "time-without-completion",
        severity: Severity::Warning,
        summary: "Only a completed task has completed_at.",
        why: "Tools that go by the time take it for done, those that go by the status do not.",
        example: r#"{ "status": "pending", "completed_at": "2026-01-02T03:00:00Z" }"#,
        mend: "Set completed_at to null, or the status to completed.",
        check: Check::Always(time_without_completion),
    },
    Rule {
        code: "MC059",
        name: "in-the-future",
        severity: Severity::Note,
        summary: "Nothing was created or completed more than a day from now.",
        why: "The clock of the machine that wrote it was wrong, or this one's is. What is ordered by time comes out in \
              the wrong order until then.",
        example: r#"{ "created_at": "2062-01-02T03:00:00Z" }"#,
        mend: "Compare the clocks (`date -u`), and correct the time.",
        check: Check::Always(in_the_future),
    },
];

/// Clocks of neighbouring machines may differ, and zones be mistaken, by less than this.
const A_DAY: i64 = 86_400;

fn completed_without_a_time(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        if task.status != TaskStatus::Completed
            || task.completed_at.is_some()
            || !sheet.trusts("/status")
            || !sheet.trusts("/completed_at")
        {
            continue;
        }
        findings.add(
            Finding::new(
                "MC024",
                Severity::Error,
                &*sheet.file,
                format!(
                    "task `{}` is completed, but has no completed_at",
                    sheet.stem()
                ),
            )
            .value("/status")
            .hint(format!(
                "write when it was, as `date -u +%FT%TZ` prints it, or open it again with `mcell task reopen {}`",
                sheet.stem()
            )),
        );
    }
}

fn completed_before_created(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        let Some(completed) = task.completed_at.filter(|time| *time < task.created_at) else {
            continue;
        };
        // A flawed created_at stands here as 1970, which nothing comes before but what is older still.
        if !sheet.trusts("/created_at") {
            continue;
        }
        findings.add(
            Finding::new(
                "MC025",
                Severity::Error,
                &*sheet.file,
                format!(
                    "task `{}` was completed at {completed}, before it was created at {}",
                    sheet.stem(),
                    task.created_at
                ),
            )
            .value("/completed_at")
            .hint("correct the one that is wrong: a local time is written with its offset, like +02:00"),
        );
    }
}

fn time_without_completion(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        if task.completed_at.is_none()
            || task.status == TaskStatus::Completed
            || !sheet.trusts("/status")
        {
            continue;
        }
        let status = task.status.word().replace('_', " ");
        findings.add(
            Finding::new(
                "MC027",
                Severity::Warning,
                &*sheet.file,
                format!(
                    "task `{}` is {status}, but has a completed_at",
                    sheet.stem()
                ),
            )
            .value("/completed_at")
            .hint(format!(
                "write null there, or the status completed, with `mcell task edit {}`",
                sheet.stem()
            )),
        );
    }
}

fn in_the_future(facts: &Facts<'_, '_>, findings: &mut Findings) {
    if let Some(sheet) = &facts.survey.cell
        && let Some(cell) = &sheet.value
    {
        one_time(facts, sheet, "created_at", cell.created_at, findings);
    }
    for (sheet, task) in facts.tasks() {
        one_time(facts, sheet, "created_at", task.created_at, findings);
        if let Some(completed) = task.completed_at {
            one_time(facts, sheet, "completed_at", completed, findings);
        }
    }
}

fn one_time<T>(
    facts: &Facts<'_, '_>,
    sheet: &Sheet<'_, T>,
    field: &str,
    time: Time,
    findings: &mut Findings,
) {
    if time.since(facts.now) <= A_DAY {
        return;
    }
    findings.add(
        Finding::new(
            "MC059",
            Severity::Note,
            &*sheet.file,
            format!("{field} is {time}, which lies in the future"),
        )
        .value(format!("/{field}"))
        .hint("compare the clocks with `date -u`, and correct the time"),
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    fn task(with: Value) -> Built {
        cell().agent("agent_001", json!({})).task("task_001", with)
    }

    #[test]
    fn what_is_completed_says_when() {
        for absent in [
            json!({"status": "completed"}),
            json!({"status": "completed", "completed_at": null}),
        ] {
            let found = task(absent).only();
            assert_eq!(
                (found.code, found.spot),
                ("MC024", Spot::Value("/status".into()))
            );
        }
        let flawed = task(json!({"status": "completed", "completed_at": "yesterday"}));
        assert!(flawed.of("MC024").is_empty());
    }

    #[test]
    fn nothing_is_completed_before_it_is_created() {
        let at = |time: &str| task(json!({"status": "completed", "completed_at": time}));
        assert_eq!(at("2026-01-02T02:59:59Z").only().code, "MC025");
        assert!(at("2026-01-02T03:00:00Z").codes().is_empty());
        // Another zone, the same moment.
        assert!(at("2026-01-02T02:00:00-01:00").codes().is_empty());
    }

    #[test]
    fn only_what_is_completed_has_a_time_of_it() {
        let found =
            task(json!({"status": "failed", "completed_at": "2026-01-02T03:30:00Z"})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC027", Spot::Value("/completed_at".into()))
        );
        let flawed = task(json!({"status": "done", "completed_at": "2026-01-02T03:30:00Z"}));
        assert!(flawed.of("MC027").is_empty());
    }

    #[test]
    fn nothing_comes_from_the_future() {
        let built = task(json!({}));
        assert!(built.clone().now("2026-01-01T03:00:00Z").codes().is_empty());
        assert_eq!(
            built.now("2026-01-01T02:59:59Z").codes(),
            ["MC059", "MC059"]
        );
    }
}
