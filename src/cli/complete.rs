//! Dynamic completion: ids of cells, agents and tasks. On any error it offers nothing and says nothing.

use crate::base::env::Env;
use crate::cli::completions::Shell;
use crate::ops::Session;
use crate::store::cell::OpenCell;
use crate::store::{handoff, layout};
use clap::ValueEnum;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use std::ffi::{OsStr, OsString};
use std::io::Write;

/// Set by the completion stubs to the version that made them; a stub of another version completes nothing.
pub const VERSION_VARIABLE: &str = "MCELL_COMPLETE_VERSION";

/// The version that makes stubs, and answers them.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Answers a shell that asks for completions; none if nobody asks.
///
/// COMPLETE is a word that others may have set for their own ends: only the name of a shell makes mcell complete, for a
/// command that does nothing and says nothing is worse than one that does not complete.
#[allow(
    clippy::disallowed_methods,
    reason = "asked before anything else is known"
)]
pub fn answer() -> Option<u8> {
    let asked = std::env::var_os(super::completions::VARIABLE)?;
    let shell = Shell::from_str(asked.to_str()?, false).ok()?;
    let fits = std::env::var_os(VERSION_VARIABLE).is_none_or(|version| version == VERSION);
    if !fits {
        return Some(0);
    }
    std::panic::set_hook(Box::new(|_| {}));
    // What fails here offers nothing and says nothing: the line being typed is not ours to write on.
    let _ = std::panic::catch_unwind(|| {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        if arguments.iter().any(|argument| argument == "--") {
            let _ = clap_complete::CompleteEnv::with_factory(super::command)
                .try_complete(arguments, None);
        } else if let Ok(stub) = super::completions::stub(shell) {
            // `source <(COMPLETE=bash mcell)`, as other tools with this engine have it.
            let _ = std::io::stdout().write_all(stub.as_bytes());
        }
    });
    Some(0)
}

/// Completes cells: ids, with the mission's name.
pub fn cells() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let session = session();
        let Ok(known) = session
            .open_root()
            .and_then(|root| crate::ops::find::known_cells(&root))
        else {
            return Vec::new();
        };
        let about = known.into_iter().map(|known| {
            (
                known.id.to_string(),
                known.cell.map(|cell| cell.mission_name),
            )
        });
        candidates(typed, about)
    })
}

/// Completes agents of the cell that is meant.
pub fn agents() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let Some(cell) = cell() else {
            return Vec::new();
        };
        let ids = cell.agent_ids().unwrap_or_default();
        candidates(
            typed,
            ids.into_iter().map(|id| {
                (
                    id.to_string(),
                    cell.agent(&id).ok().flatten().map(|agent| agent.name),
                )
            }),
        )
    })
}

/// Completes tasks of the cell that is meant.
pub fn tasks() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let Some(cell) = cell() else {
            return Vec::new();
        };
        let ids = cell.task_ids().unwrap_or_default();
        candidates(
            typed,
            ids.into_iter().map(|id| {
                (
                    id.to_string(),
                    cell.task(&id).ok().flatten().map(|task| task.title),
                )
            }),
        )
    })
}

/// Completes what may be asked about: agents and tasks of the cell that is meant.
pub fn agents_and_tasks() -> ArgValueCompleter {
    let (agents, tasks) = (agents(), tasks());
    ArgValueCompleter::new(move |typed: &OsStr| {
        let mut all = agents.complete(typed);
        all.extend(tasks.complete(typed));
        all
    })
}

/// Completes handoffs that wait in the cell that is meant.
pub fn handoffs() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let Some(cell) = cell() else {
            return Vec::new();
        };
        let ids = handoff::ids(&cell, layout::OFFERS).unwrap_or_default();
        let about = ids.into_iter().map(|id| {
            let file = layout::offer(&id);
            let offered = handoff::read(&cell, &file).ok().flatten();
            let way = offered.map(|one| format!("{} to {}", one.task_id, one.to));
            (id.to_string(), way)
        });
        candidates(typed, about)
    })
}

/// Where the command line being typed says it is: its `--root` and `--cell`, if they are typed already.
#[allow(
    clippy::disallowed_methods,
    reason = "the words of the line being typed are the arguments"
)]
fn session() -> Session {
    let mut session = Session::quiet(Env::of_process());
    let words: Vec<String> = std::env::args_os()
        .filter_map(|word| word.into_string().ok())
        .collect();
    let after = |names: &[&str]| {
        let spaced = words
            .windows(2)
            .find(|pair| {
                pair.first()
                    .is_some_and(|word| names.contains(&word.as_str()))
            })
            .and_then(|pair| pair.get(1));
        let joined = words.iter().find_map(|word| {
            word.split_once('=')
                .filter(|(name, _)| names.contains(name))
                .map(|(_, value)| value)
        });
        spaced.map(String::as_str).or(joined).map(str::to_owned)
    };
    session.root = after(&["--root"]).map(Into::into);
    session.cell = after(&["--cell", "-c"]);
    session
}

fn cell() -> Option<OpenCell> {
    session().open_cell().ok()
}

fn candidates(
    typed: &OsStr,
    known: impl Iterator<Item = (String, Option<String>)>,
) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    known
        .filter(|(id, _)| id.starts_with(&*typed))
        .map(|(id, about)| {
            let about = about.map(|about| {
                crate::base::text::cut(&crate::base::text::shown(&about), 60)
                    .into_owned()
                    .into()
            });
            CompletionCandidate::new(id).help(about)
        })
        .collect()
}
