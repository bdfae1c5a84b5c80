//! How mcell asks others by HTTP: over the network and over socket files, with the same settings.
//!
//! Every question has a connection of its own: a probe over one that was kept would say that the gateway answers old
//! friends. Nothing is taken from the environment: a proxy set for the daemon's shell has no say in what a gateway is.

mod names;
mod unix;

use std::path::Path;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::transport::{Connector, RustlsConnector, TcpConnector};

/// The most bytes that the head of an answer may have.
const HEAD: usize = 16 << 10;

/// Asks over TCP, and over TLS where the URL begins with `https`.
pub fn over_network() -> Agent {
    let connector = ().chain(TcpConnector::default()).chain(RustlsConnector::default());
    Agent::with_parts(settings(), connector, names::Names)
}

/// Asks over a socket file. The host in the URL is what the `Host` header says, and nothing else.
pub fn over_socket(path: &Path) -> Agent {
    Agent::with_parts(settings(), unix::Socket::at(path), names::Nowhere)
}

/// Redirects are answers, and so are 4xx and 5xx.
fn settings() -> Config {
    Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_response_header_size(HEAD)
        .accept("application/json")
        .user_agent(concat!("mcell/", env!("CARGO_PKG_VERSION")))
        .build()
}
