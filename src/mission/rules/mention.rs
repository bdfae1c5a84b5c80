//! Mentions: the settings of a cell name agents and tasks that are there, and no list names one twice.

use super::known::{Guesses, has_agent, has_task, is_sound, item};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Mend, Severity};
use crate::base::text::Text;
use crate::mission::permission::Permission;
use crate::mission::sheet::{PermissionsSheet, Sheet};
use std::collections::HashSet;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC035",
        name: "permissions-of-nobody-here",
        severity: Severity::Warning,
        summary: "The entries of config/permissions.json are for agents of the cell.",
        why: "An entry for an agent that is not there limits nobody. If its name is a typing error, the agent that was \
              meant is not limited at all.",
        example: r#"{ "agent_009": { "read": ["*"] } }"#,
        mend: "Correct the id, or remove the entry.",
        check: Check::Always(permissions_of_nobody_here),
    },
    Rule {
        code: "MC036",
        name: "permission-for-no-task",
        severity: Severity::Warning,
        summary: "Permissions name only tasks of the cell, or \"*\".",
        why: "A permission for a task that is not there grants nothing, and is granted unseen to the next task that \
              gets this id.",
        example: r#"{ "agent_001": { "write": ["task_999"] } }"#,
        mend: "Correct the id, or take it out of the list.",
        check: Check::Always(permission_for_no_task),
    },
    Rule {
        code: "MC038",
        name: "handoff-with-nobody-here",
        severity: Severity::Warning,
        summary: "Lists of handoffs name only agents of the cell, or \"*\".",
        why: "Work can be handed only to agents of the same cell. Such a list limits, so a typing error in it closes \
              the way that was meant to be open.",
        example: r#"{ "agent_001": { "handoff_to": ["agent_009"] } }"#,
        mend: "Correct the id, or take it out of the list.",
        check: Check::Always(handoff_with_nobody_here),
    },
    Rule {
        code: "MC039",
        name: "substitute-is-nobody-here",
        severity: Severity::Error,
        summary: "Every substitute is an agent of the cell.",
        why: "A substitute takes over when an agent cannot be brought back. One that is not there is only missed when \
              it is needed.",
        example: r#"config/policies.json: { "substitute_agents": ["agent_009"] }"#,
        mend: "Correct the id, take it out of the list, or add the agent.",
        check: Check::Always(substitute_is_nobody_here),
    },
    Rule {
        code: "MC053",
        name: "named-twice",
        severity: Severity::Warning,
        summary: "No list of ids names the same one twice.",
        why: "It changes nothing, but one of the two was probably meant to be another.",
        example: r#"{ "dependencies": ["task_001", "task_001"] }"#,
        mend: "Correct one of them, or take it out; `--fix` keeps the first.",
        check: Check::Always(named_twice),
    },
];

fn permissions_of_nobody_here(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(sheet) = &facts.survey.permissions else {
        return;
    };
    let mut guesses = Guesses::few();
    for (agent, _) in sheet.value.iter().flat_map(|entries| &entries.0) {
        if !has_agent(facts.survey, agent) {
            findings.add(
                Finding::new(
                    "MC035",
                    Severity::Warning,
                    &*sheet.file,
                    format!(
                        "there are permissions for `{}`, which is not in this cell",
                        &**agent
                    ),
                )
                .key(format!("/{}", &**agent))
                .hint(guesses.way_out(agent, agents(facts), || {
                    String::from("correct the id, or remove the entry")
                })),
            );
        }
    }
}

/// The ids of the agents.
fn agents<'f>(facts: &Facts<'f, '_>) -> impl Iterator<Item = &'f str> {
    facts.survey.agents.iter().map(|sheet| sheet.stem())
}

const OUT_OF_THE_LIST: &str = "correct the id, or take it out of the list";

/// The entries of agents that are in the cell: what one of nobody names has been said with it.
fn entries<'f, 's>(
    facts: &Facts<'f, 's>,
) -> impl Iterator<Item = (&'f PermissionsSheet<'s>, &'f str, &'f Permission<Text<'s>>)> {
    let survey = facts.survey;
    let sheets = survey.permissions.iter();
    sheets.flat_map(move |sheet| {
        let entries = sheet.value.iter().flat_map(|entries| &entries.0);
        entries
            .filter(move |(agent, _)| has_agent(survey, agent))
            .map(move |(agent, entry)| (sheet, &**agent, entry))
    })
}

fn permission_for_no_task(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let mut guesses = Guesses::few();
    for (sheet, agent, entry) in entries(facts) {
        let lists = [
            ("read", &entry.read),
            ("write", &entry.write),
            ("execute", &entry.execute),
        ];
        for (verb, list) in lists {
            let mut reader = Reader::default();
            for (index, task) in list.iter().flatten().enumerate() {
                if !reader.knows(facts, task) {
                    findings.add(
                        Finding::new(
                            "MC036",
                            Severity::Warning,
                            &*sheet.file,
                            format!(
                                "`{agent}` is granted {verb} on `{}`, which is not in this cell",
                                &**task
                            ),
                        )
                        .value(item(sheet, &format!("/{agent}/{verb}"), index))
                        .hint(guesses.way_out(
                            task,
                            facts.survey.tasks.iter().map(|sheet| sheet.stem()),
                            || OUT_OF_THE_LIST.into(),
                        )),
                    );
                }
            }
        }
    }
}

/// Looks up task ids that mostly stand in the order of the files: the next is looked for behind the last. On a root of
/// thousands of cells this list is the longest that is read, and halving costs six comparisons where this costs one.
#[derive(Default)]
struct Reader {
    next: usize,
}

impl Reader {
    fn knows(&mut self, facts: &Facts<'_, '_>, task: &str) -> bool {
        let tasks = &facts.survey.tasks;
        if tasks
            .get(self.next)
            .is_some_and(|sheet| sheet.stem() == task)
        {
            self.next += 1;
            return true;
        }
        if task == "*" {
            return true;
        }
        match facts.survey.task_at(task) {
            Some(at) => {
                self.next = at + 1;
                true
            }
            None => has_task(facts.survey, task),
        }
    }
}

fn handoff_with_nobody_here(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let mut guesses = Guesses::few();
    for (sheet, agent, entry) in entries(facts) {
        let lists = [
            ("handoff_to", &entry.handoff_to),
            ("handoff_from", &entry.handoff_from),
        ];
        for (name, list) in lists {
            for (index, other) in list.iter().flatten().enumerate() {
                if &**other != "*" && !has_agent(facts.survey, other) {
                    findings.add(
                        Finding::new(
                            "MC038",
                            Severity::Warning,
                            &*sheet.file,
                            format!(
                                "{name} of `{agent}` names `{}`, which is not in this cell",
                                &**other
                            ),
                        )
                        .value(item(sheet, &format!("/{agent}/{name}"), index))
                        .hint(guesses.way_out(
                            other,
                            agents(facts),
                            || OUT_OF_THE_LIST.into(),
                        )),
                    );
                }
            }
        }
    }
}

fn substitute_is_nobody_here(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(sheet) = &facts.survey.policies else {
        return;
    };
    let list = sheet
        .value
        .iter()
        .flat_map(|policies| policies.substitute_agents.iter().flatten());
    for (index, agent) in list.enumerate() {
        if !has_agent(facts.survey, agent) {
            findings.add(
                Finding::new(
                    "MC039",
                    Severity::Error,
                    &*sheet.file,
                    format!("the substitute `{}` is not in this cell", &**agent),
                )
                .value(item(sheet, "/substitute_agents", index))
                .hint(format!(
                    "add it with `mcell add-agent {} --role write`, or take it out of the list",
                    &**agent
                )),
            );
        }
    }
}

fn named_twice(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, task) in facts.tasks() {
        one_list(sheet, &task.dependencies, findings, || {
            "/dependencies".into()
        });
    }
    if let Some(sheet) = &facts.survey.policies {
        let list = sheet
            .value
            .as_ref()
            .and_then(|policies| policies.substitute_agents.as_ref());
        if let Some(list) = list {
            one_list(sheet, list, findings, || "/substitute_agents".into());
        }
    }
    for (sheet, agent, entry) in entries(facts) {
        let lists = [
            ("read", &entry.read),
            ("write", &entry.write),
            ("execute", &entry.execute),
            ("handoff_to", &entry.handoff_to),
            ("handoff_from", &entry.handoff_from),
        ];
        for (name, list) in lists {
            if let Some(list) = list {
                one_list(sheet, list, findings, || format!("/{agent}/{name}"));
            }
        }
    }
}

fn one_list<T>(
    sheet: &Sheet<'_, T>,
    list: &[Text<'_>],
    findings: &mut Findings,
    pointer: impl FnOnce() -> String,
) {
    // Lists are nearly always short and in order, which shows at a glance.
    if list.is_sorted_by(|one, next| **one < **next) {
        return;
    }
    let mut seen = HashSet::new();
    let again: Vec<usize> = (0..)
        .zip(list)
        .filter(|(_, id)| !seen.insert(&***id))
        .map(|(index, _)| index)
        .collect();
    let Some((first, id)) = again
        .first()
        .and_then(|first| Some((*first, list.get(*first)?)))
    else {
        return;
    };
    let pointer = pointer();
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let more = match again.len() {
        1 => String::new(),
        more => format!(", and {} more are named again", more - 1),
    };
    let mut finding = Finding::new(
        "MC053",
        Severity::Warning,
        &*sheet.file,
        format!("`{name}` names `{}` twice{more}", &**id),
    )
    .value(item(sheet, &pointer, first))
    .hint("take it out, or correct one of the two");
    // Writing the list anew would drop what has a flaw and stands only in the file.
    if is_sound(sheet, &pointer) {
        let mut kept = HashSet::new();
        let kept: Vec<&str> = list
            .iter()
            .map(|id| &**id)
            .filter(|id| kept.insert(*id))
            .collect();
        finding = finding.mend(Mend::Set(pointer, kept.into()));
    }
    findings.add(finding);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::{Mend, Spot};
    use serde_json::{Value, json};

    fn with(permissions: Value) -> Built {
        cell()
            .agent("agent_001", json!({}))
            .agent("agent_002", json!({}))
            .task("task_001", json!({}))
            .task("task_002", json!({}))
            .permissions(permissions)
    }

    #[test]
    fn permissions_are_of_someone_here() {
        let built =
            with(json!({"agent_009": {"read": ["task_999"]}, "agent_001": {"read": ["*"]}}));
        let found = built.only();
        assert_eq!(
            (found.code, found.spot),
            ("MC035", Spot::Key("/agent_009".into()))
        );
    }

    #[test]
    fn permissions_are_for_tasks_here() {
        let read = |ids: Value| with(json!({"agent_001": {"read": ids}}));
        assert!(
            read(json!(["task_002", "task_001", "*"]))
                .codes()
                .is_empty()
        );
        let found = read(json!(["task_002", "task_003", "task_001"])).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC036", Spot::Value("/agent_001/read/1".into()))
        );
        let unreadable = read(json!(["task_009"])).file("tasks/task_009.json", "[");
        assert!(unreadable.of("MC036").is_empty());
    }

    #[test]
    fn work_is_handed_to_agents_here() {
        let to = |ids: Value| with(json!({"agent_001": {"handoff_to": ids}}));
        assert!(to(json!(["agent_002", "*"])).codes().is_empty());
        let found = to(json!(["agent_002", "agent_003"])).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC038", Spot::Value("/agent_001/handoff_to/1".into()))
        );
        let from = with(json!({"agent_001": {"handoff_from": ["agent_003"]}}));
        assert_eq!(from.only().code, "MC038");
    }

    #[test]
    fn a_substitute_is_someone_here() {
        let built =
            with(json!({})).policies(json!({"substitute_agents": ["agent_002", "agent_004"]}));
        let found = built.only();
        assert_eq!(
            (found.code, found.spot),
            ("MC039", Spot::Value("/substitute_agents/1".into()))
        );
    }

    #[test]
    fn no_list_names_one_twice() {
        let depends = |ids: Value| with(json!({})).task("task_003", json!({"dependencies": ids}));
        assert!(depends(json!(["task_002", "task_001"])).codes().is_empty());
        let found = depends(json!(["task_002", "task_001", "task_002"])).only();
        assert_eq!(found.code, "MC053");
        assert_eq!(found.spot, Spot::Value("/dependencies/2".into()));
        assert_eq!(
            found.mend,
            Some(Mend::Set(
                "/dependencies".into(),
                json!(["task_002", "task_001"])
            ))
        );
        let found = depends(json!(["task_001", "task_001", "no id"])).of("MC053");
        assert!(found.len() == 1 && found[0].mend.is_none());
    }

    #[test]
    fn settings_name_nobody_twice() {
        let found = with(json!({"agent_001": {"write": ["*", "*"]}})).only();
        assert_eq!(
            (found.code, found.message.as_str()),
            ("MC053", "`write` names `*` twice")
        );
        let twice =
            with(json!({})).policies(json!({"substitute_agents": ["agent_002", "agent_002"]}));
        assert_eq!(twice.only().code, "MC053");
    }
}
