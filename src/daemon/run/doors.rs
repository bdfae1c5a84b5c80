//! Where the daemon is spoken to: its sockets are opened, and its routes begin to answer.

use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::daemon::desk::Desk;
use crate::daemon::events::Events;
use crate::daemon::listen::{self, Doors, Listener};
use crate::daemon::routes::{Front, Routes};
use crate::daemon::setup::Setup;
use crate::ops::operator;
use crate::store::layout;
use crate::store::root::Root;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::Arc;

/// How many descriptors a daemon has use for: one for each connection that there may be, and some for everything else.
const FILES: u64 = 6000;

/// The listener, and the routes that answer for it.
pub(super) struct Reception {
    pub(super) routes: Routes,
    pub(super) listener: Listener,
}

impl Reception {
    /// Opens every address and the root's socket, and lets the routes answer. Under the daemon's lock. `stories`: how many
    /// wait to be told.
    pub(super) fn open(
        env: &Env,
        root: &Root,
        desk: &Arc<Desk>,
        events: &Arc<Events>,
        setup: &Setup,
        stories: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Result<Self> {
        want_files();
        let operator = operator::make_token(root)?;
        let addresses = setup.config.listen.iter().copied();
        let tcp = addresses.map(listen::bind).collect::<Result<Vec<_>>>()?;
        let routes = Front::open(
            Arc::clone(desk),
            Arc::clone(events),
            &operator,
            env,
            stories,
        )?;
        routes.readers(reading_token(setup)?.as_deref());
        let doors = Doors {
            tcp,
            unix: Some(root.listen()?),
            hosts: setup.config.hosts.clone(),
        };
        let listener = Listener::start(doors, Arc::new(routes.clone()))?;
        Ok(Reception { routes, listener })
    }

    /// Where that is, for people: addresses first.
    pub(super) fn names(&self, root: &Root) -> Vec<String> {
        let addresses = self.listener.addresses().iter();
        let socket = root.folder().path_of(layout::SOCKET);
        addresses
            .map(|address| format!("http://{address}"))
            .chain([format!("unix:{}", socket.display())])
            .collect()
    }
}

/// The token by which others than this machine may read, if the config names a file with one.
pub(super) fn reading_token(setup: &Setup) -> Result<Option<String>> {
    let Some(file) = &setup.config.read_token_file else {
        return Ok(None);
    };
    let read = crate::ops::probe::read_key(file);
    read.map(Some).map_err(|why| {
        Error::malformed(why).hint("`read_token_file` of the config names a file with one word")
    })
}

/// Asks for more descriptors, where the usual limit is below what may be had. Fewer mean fewer connections, no error.
fn want_files() {
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
