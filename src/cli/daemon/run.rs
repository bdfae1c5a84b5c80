//! `mcell daemon`: runs it, in the foreground.

use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::daemon::log::LogFormat;
use crate::daemon::run::{self, Ending};
use crate::daemon::setup::Setup;
use crate::ops::config;
use clap::Args;
use rustix::process::{Signal, set_parent_process_death_signal};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

/// How the daemon runs.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The config [default: MCELL_CONFIG, ~/.lazarus/config.json, /etc/lazarus/config.json]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
    /// Where to listen, instead of what the config says
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// End when the process that started it ends: for demos and tests
    #[arg(long, hide = true)]
    with_parent: bool,
    /// In which form its log goes to stderr
    #[arg(long, value_name = "FORM", default_value = "text")]
    log_format: LogFormat,
}

impl Run {
    pub(super) fn run(self, context: &Context) -> Outcome {
        context.session.require_operator("run the daemon")?;
        if self.with_parent {
            set_parent_process_death_signal(Some(Signal::TERM))
                .map_err(|error| Error::storage("end with the parent", error))?;
        }
        let env = &context.session.env;
        let root = self.root(context)?;
        let setup = self.setup(env)?;
        let ending = run::run(env, &root, &setup, &|| self.setup(env))?;
        match ending {
            Ending::Stopped => Ok(exit::DONE),
            Ending::Restart => Err(again()),
        }
    }

    /// The root that is meant; a config that is named says which, unless the command line does.
    fn root(&self, context: &Context) -> Result<PathBuf> {
        let session = &context.session;
        let is_said = session.root.is_some() || session.env.path("MCELL_ROOT").is_some();
        match &self.config {
            Some(file) if !is_said => {
                Ok(config::read(&session.env, Some(file))?.config.missions_path)
            }
            _ => Ok(session.root_choice()?.path),
        }
    }

    fn setup(&self, env: &Env) -> Result<Setup> {
        Setup::of(
            config::read(env, self.config.as_deref())?,
            &self.listen,
            self.log_format,
        )
    }
}

/// Becomes the program that is installed now, with the same arguments; returns only if that fails.
#[allow(clippy::disallowed_methods, reason = "the process begins again")]
fn again() -> Error {
    let failed = |error: std::io::Error| Error::storage("begin again", error);
    let mut words = std::env::args_os();
    let program = words.next().map(PathBuf::from);
    // The name it was called by finds the new program; the file that runs may be gone.
    let program = program.unwrap_or_else(|| PathBuf::from("mcell"));
    failed(std::process::Command::new(program).args(words).exec())
}
