//! Where an agent's gateway is asked: what its file says, and what the daemon's config knows, give a target, or a sentence
//! why there is none.

use crate::base::text::{cut, shown};
use crate::mission::gateway::{Gateway, is_host_port, is_name};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use ureq::http::Uri;

/// What is asked where nothing else is said.
pub const HEALTH: &str = "/health";
/// What a Hermes gateway is asked by those who have its key.
pub const DETAILED: &str = "/health/detailed";

/// Where something is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// `http://` or `https://`, host, port, and what comes before every path. It ends in no slash.
    Url(String),
    /// A socket file.
    Socket(PathBuf),
}

/// One gateway to ask, and what to ask it. Agents whose targets are equal share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Where.
    pub address: Address,
    /// The path that everybody may ask.
    pub path: String,
    /// What is asked instead with a key.
    pub key: Option<Key>,
    /// The name that the gateway must have, if its entry says one.
    pub profile: Option<String>,
}

/// A key, and what is asked with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The file that holds the key. It is read at each use.
    pub token_file: PathBuf,
    /// The path that is asked with it.
    pub path: String,
}

/// A gateway of the config that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub address: Address,
    /// The path to ask, if not the usual one.
    pub health_path: Option<String>,
    /// The file that holds its key, which is sent to this address only.
    pub token_file: Option<PathBuf>,
    /// The name that its `/v1/models` must give.
    pub profile: Option<String>,
}

/// `gateways` of the config: the fleet's bare names have no address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateways(pub BTreeMap<String, Option<Entry>>);

impl Gateways {
    /// Where an agent of the cell at `cell` is asked: its `probe_url`, else its gateway. None if it has neither. The error is
    /// a sentence why it is not probed, which its file or the config would have to change.
    pub fn target(
        &self,
        cell: &Path,
        gateway: Option<&str>,
        probe_url: Option<&str>,
    ) -> Result<Option<Target>, String> {
        if let Some(url) = probe_url {
            return of_text(cell, "probe_url", url, true).map(Some);
        }
        let Some(gateway) = gateway else {
            return Ok(None);
        };
        if let Some(Gateway::Name(name)) = Gateway::of(gateway) {
            return match self.0.get(name) {
                Some(Some(entry)) => Ok(Some(entry.target())),
                _ => Err(format!("{} has no address", said(name))),
            };
        }
        of_text(cell, "gateway", gateway, false).map(Some)
    }
}

impl Entry {
    /// An entry at an address as the config writes it: a URL, `host:port` or `unix:PATH`. The error says what is wrong.
    pub fn at(url: &str) -> Result<Self, String> {
        let address = match Gateway::of(url) {
            Some(Gateway::HostPort(place)) => Address::Url(format!("http://{place}")),
            Some(Gateway::Url(url)) => {
                let parts = Parts::of(url)?;
                if parts.path.contains('?') {
                    return Err(String::from(
                        "it has a query, which belongs to `health_path`",
                    ));
                }
                let before = parts.path.trim_end_matches('/');
                Address::Url(format!("{}{before}", parts.origin))
            }
            Some(Gateway::Socket(path)) if path.starts_with('/') => Address::Socket(path.into()),
            Some(Gateway::Socket(_)) => {
                return Err(String::from("its path does not begin with `/`"));
            }
            Some(Gateway::Name(_)) | None => {
                return Err(String::from("it is no URL, host:port or unix:PATH"));
            }
        };
        Ok(Entry {
            address,
            health_path: None,
            token_file: None,
            profile: None,
        })
    }

    /// What is asked of it.
    pub fn target(&self) -> Target {
        let path = |usual: &str| self.health_path.clone().unwrap_or_else(|| usual.to_owned());
        Target {
            address: self.address.clone(),
            path: path(HEALTH),
            key: self.token_file.as_ref().map(|file| Key {
                token_file: file.clone(),
                path: path(DETAILED),
            }),
            profile: self.profile.clone(),
        }
    }
}

impl Target {
    /// The URL of a path there.
    pub fn url(&self, path: &str) -> String {
        match &self.address {
            Address::Url(url) => format!("{url}{path}"),
            Address::Socket(_) => format!("http://localhost{path}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Url(url) => out.write_str(url),
            Address::Socket(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

/// Tells what is wrong with a URL that is to be called by HTTP; the error is half a sentence.
pub fn check_url(url: &str) -> Result<(), String> {
    match Gateway::of(url) {
        Some(Gateway::Url(url)) => Parts::of(url).map(|_| ()),
        _ => Err(String::from("it is no URL")),
    }
}

/// A target of an agent's own words. No key goes there: what an agent's file names is not the config's.
fn of_text(cell: &Path, field: &str, text: &str, is_exact: bool) -> Result<Target, String> {
    let wrong = |why: &str| format!("its {field} `{}` cannot be asked: {why}", said(text));
    let (address, path) = match Gateway::of(text) {
        Some(Gateway::HostPort(place)) => (Address::Url(format!("http://{place}")), ""),
        Some(Gateway::Socket(path)) => (Address::Socket(cell.join(path)), ""),
        Some(Gateway::Url(url)) => {
            let parts = Parts::of(url).map_err(|why| wrong(&why))?;
            (Address::Url(parts.origin), parts.path)
        }
        Some(Gateway::Name(_)) | None => {
            return Err(wrong("it is no URL, host:port or unix:PATH"));
        }
    };
    // The slash at the end of a gateway says nothing; that of a URL to ask is what is asked.
    let says_nothing = path.is_empty() || (path == "/" && !is_exact);
    Ok(Target {
        address,
        path: if says_nothing { HEALTH } else { path }.to_owned(),
        key: None,
        profile: None,
    })
}

/// The parts of a URL that can be asked.
struct Parts<'u> {
    /// Scheme, host and port.
    origin: String,
    /// Path and query; empty, or beginning with a slash.
    path: &'u str,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(format!(
                "its scheme is {}, not http or https",
                said(&scheme)
            ));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        if host.contains('@') {
            return Err(String::from(
                "it names a user; a key belongs into a `token_file` of the config",
            ));
        }
        let is_host = is_name(host) || is_host_port(host) || is_host_port(&format!("{host}:1"));
        if !is_host {
            return Err(format!("`{}` is no host", said(host)));
        }
        if path.contains('#') {
            return Err(String::from("it has a `#`, which is never sent"));
        }
        if path.starts_with('?') {
            return Err(String::from("there is no `/` before its `?`"));
        }
        if url.parse::<Uri>().is_err() {
            return Err(String::from("it has characters that no URL has"));
        }
        Ok(Parts {
            origin: format!("{scheme}://{host}"),
            path,
        })
    }
}

/// Text of a file, as it may be shown in a sentence.
fn said(text: &str) -> String {
    cut(&shown(text), 80).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateways() -> Gateways {
        let hermes = Entry {
            token_file: Some(PathBuf::from("/keys/hermes")),
            profile: Some(String::from("coder")),
            ..Entry::at("http://127.0.0.1:8642/").unwrap()
        };
        let plain = Entry {
            health_path: Some(String::from("/healthz?full=1")),
            ..Entry::at("https://[fd00::1]:8443/agents/").unwrap()
        };
        Gateways(BTreeMap::from([
            (String::from("hermes"), Some(hermes)),
            (String::from("plain"), Some(plain)),
            (
                String::from("socket"),
                Entry::at("unix:/run/hermes.sock").ok(),
            ),
            (String::from("gateway_3"), None),
        ]))
    }

    fn asked(gateway: Option<&str>, probe_url: Option<&str>) -> String {
        let cell = Path::new("/var/missions/c");
        match gateways().target(cell, gateway, probe_url) {
            Ok(Some(target)) => match target.address {
                Address::Url(_) => target.url(&target.path),
                Address::Socket(_) => format!("{} {}", target.address, target.path),
            },
            Ok(None) => String::from("nothing"),
            Err(why) => why,
        }
    }

    #[test]
    fn a_gateway_is_asked_where_its_text_says() {
        for (gateway, wanted) in [
            ("127.0.0.1:8101", "http://127.0.0.1:8101/health"),
            ("[::1]:8101", "http://[::1]:8101/health"),
            ("my_host:80", "http://my_host:80/health"),
            ("http://host", "http://host/health"),
            ("HTTP://host/", "http://host/health"),
            ("http://[::1]:8101/", "http://[::1]:8101/health"),
            ("http://[::1]/", "http://[::1]/health"),
            ("https://host:8443/healthz", "https://host:8443/healthz"),
            ("http://host/a/health/", "http://host/a/health/"),
            ("http://host/health?full=1", "http://host/health?full=1"),
            ("unix:/run/a.sock", "unix:/run/a.sock /health"),
            (
                "unix:artifacts/a.sock",
                "unix:/var/missions/c/artifacts/a.sock /health",
            ),
            ("hermes", "http://127.0.0.1:8642/health"),
            ("plain", "https://[fd00::1]:8443/agents/healthz?full=1"),
            ("socket", "unix:/run/hermes.sock /health"),
        ] {
            assert_eq!(asked(Some(gateway), None), wanted, "{gateway}");
        }
        assert_eq!(asked(None, None), "nothing");
    }

    #[test]
    fn a_probe_url_wins_and_is_asked_as_it_stands() {
        for (url, wanted) in [
            ("http://host/", "http://host/"),
            ("http://host", "http://host/health"),
            ("http://host/x/", "http://host/x/"),
            ("host:81", "http://host:81/health"),
            ("unix:/run/b.sock", "unix:/run/b.sock /health"),
        ] {
            assert_eq!(asked(Some("hermes"), Some(url)), wanted, "{url}");
        }
        let wrong = asked(Some("hermes"), Some("hermes"));
        assert_eq!(
            wrong,
            "its probe_url `hermes` cannot be asked: it is no URL, host:port or unix:PATH"
        );
    }

    #[test]
    fn a_name_without_an_address_is_a_note() {
        assert_eq!(asked(Some("gateway_3"), None), "gateway_3 has no address");
        assert_eq!(asked(Some("gateway_9"), None), "gateway_9 has no address");
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        for (gateway, why) in [
            ("http://me:secret@host/", "it names a user"),
            ("http://me@host/", "it names a user"),
            ("ws://host/", "its scheme is ws, not http or https"),
            ("http://host:/", "`host:` is no host"),
            ("http://host:0/", "is no host"),
            ("http://host:99999/", "is no host"),
            ("http://[::1/", "is no host"),
            ("http://[::g]/", "is no host"),
            ("http://ho|st/", "is no host"),
            ("http://host/#top", "never sent"),
            ("http://host?x", "no `/` before"),
            ("http://host/<>", "characters that no URL has"),
            ("localhost:99999", "it is no URL"),
            ("unix:../x.sock", "it is no URL"),
            ("a\u{1b}[31m b", "its gateway `a\\u{1b}[31m b` cannot"),
        ] {
            let said = asked(Some(gateway), None);
            assert!(said.contains(why), "{gateway}: {said}");
        }
        for url in [
            "gateway_1",
            "unix:a.sock",
            "http://h/?x=1",
            "ftp://h",
            "http://u@h",
        ] {
            assert!(Entry::at(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_key_goes_to_its_own_entry_only() {
        let gateways = gateways();
        let target = |gateway: &str, probe: Option<&str>| {
            let target = gateways.target(Path::new("/c"), Some(gateway), probe);
            target.unwrap().unwrap()
        };
        let key = target("hermes", None).key.unwrap();
        assert_eq!(key.path, DETAILED);
        assert!(target("http://127.0.0.1:8642", None).key.is_none());
        assert!(target("hermes", Some("http://other/")).key.is_none());
        assert!(target("plain", None).key.is_none());
    }
}
