//! What a command runs with: the session (where, who), the printer, and the answers to questions.

use crate::base::duration::Seconds;
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::cli::Globals;
use crate::ops::Session;
use crate::ui::printer::{Form, Printer};
use crate::ui::progress::Progress;
use crate::ui::prompt;

/// What a command runs with.
#[derive(Debug)]
pub struct Context {
    /// Where, who, how to wait.
    pub session: Session,
    /// How to speak.
    pub printer: Printer,
    /// Look at every cell of the root.
    pub all_cells: bool,
    /// Every question is answered yes.
    pub yes: bool,
}

impl Context {
    /// Makes it from the options of every command.
    pub fn new(
        env: Env,
        printer: Printer,
        globals: Globals,
    ) -> std::result::Result<Self, (Printer, Error)> {
        let named = globals
            .acting_as
            .or_else(|| env.word("MCELL_AGENT").map(str::to_owned));
        let agent = match named.map(AgentId::new).transpose() {
            Ok(agent) => agent,
            Err(error) => return Err((printer, error)),
        };
        let mut session = Session::quiet(env);
        session.root = globals.root;
        session.cell = globals.cell;
        session.agent = agent;
        session.token = globals.token;
        if printer.form() != Form::Quiet {
            session.tell = Box::new(|text| {
                use std::io::Write;
                // When stderr is gone there is nobody to tell.
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            });
        }
        if printer.may_draw() {
            let progress = Progress::new("cells");
            session.progress = Box::new(move |done, all| progress.tell(done, all));
        }
        if printer.may_ask() {
            session.pick = Some(Box::new(prompt::choose));
        }
        Ok(Context {
            session,
            printer,
            all_cells: globals.all_cells,
            yes: globals.yes,
        })
    }

    /// Asks before a loss: yes under `--yes`; at a terminal a question; else an error that names the flag.
    pub fn confirm(&self, question: &str) -> Result<bool> {
        if self.yes {
            return Ok(true);
        }
        if self.printer.may_ask() {
            return prompt::confirm(question);
        }
        Err(Error::usage(format!("{question} Nobody can be asked here"))
            .hint("say `--yes` if it shall be done"))
    }
}

/// Reads a duration of the command line as seconds.
pub fn seconds(text: &str) -> std::result::Result<u64, String> {
    text.parse::<Seconds>()
        .map(|seconds| seconds.0)
        .map_err(|error| error.to_string())
}
