//! What the user has set: variables, config, completion scripts.

use super::Check;
use crate::base::finding::Severity;
use crate::base::text::{nearest, quoted, shown};
use crate::base::variables;
use crate::ops::config;
use crate::ops::session::Session;
use crate::store::{journal, lock};
use std::path::PathBuf;

pub(super) fn look(session: &Session, checks: &mut Vec<Check>) {
    variables_in_force(session, checks);
    config_file(session, checks);
    completion_scripts(session, checks);
}

/// What a variable counts, if it is a number.
fn unit_of(name: &str) -> Option<&'static str> {
    match name {
        lock::KNOB => Some("seconds"),
        journal::KNOB => Some("bytes"),
        _ => None,
    }
}

fn variables_in_force(session: &Session, checks: &mut Vec<Check>) {
    let names = session.env.names("MCELL_");
    let before = checks.len();
    let known = || variables::ALL.iter().map(|variable| variable.name);
    let mut set = Vec::new();
    for name in &names {
        let Some(value) = session.env.word(name) else {
            continue;
        };
        set.push(format!("{name}={}", shown(value)));
        if !known().any(|known| known == name) {
            let check = Check::warning(
                "variables",
                format!("{name} is set, and means nothing to mcell"),
            );
            checks.push(match nearest(name, known()) {
                Some(meant) => Check {
                    why: format!("{name} is set, and means nothing to mcell: is {meant} meant?"),
                    ..check
                }
                .command(format!("export {meant}={}; unset {name}", quoted(value))),
                None => check.command(format!("unset {name}")),
            });
        } else if name == "MCELL_NOW" {
            let why = match crate::base::clock::Time::parse(value) {
                Some(_) => format!("MCELL_NOW fixes the time at {}", shown(value)),
                None => format!(
                    "MCELL_NOW is not a time, and so not heeded: {}",
                    shown(value)
                ),
            };
            checks.push(Check::warning("variables", why).command("unset MCELL_NOW"));
        } else if let Some(unit) = unit_of(name)
            && value.parse::<u64>().is_err()
        {
            checks.push(
                Check::problem(
                    "variables",
                    format!("{name} is not a number of {unit}: {}", shown(value)),
                )
                .command(format!("unset {name}")),
            );
        }
    }
    if checks.len() == before {
        let why = if set.is_empty() {
            String::from("none of MCELL_… is set")
        } else {
            set.join(", ")
        };
        checks.push(Check::ok("variables", why));
    }
}

fn config_file(session: &Session, checks: &mut Vec<Check>) {
    let (file, findings) = match config::check(&session.env, None) {
        Ok(Some(found)) => found,
        Ok(None) => {
            checks.push(Check::ok("config", "none, and none is needed"));
            return;
        }
        Err(error) => {
            let check = Check::problem("config", error.message());
            checks.push(match session.env.path("MCELL_CONFIG") {
                Some(_) => check.command("unset MCELL_CONFIG"),
                None => check.command("ls -l ~/.lazarus/config.json /etc/lazarus/config.json"),
            });
            return;
        }
    };
    if findings.is_empty() {
        checks.push(Check::ok("config", file.display().to_string()));
    }
    for finding in findings {
        let trouble = finding.trouble;
        let mut why = trouble.message().to_owned();
        if let Some(place) = trouble.place() {
            why = format!("{}:{}:{}: {why}", place.file, place.line, place.column);
        }
        let check = match finding.severity {
            Severity::Error => Check::problem("config", why),
            _ => Check::warning("config", why),
        };
        let file = quoted(&file.display().to_string());
        checks.push(check.command(format!("${{EDITOR:-vi}} {file}")));
    }
}

/// The places where shells find completion scripts by themselves, and README says to put ours.
const SCRIPTS: [(&str, &str); 10] = [
    ("bash", "~/.local/share/bash-completion/completions/mcell"),
    ("bash", "/usr/local/share/bash-completion/completions/mcell"),
    ("bash", "/usr/share/bash-completion/completions/mcell"),
    ("bash", "/etc/bash_completion.d/mcell"),
    ("zsh", "~/.zfunc/_mcell"),
    ("zsh", "/usr/local/share/zsh/site-functions/_mcell"),
    ("zsh", "/usr/share/zsh/site-functions/_mcell"),
    ("zsh", "/usr/share/zsh/vendor-completions/_mcell"),
    ("fish", "~/.config/fish/completions/mcell.fish"),
    ("fish", "/usr/share/fish/vendor_completions.d/mcell.fish"),
];

fn completion_scripts(session: &Session, checks: &mut Vec<Check>) {
    let before = checks.len();
    let mut current = Vec::new();
    for (shell, place) in SCRIPTS {
        let file = session.env.resolve(&PathBuf::from(place));
        let Some(version) = version_of(&file) else {
            continue;
        };
        if version == env!("CARGO_PKG_VERSION") {
            current.push(format!("{shell}: {}", file.display()));
            continue;
        }
        let file = quoted(&file.display().to_string());
        let own = place.starts_with('~');
        let command = if own {
            format!("mcell completions {shell} > {file}")
        } else {
            format!("mcell completions {shell} | sudo tee {file} >/dev/null")
        };
        let why = format!("{file} is of version {version}, and completes nothing");
        checks.push(Check::warning("completions", why).command(command));
    }
    if checks.len() > before {
        return;
    }
    checks.push(if current.is_empty() {
        Check::ok(
            "completions",
            "none in the usual places; `mcell completions --help` says where to put them",
        )
    } else {
        Check::ok("completions", current.join(", "))
    });
}

/// The version in a completion script; none if there is no script.
#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own file, not a mission's"
)]
fn version_of(file: &std::path::Path) -> Option<String> {
    let script = std::fs::read(file).ok()?;
    let script = String::from_utf8_lossy(&script);
    let (_, rest) = script
        .split_once("MCELL_COMPLETE_VERSION=")
        .unwrap_or(("", "none"));
    let version = rest.trim_start_matches('"');
    let end = version
        .find(|letter: char| letter == '"' || letter.is_whitespace())
        .unwrap_or(version.len());
    version
        .get(..end)
        .map(|version| shown(version).into_owned())
}
