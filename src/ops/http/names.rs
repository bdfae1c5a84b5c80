//! Which addresses a host has.

use std::net::{IpAddr, SocketAddr};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

/// Numbers are taken as they are; names are looked up, which has a thread of its own so that it ends in time.
#[derive(Debug)]
pub(super) struct Names;

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let usual = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            let mut only = self.empty();
            only.push(SocketAddr::new(address, uri.port_u16().unwrap_or(usual)));
            return Ok(only);
        }
        match DefaultResolver::default().resolve(uri, config, timeout) {
            // Of names that are not known the system says so in many ways.
            Err(Error::Io(_)) => Err(Error::HostNotFound),
            Err(Error::Timeout(_)) => Err(Error::Timeout(Timeout::Resolve)),
            other => other,
        }
    }
}

/// For socket files, which have no address. ureq wants one all the same; nobody connects to it.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut only = self.empty();
        only.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(only)
    }
}
