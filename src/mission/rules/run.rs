//! How agents are run and watched: a command that can be started, and times and signals that make sense.

use super::known::{escaped, is_sound, item, said};
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::base::signal;
use crate::base::text::{Text, nearest};
use crate::mission::agent::Run;
use crate::mission::placeholder::{PLACEHOLDERS, STATE, names_in_braces};
use crate::mission::sheet::AgentSheet;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC077",
        name: "command-that-cannot-run",
        severity: Severity::Error,
        summary: "An agent's command is a program with its whole path, and uses only known placeholders.",
        why: "No shell is involved: the program is started as it stands. An empty command starts nothing; a bare name \
              (a warning) depends on the PATH of whoever starts it; an unknown placeholder stops the start. With \
              {state.KEY} and no fresh_command (a note) the agent cannot begin without a checkpoint. Only lower-case \
              words in braces are placeholders, and not after a `$`.",
        example: r#"{ "run": { "command": ["hermes", "--session", "{sesion}"] } }"#,
        mend: "Write the whole path of the program; the placeholders are {cell}, {agent}, {checkpoint}, {state.KEY}.",
        check: Check::Always(command_that_cannot_run),
    },
    Rule {
        code: "MC078",
        name: "dead-before-the-next-beat",
        severity: Severity::Warning,
        summary: "The silence that means dead is at least as long as the time between beats.",
        why: "The agent would be taken for dead before its next beat is due.",
        example: r#"{ "health": { "interval": 60, "timeout": 30 } }"#,
        mend: "Make the timeout several times the interval; the defaults are 300 and 30 seconds.",
        check: Check::Always(dead_before_the_next_beat),
    },
    Rule {
        code: "MC079",
        name: "unknown-signal",
        severity: Severity::Error,
        summary: "The stop_signal of an agent is a signal of the system.",
        why: "It is what asks the agent to end. One that does not exist cannot be sent, and the agent would be killed \
              without having saved its work.",
        example: r#"{ "run": { "stop_signal": "SIGTREM" } }"#,
        mend: "Write a name of signal(7), such as SIGTERM or SIGINT.",
        check: Check::Always(unknown_signal),
    },
];

fn command_that_cannot_run(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        if let Some(run) = &agent.run
            && sheet.trusts("/run")
        {
            program(sheet, run, findings);
            placeholders(sheet, run, findings);
        }
    }
}

fn finding(sheet: &AgentSheet<'_>, severity: Severity, message: String) -> Finding {
    Finding::new("MC077", severity, &*sheet.file, message)
}

/// The first word of each command.
fn program(sheet: &AgentSheet<'_>, run: &Run<Text<'_>>, findings: &mut Findings) {
    for (field, command) in commands(run) {
        let pointer = format!("/run/{field}");
        if !is_sound(sheet, &pointer) {
            continue;
        }
        match command.first().map(|program| &**program) {
            // Only the command itself must be there.
            None if field != "command" => {}
            None | Some("") => findings.add(
                finding(sheet, Severity::Error, format!("run.{field} names no program"))
                    .value(pointer)
                    .hint("write the program's whole path, then its arguments"),
            ),
            Some(program) if program.starts_with(['/', '{']) => {}
            Some(program) => findings.add(
                finding(
                    sheet,
                    Severity::Warning,
                    format!("the program `{}` of run.{field} is not a whole path, so it depends on who starts it", said(program)),
                )
                .value(format!("{pointer}/0"))
                .hint("write its whole path, as `command -v` prints it"),
            ),
        }
    }
}

fn commands<'r, 's>(run: &'r Run<Text<'s>>) -> [(&'static str, &'r Vec<Text<'s>>); 3] {
    [
        ("command", &run.command),
        ("fresh_command", &run.fresh_command),
        ("checkpoint", &run.checkpoint),
    ]
}

fn placeholders(sheet: &AgentSheet<'_>, run: &Run<Text<'_>>, findings: &mut Findings) {
    let mut state = None;
    let mut look = |text: &str, pointer: &dyn Fn() -> String, findings: &mut Findings| {
        for name in names_in_braces(text) {
            if name.strip_prefix(STATE).is_some_and(|key| !key.is_empty()) {
                state.get_or_insert_with(|| (name.to_owned(), pointer()));
            } else if !PLACEHOLDERS.contains(&name) {
                findings.add(unknown_placeholder(sheet, name).value(pointer()));
            }
        }
    };
    for (index, text) in run.command.iter().enumerate() {
        look(text, &|| item(sheet, "/run/command", index), findings);
    }
    for (name, text) in &run.env.0 {
        look(text, &|| format!("/run/env/{}", escaped(name)), findings);
    }
    if let Some((name, pointer)) = state
        && run.fresh_command.is_empty()
        && is_sound(sheet, "/run/fresh_command")
    {
        findings.add(
            finding(
                sheet,
                Severity::Note,
                format!(
                    "with {{{}}} and no fresh_command the agent cannot start without a checkpoint",
                    said(&name)
                ),
            )
            .value(pointer)
            .hint("say in run.fresh_command how it begins anew"),
        );
    }
    // A start without a checkpoint has no state to fill in.
    for (index, text) in run.fresh_command.iter().enumerate() {
        for name in names_in_braces(text).filter(|name| !PLACEHOLDERS.contains(name)) {
            let pointer = item(sheet, "/run/fresh_command", index);
            findings.add(unknown_placeholder(sheet, name).value(pointer));
        }
    }
}

fn unknown_placeholder(sheet: &AgentSheet<'_>, name: &str) -> Finding {
    let (message, hint) = if name.starts_with(STATE) {
        (
            format!(
                "nothing can stand for {{{}}} here: a start without a checkpoint has no state",
                said(name)
            ),
            String::from("only {cell} and {agent} are known then"),
        )
    } else {
        let hint = match nearest(name, PLACEHOLDERS) {
            Some(like) => format!("did you mean {{{like}}}?"),
            None => String::from("known are {cell}, {agent}, {checkpoint} and {state.KEY}"),
        };
        (
            format!("the placeholder {{{}}} is not known", said(name)),
            hint,
        )
    };
    finding(sheet, Severity::Error, message).hint(hint)
}

fn dead_before_the_next_beat(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        let Some(health) = &agent.health else {
            continue;
        };
        if let (Some(interval), Some(timeout)) = (health.interval, health.timeout)
            && timeout < interval
        {
            findings.add(
                Finding::new(
                    "MC078",
                    Severity::Warning,
                    &*sheet.file,
                    format!("`{}` would be dead after {timeout} s, before a beat is due after {interval} s", sheet.stem()),
                )
                .value("/health/timeout")
                .hint("make the timeout several times the interval"),
            );
        }
    }
}

fn unknown_signal(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        let Some(wanted) = agent
            .run
            .as_ref()
            .and_then(|run| run.stop_signal.as_deref())
        else {
            continue;
        };
        if signal::named(wanted).is_some() {
            continue;
        }
        let finding = Finding::new(
            "MC079",
            Severity::Error,
            &*sheet.file,
            format!("`{}` is not a signal", said(wanted)),
        )
        .value("/run/stop_signal");
        let upper = wanted.to_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        findings.add(match nearest(name, signal::SIGNALS.map(|(name, _)| name)) {
            Some(like) => finding.hint(format!("did you mean `SIG{like}`?")),
            None => finding.hint("write its name, such as SIGTERM or SIGINT"),
        });
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!(…)` is said in place")]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::{Severity, Spot};
    use serde_json::{Value, json};

    fn run(run: Value) -> Built {
        cell().agent("agent_001", json!({"run": run}))
    }

    #[test]
    fn a_command_names_a_program_by_its_whole_path() {
        let command = |command: Value| run(json!({"command": command}));
        assert!(
            command(json!(["/usr/bin/agent", "--id", "{agent}"]))
                .codes()
                .is_empty()
        );
        for empty in [json!([]), json!([""])] {
            let found = command(empty).only();
            assert_eq!((found.code, found.severity), ("MC077", Severity::Error));
            assert_eq!(found.spot, Spot::Value("/run/command".into()));
        }
        let found = command(json!(["agent"])).only();
        assert_eq!(
            (found.severity, found.spot),
            (Severity::Warning, Spot::Value("/run/command/0".into()))
        );
        assert!(command(json!([7])).of("MC077").is_empty());
        assert!(run(json!({})).of("MC077").is_empty());
    }

    #[test]
    fn placeholders_are_known() {
        let found = run(json!({"command": ["/bin/a", "{agnet}"]})).only();
        assert_eq!(found.spot, Spot::Value("/run/command/1".into()));
        assert_eq!(found.hints, ["did you mean {agent}?"]);
        let found = run(json!({"command": ["/bin/a"], "env": {"A/B": "x{cells}y"}})).only();
        assert_eq!(found.spot, Spot::Value("/run/env/A~1B".into()));
        let none = json!([
            "/bin/a",
            "{}",
            "{\"a\": {b}",
            "${home}",
            "{HOME}",
            "a{b",
            "{cell}/{checkpoint}"
        ]);
        assert_eq!(
            run(json!({"command": none})).codes(),
            ["MC077"],
            "only {{b}}"
        );
    }

    #[test]
    fn what_needs_a_checkpoint_says_how_to_begin_without() {
        let resumes = json!(["/bin/a", "--resume", "{state.session}"]);
        let found = run(json!({"command": resumes})).only();
        assert_eq!((found.code, found.severity), ("MC077", Severity::Note));
        assert!(
            run(json!({"command": resumes, "fresh_command": ["/bin/a"]}))
                .codes()
                .is_empty()
        );
        let found = run(json!({"command": resumes, "fresh_command": resumes})).only();
        assert_eq!(
            (found.severity, found.spot),
            (Severity::Error, Spot::Value("/run/fresh_command/2".into()))
        );
    }

    #[test]
    fn nobody_is_dead_before_its_next_beat() {
        let health = |health: Value| cell().agent("agent_001", json!({"health": health}));
        let found = health(json!({"interval": 60, "timeout": 30})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC078", Spot::Value("/health/timeout".into()))
        );
        for good in [
            json!({"interval": 60, "timeout": 60}),
            json!({"timeout": 10}),
            json!({}),
        ] {
            assert!(health(good).codes().is_empty());
        }
    }

    #[test]
    fn a_signal_is_one_of_the_system() {
        let signal = |signal: &str| run(json!({"command": ["/bin/a"], "stop_signal": signal}));
        assert!(signal("SIGTERM").codes().is_empty() && signal("USR1").codes().is_empty());
        for (bad, hint) in [
            ("SIGTREM", "did you mean `SIGTERM`?"),
            ("sigint", "did you mean `SIGINT`?"),
            ("15", "write its name, such as SIGTERM or SIGINT"),
        ] {
            let found = signal(bad).only();
            assert_eq!((found.code, found.hints.concat().as_str()), ("MC079", hint));
        }
    }
}
