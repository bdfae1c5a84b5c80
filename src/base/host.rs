//! Which host this is, for cells that may be seen from several.

use crate::base::env::Env;

/// The environment variable that names this host.
pub const VARIABLE: &str = "MCELL_HOST";

/// The name of this host: `MCELL_HOST`, else what the config says, else the machine's id, else the system's name for it.
#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
pub fn name(env: &Env, configured: Option<&str>) -> String {
    if let Some(name) = env.word(VARIABLE).or(configured) {
        return name.to_owned();
    }
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match machine.trim() {
        "" | "uninitialized" => {
            let system = rustix::system::uname();
            system.nodename().to_string_lossy().into_owned()
        }
        id => id.to_owned(),
    }
}
