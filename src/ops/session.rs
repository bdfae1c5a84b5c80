//! What every use case needs to know of the one who asks: where, who, how long to wait, and how to ask back.

use crate::base::boot::Moment;
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AgentId};
use crate::base::text::shown;
use crate::mission::permission::{self, Asker, Verb};
use crate::ops::due;
use crate::store::cell::OpenCell;
use crate::store::commit::{Act, Writing};
use crate::store::journal;
use crate::store::lock::{self, Wait};
use crate::store::walk::Progress;
use std::path::PathBuf;
use std::time::Duration;

/// Asks to choose one of several lines; gives the index.
pub type Pick = Box<dyn Fn(&str, &[String]) -> Result<usize>>;

/// The environment variable that carries an agent's claim.
pub const CLAIM: &str = "MCELL_CLAIM";

/// One command's view of the world.
pub struct Session {
    /// Environment, working directory, clock.
    pub env: Env,
    /// `--root`.
    pub root: Option<PathBuf>,
    /// `--cell`.
    pub cell: Option<String>,
    /// `--as`, else `MCELL_AGENT`.
    pub agent: Option<AgentId>,
    /// Who acts, where that is neither an agent nor who typed the command: the daemon.
    pub by: Option<String>,
    /// `--token`: the fencing token of the claim that the act is part of.
    pub token: Option<u64>,
    /// What the journal calls this command: the same in all its lines.
    pub request: String,
    /// Told what takes long.
    pub tell: Box<dyn Fn(&str)>,
    /// Told how far a walk over a root is.
    pub progress: Box<Progress<'static>>,
    /// How to ask which one is meant; none where nobody can answer.
    pub pick: Option<Pick>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Session")
            .field("root", &self.root)
            .field("cell", &self.cell)
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session that says nothing and cannot be asked.
    pub fn quiet(env: Env) -> Self {
        Session {
            env,
            root: None,
            cell: None,
            agent: None,
            by: None,
            token: None,
            request: ids::request(),
            tell: Box::new(|_| {}),
            progress: Box::new(|_, _| {}),
            pick: None,
        }
    }

    /// Now, by both clocks.
    pub fn moment(&self) -> Moment {
        Moment::now(self.env.clock)
    }

    /// The fencing token that the acting agent shows for a task: `--token`, else `MCELL_CLAIM` (`TASK:TOKEN`, or a token
    /// for whatever task).
    pub fn token_for(&self, task: &str) -> Result<Option<u64>> {
        if self.token.is_some() {
            return Ok(self.token);
        }
        let Some(claim) = self.env.word(CLAIM) else {
            return Ok(None);
        };
        let (of, token) = claim.rsplit_once(':').unwrap_or((task, claim));
        if of != task {
            return Ok(None);
        }
        let wrong = |_| Error::usage(format!("{CLAIM} is no claim: {}", shown(claim)));
        token
            .parse()
            .map(Some)
            .map_err(|error: std::num::ParseIntError| {
                wrong(error).hint("it reads TASK:TOKEN, as `mcell task claim --json` gives them")
            })
    }

    /// Who acts: the agent, the daemon, else the operator.
    pub fn actor(&self) -> String {
        match (&self.agent, &self.by) {
            (Some(agent), _) => agent.to_string(),
            (None, Some(by)) => by.clone(),
            (None, None) => self.env.operator(),
        }
    }

    /// An act of this session, now.
    pub fn act(&self, name: &'static str) -> Act {
        Act {
            name,
            by: self.actor(),
            at: self.env.clock.now(),
            why: None,
            request: Some(self.request.clone()),
        }
    }

    /// How this session waits for a lock.
    pub fn wait(&self, act: &'static str) -> Result<Wait<'_>> {
        let patience = match self.env.word(lock::KNOB) {
            None => lock::PATIENCE,
            Some(text) => Duration::from_secs(text.parse().map_err(|_| {
                Error::usage(format!("{} is not a number of seconds: {text}", lock::KNOB))
            })?),
        };
        Ok(Wait {
            patience,
            act,
            tell: &*self.tell,
        })
    }

    /// How many bytes the live file of a journal may have before a new one begins: `MCELL_JOURNAL_MAX`, else 16 MiB.
    pub fn journal_most(&self) -> Result<u64> {
        match self.env.word(journal::KNOB) {
            None => Ok(journal::USUAL_MOST),
            Some(text) => text.parse().map_err(|_| {
                Error::usage(format!(
                    "{} is not a number of bytes: {}",
                    journal::KNOB,
                    shown(text)
                ))
            }),
        }
    }

    /// Takes a cell for one change, and says what was mended on the way in. Pauses that ended by now end here first.
    pub fn write<'c>(&self, cell: &'c OpenCell, act: &'static str) -> Result<Writing<'c>> {
        self.write_because(cell, act, None)
    }

    /// The same with a reason, which the journal keeps.
    pub fn write_because<'c>(
        &self,
        cell: &'c OpenCell,
        act: &'static str,
        why: Option<&str>,
    ) -> Result<Writing<'c>> {
        if cell.folder().stat(crate::store::layout::CELL)?.is_none() {
            return Err(cell.no_cell());
        }
        let named = Act {
            why: why.map(str::to_owned),
            ..self.act(act)
        };
        let most = self.journal_most()?;
        let mut writing = cell.lock_for_writing(named, self.wait(act)?)?;
        writing.rotate_journal_beyond(most);
        writing.at(self.env.clock.now());
        for mended in &writing.mended {
            (self.tell)(mended);
        }
        for settled in due::settle(&mut writing, &self.moment())? {
            (self.tell)(&settled);
        }
        if let Some(agent) = &self.agent {
            due::renew(&mut writing, agent, &self.moment())?;
        }
        Ok(writing)
    }

    /// The agent who acts; an operator must say as which (exit 2).
    pub fn require_agent(&self, what: &str) -> Result<&AgentId> {
        self.agent.as_ref().ok_or_else(|| {
            Error::usage(format!("only an agent can {what}: say which"))
                .hint("`--as AGENT`, or MCELL_AGENT in its environment")
        })
    }

    /// Refuses what only an operator may do (exit 5).
    pub fn require_operator(&self, what: &str) -> Result<()> {
        match &self.agent {
            None => Ok(()),
            Some(agent) => Err(Error::refused(format!(
                "{agent} is an agent, and only an operator may {what}"
            ))
            .hint("leave `--as` and MCELL_AGENT out, if you are one")),
        }
    }

    /// Refuses what the acting agent may not do with a task (exit 5); an operator may everything.
    pub fn require_task(
        &self,
        writing: &Writing<'_>,
        verb: Verb,
        task: &str,
        assigned_to: Option<&str>,
    ) -> Result<()> {
        let Some(id) = &self.agent else { return Ok(()) };
        let agent: crate::mission::agent::Agent =
            writing
                .read(&crate::store::layout::agent(id))?
                .ok_or_else(|| Error::refused(format!("{id} is not an agent of this cell")))?;
        let permissions: Option<permission::Permissions> =
            writing.read(crate::store::layout::PERMISSIONS)?;
        let asker = Asker {
            id: id.as_str(),
            role: agent.role,
        };
        let answer = permission::allows(permissions.as_ref(), asker, verb, task, assigned_to);
        if answer.allowed {
            return Ok(());
        }
        let refused = Error::refused(format!(
            "{id} may not {} {task}: {}",
            verb.word(),
            answer.because
        ));
        // What the role forbids nobody can grant.
        if verb != Verb::Read && !agent.role.may_work() {
            return Err(refused);
        }
        Err(refused.hint(format!(
            "an operator can allow it: `mcell permission grant {id} {} {task}`",
            verb.word()
        )))
    }
}
