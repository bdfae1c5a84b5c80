//! Permissions: what is granted can be used.

use super::known::{few, is_sound, item};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::Text;
use crate::mission::sheet::PermissionsSheet;
use std::collections::HashSet;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC037",
        name: "permission-beyond-the-role",
        severity: Severity::Error,
        summary: "Agents that read or audit are granted neither write nor execute.",
        why: "The role caps what an entry may grant, so mcell refuses what is granted here. A tool that goes by the \
              entry alone lets an auditor change what it audits.",
        example: r#"agents/agent_003.json: { "role": "audit" }
config/permissions.json: { "agent_003": { "write": ["*"] } }"#,
        mend: "Take the grant out with `mcell permission revoke`, or give the agent another role.",
        check: Check::Always(permission_beyond_the_role),
    },
    Rule {
        code: "MC080",
        name: "work-that-cannot-be-read",
        severity: Severity::Warning,
        summary: "What an agent may write or execute, it may also read.",
        why: "A list limits: with `read` there, the agent sees only those tasks, and cannot do one that it cannot see.",
        example: r#"{ "agent_001": { "read": ["task_001"], "execute": ["task_001", "task_002"] } }"#,
        mend: "Name the task under `read` too (`mcell permission grant`), or take the whole list out.",
        check: Check::Always(work_that_cannot_be_read),
    },
];

fn permission_beyond_the_role(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(sheet) = &facts.survey.permissions else {
        return;
    };
    for (id, entry) in sheet.value.iter().flat_map(|entries| &entries.0) {
        let Some(agent) = facts.survey.agent(id) else {
            continue;
        };
        let Some(role) = agent.value.as_ref().map(|agent| agent.role) else {
            continue;
        };
        if role.may_work() || !agent.trusts("/role") {
            continue;
        }
        for (verb, list) in [("write", &entry.write), ("execute", &entry.execute)] {
            if list.as_ref().is_some_and(|list| !list.is_empty()) {
                let role = role.word();
                findings.add(
                    Finding::new(
                        "MC037",
                        Severity::Error,
                        &*sheet.file,
                        format!(
                            "`{}` is granted {verb}, but its role is {role}, which never may",
                            &**id
                        ),
                    )
                    .value(format!("/{}/{verb}", &**id))
                    .hint(format!(
                        "empty the list, or let it write with `mcell agent set {} role=write`",
                        &**id
                    )),
                );
            }
        }
    }
}

fn work_that_cannot_be_read(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(sheet) = &facts.survey.permissions else {
        return;
    };
    for (id, entry) in sheet.value.iter().flat_map(|entries| &entries.0) {
        let Some(read) = &entry.read else {
            continue;
        };
        let role = facts
            .survey
            .agent(id)
            .and_then(|agent| agent.value.as_ref());
        // Whoever may do nothing needs no sight of it; that it was granted anything has been said.
        if !role.is_some_and(|agent| agent.role.may_work())
            || read.iter().any(|task| &**task == "*")
        {
            continue;
        }
        for (verb, list) in [("execute", &entry.execute), ("write", &entry.write)] {
            if let Some(list) = list
                && add_unreadable(sheet, id, verb, (read, list), findings)
            {
                break;
            }
        }
    }
}

/// One finding for the tasks of a list that are not in the list of those that may be read; tells whether there is any.
fn add_unreadable(
    sheet: &PermissionsSheet<'_>,
    id: &str,
    verb: &str,
    (read, list): (&[Text<'_>], &[Text<'_>]),
    findings: &mut Findings,
) -> bool {
    // Both are mostly written in one order, so a look at the next is mostly enough and nothing is allocated.
    let mut next = read.iter();
    if list.iter().all(|task| next.any(|known| **known == **task)) {
        return false;
    }
    let read: HashSet<&str> = read.iter().map(|task| &**task).collect();
    let unread = |task: &&str| !read.contains(*task);
    let Some(index) = list.iter().position(|task| unread(&&**task)) else {
        return false;
    };
    // What has a flaw is left out of the list as read, and may be what is missed here.
    if !is_sound(sheet, &format!("/{id}/read")) {
        return false;
    }
    let tasks = list.iter().map(|task| &**task).filter(unread);
    let first = list.get(index);
    let what = if first.is_some_and(|task| &**task == "*") {
        String::from("every task, but may read only some")
    } else {
        format!("{}, but may not read that", few(tasks))
    };
    findings.add(
        Finding::new(
            "MC080",
            Severity::Warning,
            &*sheet.file,
            format!("`{id}` may {verb} {what}"),
        )
        .value(item(sheet, &format!("/{id}/{verb}"), index))
        .hint(format!(
            "let it read that too, with `mcell permission grant {id} read {}`",
            match first {
                Some(task) if &**task != "*" => task,
                _ => "'*'",
            }
        )),
    );
    true
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!(…)` is said in place")]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    fn entry(role: &str, entry: Value) -> Built {
        cell()
            .agent("agent_001", json!({"role": role}))
            .agent("agent_002", json!({}))
            .task("task_001", json!({}))
            .task("task_002", json!({}))
            .permissions(json!({"agent_001": entry}))
    }

    #[test]
    fn the_role_caps_what_is_granted() {
        for role in ["read", "audit"] {
            let found = entry(role, json!({"read": ["*"], "write": ["task_001"]})).only();
            assert_eq!(
                (found.code, found.spot),
                ("MC037", Spot::Value("/agent_001/write".into()))
            );
            let nothing = entry(role, json!({"read": ["*"], "write": [], "execute": []}));
            assert!(nothing.codes().is_empty());
        }
        let all = json!({"read": ["*"], "write": ["*"], "execute": ["*"]});
        assert!(entry("lead", all.clone()).codes().is_empty());
        assert!(entry("boss", all).of("MC037").is_empty());
    }

    #[test]
    fn what_may_be_done_may_be_read() {
        let found = entry(
            "write",
            json!({"read": ["task_001"], "execute": ["task_002", "task_001"]}),
        )
        .only();
        assert_eq!(
            (found.code, found.spot),
            ("MC080", Spot::Value("/agent_001/execute/0".into()))
        );
        assert_eq!(
            found.message,
            "`agent_001` may execute `task_002`, but may not read that"
        );
        let star = entry("write", json!({"read": ["task_001"], "write": ["*"]})).only();
        assert_eq!(
            star.message,
            "`agent_001` may write every task, but may read only some"
        );
        for good in [
            json!({"read": ["task_002", "task_001"], "execute": ["task_001", "task_002"]}),
            json!({"read": ["*"], "execute": ["*"]}),
            json!({"execute": ["task_001"]}),
            json!({"read": [], "execute": []}),
        ] {
            assert!(entry("write", good).codes().is_empty());
        }
        assert!(
            entry("write", json!({"read": [7], "execute": ["task_001"]}))
                .of("MC080")
                .is_empty()
        );
    }
}
