//! What the listener needs of the process and of the config, beside its addresses.

use crate::base::error::{Error, Result};
use crate::daemon::setup::Setup;
use crate::ops::probe::read_key;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many descriptors a daemon has use for: one for each connection that there may be, and some for everything else.
const FILES: u64 = 6000;

/// The token by which others than this machine may read, if the config names a file with one.
pub(super) fn reading_token(setup: &Setup) -> Result<Option<String>> {
    let Some(file) = &setup.config.read_token_file else {
        return Ok(None);
    };
    read_key(file).map(Some).map_err(|why| {
        Error::malformed(why).hint("`read_token_file` of the config names a file with one word")
    })
}

/// Asks for more descriptors, where the usual limit is below what may be had. Fewer mean fewer connections, no error.
pub(super) fn want_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|now| now < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            ..limit
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
}
