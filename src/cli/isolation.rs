//! `mcell isolation`: how strictly the agents of a cell are kept apart, and what they may use.

use crate::base::error::{Error, Result};
use crate::base::text::{nearest, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::isolation::{Isolation, Level};
use crate::ops::isolation::{self, Shown, Wanted};
use crate::ops::set::Assignment;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::json;

/// Show and set how strictly the agents of a cell are kept apart
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell isolation show
  mcell isolation set process
  mcell isolation set mount --network off --memory 4GB")]
pub struct IsolationCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Show(Show),
    Set(Box<Set>),
}

/// Show the level that counts, where it is stated, and what agents may use
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell isolation show
  mcell isolation show -q                     the level alone")]
struct Show {}

/// Set the level, and what agents may use
///
/// The level is written to every file that states it, in one commit. A list (--capability, --writable, --read-only) is said
/// whole: what is not named is taken off it. `none` or `FIELD=` takes a limit or a field away. It holds from the next start
/// of each agent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell isolation set process
  mcell isolation set mount --network off --cpu 2 --memory 4GB
  mcell isolation set podman --image registry.example/agent:1 --user 1000
  mcell isolation set --writable /srv/data --writable /srv/out
  mcell isolation set --memory none writable_paths=

Levels: none (0), level_1 (1, process), level_2 (2, mount), level_3 (3, podman).")]
struct Set {
    /// The level, and fields of config/isolation.json as FIELD=VALUE
    #[arg(value_name = "LEVEL|FIELD=VALUE")]
    words: Vec<String>,
    /// Whether agents have a network
    #[arg(long, value_name = "WHETHER")]
    network: Option<Switch>,
    /// Processor time: 2, 0.5, 1500m; none
    #[arg(long, value_name = "CORES")]
    cpu: Option<String>,
    /// Memory: 4GB, 512MB; none
    #[arg(long, value_name = "BYTES")]
    memory: Option<String>,
    /// Disk: 10GB; none
    #[arg(long, value_name = "BYTES")]
    disk: Option<String>,
    /// The user that agents run as
    #[arg(long)]
    user: Option<String>,
    /// The group that agents run as
    #[arg(long)]
    group: Option<String>,
    /// A Linux capability that agents keep; may be said several times
    #[arg(long = "capability", value_name = "WORD", value_delimiter = ',')]
    capabilities: Vec<String>,
    /// A folder outside of the root that agents may write; may be said several times
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    writable: Vec<String>,
    /// A folder outside of the root that agents may read; may be said several times
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    read_only: Vec<String>,
    /// The container image of level_3
    #[arg(long)]
    image: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// The isolation as it is, or as it was and is.
struct Told {
    before: Option<Shown>,
    now: Shown,
}

impl Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        let now = &self.now;
        let Isolation {
            network_isolation,
            resource_limits,
            security_context,
            image,
            read_only_paths,
            writable_paths,
            environment,
            ..
        } = &now.isolation;
        let isolation = json!({
            "level": now.level.word(),
            "source": now.source(),
            "stated": {
                "cell.json": now.in_cell.word(),
                "config/isolation.json": now.in_config.map(Level::word),
            },
            "mount_namespaces": now.has_mount_namespace(),
            "network_isolation": network_isolation.unwrap_or(false),
            "resource_limits": resource_limits.clone().unwrap_or_default(),
            "security_context": security_context.clone().unwrap_or_default(),
            "image": image,
            "read_only_paths": read_only_paths,
            "writable_paths": writable_paths,
            "environment": environment,
        });
        out.collect_map([("isolation", isolation)])
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        let now = lines(&self.now);
        let Some(before) = &self.before else {
            for (name, value) in now {
                page.field(name, shown(&value));
            }
            return;
        };
        let before = lines(before);
        let mut is_changed = false;
        for ((name, was), (_, is)) in before.into_iter().zip(now) {
            if was != is {
                is_changed = true;
                page.field(name, format_args!("{} → {}", shown(&was), shown(&is)));
            }
        }
        page.line(match is_changed {
            true => "It holds from the next start of each agent",
            false => "Nothing changed",
        });
    }

    fn datum(&self) -> Option<String> {
        Some(self.now.level.word().to_owned())
    }
}

/// What is shown, always the same lines.
fn lines(now: &Shown) -> Vec<(&'static str, String)> {
    let isolation = &now.isolation;
    let limits = isolation.resource_limits.clone().unwrap_or_default();
    let context = isolation.security_context.clone().unwrap_or_default();
    let limit = |limit: Option<String>| limit.unwrap_or_else(|| String::from("no limit"));
    let list = |items: &[String]| match items {
        [] => String::from("(none)"),
        some => some.join(", "),
    };
    let meaning = match now.level {
        Level::None => "own session and process group",
        Level::Process => "process isolation",
        Level::Mount => "mount namespace",
        Level::Podman => "rootless Podman",
    };
    vec![
        ("level", format!("{}, {meaning}", now.level.word())),
        (
            "from",
            String::from(match now.in_config {
                Some(config) if config == now.in_cell => "cell.json and config/isolation.json",
                _ => now.source(),
            }),
        ),
        (
            "network",
            String::from(match isolation.network_isolation {
                Some(true) => "off",
                _ => "on",
            }),
        ),
        (
            "own file tree",
            String::from(if now.has_mount_namespace() {
                "yes"
            } else {
                "no"
            }),
        ),
        ("cpu", limit(limits.cpu)),
        ("memory", limit(limits.memory)),
        ("disk", limit(limits.disk)),
        ("user", context.user.unwrap_or_else(|| String::from(UNSAID))),
        (
            "group",
            context.group.unwrap_or_else(|| String::from(UNSAID)),
        ),
        ("capabilities", list(&context.capabilities)),
        (
            "image",
            isolation
                .image
                .clone()
                .unwrap_or_else(|| String::from("(none)")),
        ),
        ("read-only", list(&isolation.read_only_paths)),
        ("writable", list(&isolation.writable_paths)),
        ("environment", list(&isolation.environment)),
    ]
}

const UNSAID: &str = "(not set)";

impl IsolationCommand {
    /// Runs it.
    pub fn run(self, context: &Context) -> Outcome {
        let told = match self.verb {
            Verb::Show(Show {}) => {
                let cell = context.session.open_cell()?;
                let now = isolation::show(&cell)?;
                if let Some(config) = now.in_config.filter(|config| *config != now.in_cell) {
                    context.printer.warn(&format!(
                        "the level is stated twice: cell.json says {}, config/isolation.json says {}, and the stricter counts; \
                         `mcell isolation set {}` makes them agree",
                        now.in_cell.word(),
                        config.word(),
                        now.level.word()
                    ));
                }
                Told { before: None, now }
            }
            Verb::Set(set) => {
                let wanted = set.wanted()?;
                let cell = context.session.open_cell()?;
                let (before, now) = isolation::set(&context.session, &cell, &wanted)?;
                Told {
                    before: Some(before),
                    now,
                }
            }
        };
        context.printer.show(&told)?;
        Ok(0)
    }
}

impl Set {
    /// What was typed, as one set of wishes; each field once.
    fn wanted(self) -> Result<Wanted> {
        let mut wanted = Wanted::default();
        for word in &self.words {
            let level = match word.split_once('=') {
                Some(("level" | "isolation_level" | "isolation-level", level)) => level,
                Some(_) => {
                    wanted.fields.push(word.parse()?);
                    continue;
                }
                None => word,
            };
            if wanted.level.is_some() {
                return Err(Error::usage("the level is said twice"));
            }
            wanted.level = Some(level_of(level)?);
        }
        let network = self.network.map(|network| {
            String::from(match network {
                Switch::On => "false",
                Switch::Off => "true",
            })
        });
        for (name, value) in [
            ("network_isolation", network),
            ("cpu", self.cpu),
            ("memory", self.memory),
            ("disk", self.disk),
            ("user", self.user),
            ("group", self.group),
            (
                "capabilities",
                (!self.capabilities.is_empty()).then(|| self.capabilities.join(",")),
            ),
            ("writable_paths", list(&self.writable)?),
            ("read_only_paths", list(&self.read_only)?),
            ("image", self.image),
        ] {
            if let Some(value) = value {
                wanted.fields.push(Assignment {
                    name: name.to_owned(),
                    value: Some(value).filter(|value| !matches!(value.as_str(), "none" | "")),
                });
            }
        }
        if wanted.level.is_none() && wanted.fields.is_empty() {
            return Err(Error::usage("nothing was said to set")
                .hint("`mcell isolation set process`, or `--memory 4GB`; `mcell isolation show` shows what is"));
        }
        Ok(wanted)
    }
}

/// Items as a JSON list, since a path may have a comma in it; `none` alone empties the list.
fn list(items: &[String]) -> Result<Option<String>> {
    match items {
        [] => Ok(None),
        [none] if none == "none" => Ok(Some(String::new())),
        some => serde_json::to_string(some)
            .map(Some)
            .map_err(|error| Error::bug(error.to_string())),
    }
}

fn level_of(text: &str) -> Result<Level> {
    if let Some(level) = Level::typed(&text.to_lowercase()) {
        return Ok(level);
    }
    let words = [
        "none", "level_1", "level_2", "level_3", "process", "mount", "podman",
    ];
    let error = Error::usage(format!("`{}` is not an isolation level", shown(text)));
    Err(match nearest(text, words) {
        Some(meant) => error.hint(format!("is `{meant}` meant?")),
        None => error,
    }
    .hint("none (0), level_1 (1, process), level_2 (2, mount) or level_3 (3, podman)"))
}
