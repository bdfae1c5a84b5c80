//! `mcell daemon`: runs it, in the foreground.

use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::daemon::log::{Level, LogFormat};
use crate::daemon::run::{self, Ending};
use crate::daemon::setup::Setup;
use crate::health::settings::Settings;
use crate::ops::gateway::Gateways;
use clap::Args;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::Duration;

/// How the daemon runs.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The config [default: MCELL_CONFIG, ~/.lazarus/config.json, /etc/lazarus/config.json]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Where to listen, instead of what the config says
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// In which form its log goes to stderr
    #[arg(long, value_name = "FORM", default_value = "text")]
    log_format: LogFormat,
}

impl Run {
    pub(super) fn run(self, context: &Context) -> Outcome {
        context.session.require_operator("run the daemon")?;
        let root = context.session.root_choice()?.path;
        let setup = self.setup()?;
        let ending = run::run(&context.session.env, &root, &setup, &|| self.setup())?;
        match ending {
            Ending::Stopped => Ok(exit::DONE),
            Ending::Restart => Err(again()),
        }
    }

    fn setup(&self) -> Result<Setup> {
        Ok(Setup {
            file: self.config.clone(),
            poll_interval: 30,
            usual: Settings::default(),
            probe_timeout: Duration::from_secs(5),
            gateways: Gateways::default(),
            listen: self.listen.clone(),
            hosts: Vec::new(),
            level: Level::Info,
            format: self.log_format,
            warnings: Vec::new(),
        })
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
