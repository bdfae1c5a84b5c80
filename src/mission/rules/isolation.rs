//! Isolation: one level, and settings that fit it.

use super::known::{is_sound, item, said};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::text::Text;
use crate::mission::isolation::{Isolation, Level, effective_level};
use crate::mission::sheet::{CellSheet, IsolationSheet};
use std::collections::HashSet;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC031",
        name: "isolation-said-twice",
        severity: Severity::Error,
        summary: "The isolation level is the same in cell.json and in config/isolation.json.",
        why: "A start uses the stricter of the two. A tool that reads only the other file runs agents more freely than \
              was decided.",
        example: r#"cell.json: { "isolation_level": "level_2" }
config/isolation.json: { "level": "none" }"#,
        mend: "Use `mcell isolation set`, which writes the level to both files.",
        check: Check::Always(isolation_said_twice),
    },
    Rule {
        code: "MC032",
        name: "level-includes-more",
        severity: Severity::Note,
        summary: "No flag denies what the isolation level includes.",
        why: "From level_2 up agents see a file tree of their own; mount_namespaces false does not change that.",
        example: r#"{ "level": "level_2", "mount_namespaces": false }"#,
        mend: "Set mount_namespaces to true, or choose a lower level.",
        check: Check::Always(level_includes_more),
    },
    Rule {
        code: "MC072",
        name: "no-such-user-can-be",
        severity: Severity::Warning,
        summary: "The user and group of agents are names or numbers that a system can have.",
        why: "An agent is started as this user. With a name that cannot be one every start fails.",
        example: r#"{ "security_context": { "user": "hermes:hermes" } }"#,
        mend: "Write a name (letters, digits, `_`, `-`, `.`, at most 32) or a number; the group has its own field.",
        check: Check::Always(no_such_user_can_be),
    },
    Rule {
        code: "MC073",
        name: "paths-of-the-cage",
        severity: Severity::Warning,
        summary: "Paths for agents are absolute, and none is both read-only and writable.",
        why: "They are folders outside the cell, so they have no folder to be relative to; and a folder is shown to \
              agents once, with one right.",
        example: r#"{ "read_only_paths": ["/srv/data"], "writable_paths": ["/srv/data", "out"] }"#,
        mend: "Write the whole path; take it out of the list that was not meant.",
        check: Check::Always(paths_of_the_cage),
    },
    Rule {
        code: "MC074",
        name: "container-without-image",
        severity: Severity::Note,
        summary: "A cell of level_3 whose agents mcell starts names an image.",
        why: "At level_3 each agent runs in a container, and a container needs an image or a folder to take its files \
              from. Until then the agents cannot be started.",
        example: r#"{ "level": "level_3" } and an agent with `run`"#,
        mend: "Name one in `image` of config/isolation.json.",
        check: Check::Always(container_without_image),
    },
];

type Read<'f, 's> = (&'f IsolationSheet<'s>, &'f Isolation<Text<'s>>);

/// config/isolation.json, if it could be read.
fn isolation<'f, 's>(facts: &Facts<'f, 's>) -> Option<Read<'f, 's>> {
    let sheet = facts.survey.isolation.as_ref()?;
    Some((sheet, sheet.value.as_ref()?))
}

/// The level in cell.json, if it can be trusted.
fn level_of_cell<'f, 's>(facts: &Facts<'f, 's>) -> Option<(&'f CellSheet<'s>, Level)> {
    let sheet = facts.survey.cell.as_ref()?;
    let level = sheet.value.as_ref()?.isolation_level;
    sheet.trusts("/isolation_level").then_some((sheet, level))
}

fn isolation_said_twice(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let (Some((cell, in_cell)), Some((sheet, config))) = (level_of_cell(facts), isolation(facts))
    else {
        return;
    };
    if in_cell == config.level || !sheet.trusts("/level") {
        return;
    }
    // The laxer of the two is the one that is not so.
    let ((file, pointer, here), (other, there)) = if config.level < in_cell {
        ((&sheet.file, "/level", config.level), (&cell.file, in_cell))
    } else {
        let here = (&cell.file, "/isolation_level", in_cell);
        (here, (&sheet.file, config.level))
    };
    let (here, there) = (here.word(), there.word());
    findings.add(
        Finding::new(
            "MC031",
            Severity::Error,
            &**file,
            format!("the isolation level is `{here}` here and `{there}` in {other}; the stricter, `{there}`, counts"),
        )
        .value(pointer)
        .hint("`mcell isolation set` writes both files"),
    );
}

fn level_includes_more(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some((sheet, isolation)) = isolation(facts) else {
        return;
    };
    if isolation.mount_namespaces == Some(false)
        && isolation.level.has_mount_namespace()
        && sheet.trusts("/level")
    {
        let level = isolation.level.word();
        findings.add(
            Finding::new(
                "MC032",
                Severity::Note,
                &*sheet.file,
                format!("mount_namespaces is false, but {level} includes them: agents do see a file tree of their own"),
            )
            .value("/mount_namespaces")
            .hint("write true, or choose a lower level with `mcell isolation set`"),
        );
    }
}

fn no_such_user_can_be(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some((sheet, isolation)) = isolation(facts) else {
        return;
    };
    let Some(context) = &isolation.security_context else {
        return;
    };
    for (field, name) in [("user", &context.user), ("group", &context.group)] {
        if let Some(name) = name.as_deref().filter(|name| !can_be_a_user(name)) {
            findings.add(
                Finding::new(
                    "MC072",
                    Severity::Warning,
                    &*sheet.file,
                    format!("`{}` cannot be the name of a {field}", said(name)),
                )
                .value(format!("/security_context/{field}"))
                .hint("write one name (letters, digits, `_`, `-` and `.`) or one number"),
            );
        }
    }
}

/// What useradd takes, more freely: upper case and dots are in use, though not everywhere. A number is an id.
fn can_be_a_user(name: &str) -> bool {
    let bytes = name.strip_suffix('$').unwrap_or(name).as_bytes();
    let is_number = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    let starts = bytes
        .first()
        .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_');
    let goes_on = bytes
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    name.len() <= 32 && (is_number || (starts && goes_on))
}

fn paths_of_the_cage(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some((sheet, isolation)) = isolation(facts) else {
        return;
    };
    let read_only: HashSet<&str> = isolation
        .read_only_paths
        .iter()
        .map(|path| path.trim_end_matches('/'))
        .collect();
    for (list, paths) in [
        ("/read_only_paths", &isolation.read_only_paths),
        ("/writable_paths", &isolation.writable_paths),
    ] {
        for (index, path) in paths.iter().enumerate() {
            let (what, way_out) = if !path.starts_with('/') {
                (
                    "is not an absolute path",
                    "write the whole path, from `/` on",
                )
            } else if list == "/writable_paths" && read_only.contains(path.trim_end_matches('/')) {
                (
                    "is to be writable, but stands in read_only_paths too",
                    "take it out of one of the two lists",
                )
            } else {
                continue;
            };
            findings.add(
                Finding::new(
                    "MC073",
                    Severity::Warning,
                    &*sheet.file,
                    format!("`{}` {what}", said(path)),
                )
                .value(item(sheet, list, index))
                .hint(way_out),
            );
        }
    }
}

fn container_without_image(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let config = isolation(facts);
    let cell = level_of_cell(facts);
    let stated = config.map(|(_, isolation)| isolation.level);
    let level = effective_level(cell.map_or(Level::None, |(_, level)| level), stated);
    if level != Level::Podman
        || config.is_some_and(|(sheet, isolation)| {
            isolation.image.is_some() || !is_sound(sheet, "/image")
        })
    {
        return;
    }
    let Some((agent, _)) = facts.agents().find(|(_, agent)| agent.run.is_some()) else {
        return;
    };
    let message = format!(
        "level_3 runs agents in containers, but no image is named; `{}` cannot be started",
        agent.stem()
    );
    let finding = |file: &str| {
        Finding::new("MC074", Severity::Note, file, message)
            .hint("name one in `image` of config/isolation.json")
    };
    match (config, cell) {
        (Some((sheet, isolation)), _) if isolation.level == Level::Podman => {
            findings.add(finding(&sheet.file).value("/level"));
        }
        (_, Some((sheet, _))) => findings.add(finding(&sheet.file).value("/isolation_level")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    fn levels(cell_says: &str, config_says: Value) -> Built {
        cell()
            .cell(json!({"isolation_level": cell_says}))
            .isolation(config_says)
    }

    #[test]
    fn the_level_is_said_once_or_alike() {
        assert!(
            levels("level_2", json!({"level": "level_2"}))
                .codes()
                .is_empty()
        );
        let found = levels("level_2", json!({"level": "none"})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC031", Spot::Value("/level".into()))
        );
        assert_eq!(
            found.message,
            "the isolation level is `none` here and `level_2` in cell.json; the stricter, `level_2`, counts"
        );
        let found = levels("none", json!({"level": "level_1"})).only();
        assert_eq!(
            (found.file.as_str(), found.spot),
            ("cell.json", Spot::Value("/isolation_level".into()))
        );
        assert!(
            levels("level_1", json!({"level": 1}))
                .of("MC031")
                .is_empty()
        );
        assert!(
            levels("level 1", json!({"level": "level_1"}))
                .of("MC031")
                .is_empty()
        );
    }

    #[test]
    fn a_level_includes_what_it_means() {
        let flag = |level: &str, flag: bool| {
            levels(level, json!({"level": level, "mount_namespaces": flag}))
        };
        assert_eq!(flag("level_2", false).only().code, "MC032");
        assert!(
            flag("level_2", true).codes().is_empty() && flag("level_1", false).codes().is_empty()
        );
    }

    #[test]
    fn a_user_can_be_one() {
        let user = |name: &str| {
            levels(
                "none",
                json!({"level": "none", "security_context": {"user": name, "group": "1000"}}),
            )
        };
        for good in ["hermes", "_www-data", "svc.Hermes", "1000", "host$"] {
            assert!(user(good).codes().is_empty(), "{good}");
        }
        for bad in ["hermes:hermes", "-x", "a/b", "$", &"x".repeat(33)] {
            let found = user(bad).only();
            assert_eq!(
                (found.code, found.spot),
                ("MC072", Spot::Value("/security_context/user".into())),
                "{bad}"
            );
        }
        assert!(user("two words").of("MC072").is_empty());
    }

    #[test]
    fn paths_are_absolute_and_have_one_right() {
        let paths = |read: Value, write: Value| {
            levels(
                "none",
                json!({"level": "none", "read_only_paths": read, "writable_paths": write}),
            )
        };
        assert!(
            paths(json!(["/srv/data"]), json!(["/srv/data2"]))
                .codes()
                .is_empty()
        );
        let found = paths(json!(["/srv", "data"]), json!([])).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC073", Spot::Value("/read_only_paths/1".into()))
        );
        let found = paths(json!(["/srv/data/"]), json!(["/srv/data"])).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC073", Spot::Value("/writable_paths/0".into()))
        );
    }

    #[test]
    fn a_container_has_an_image_if_mcell_starts_it() {
        let runs = json!({"run": {"command": ["/usr/bin/agent"]}});
        let built = levels("level_3", json!({"level": "level_3"}));
        assert!(
            built
                .clone()
                .agent("agent_001", json!({}))
                .codes()
                .is_empty()
        );
        let built = built.agent("agent_001", runs);
        let found = built.only();
        assert_eq!(
            (found.code, found.file.as_str()),
            ("MC074", "config/isolation.json")
        );
        assert_eq!(
            built.clone().without("config/isolation.json").only().file,
            "cell.json"
        );
        let named = built.isolation(json!({"level": "level_3", "image": "hermes:1"}));
        assert!(named.codes().is_empty());
    }
}
