//! What the head of a request must be like before anybody looks at what it wants.

use crate::daemon::message::{Method, Response, Target};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use std::net::IpAddr;

/// The head of a request, as far as handlers need it.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) token: Option<String>,
    pub(super) content_type: Option<String>,
}

/// Whom the listener answers to.
#[derive(Debug)]
pub(super) struct Names {
    /// Hosts in lower case, without a port, addresses of IPv6 in brackets.
    hosts: Vec<String>,
}

impl Names {
    /// This machine, the addresses that are listened on, and what the config names.
    pub(super) fn new(addresses: impl Iterator<Item = IpAddr>, config: &[String]) -> Self {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
            .map(String::from)
            .to_vec();
        hosts.extend(addresses.map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }));
        hosts.extend(config.iter().map(|host| host.to_ascii_lowercase()));
        Names { hosts }
    }

    /// `local`: the address that was called, where all are listened on. It may be called by its number: a page from
    /// elsewhere that has its own name point here still sends the name.
    fn include(&self, host: &str, local: Option<IpAddr>) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
            || local.is_some_and(|local| {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                bare.parse::<IpAddr>().is_ok_and(|called| called == local)
            })
    }
}

/// Refuses a head that does not say where its body ends in the one way that nobody reads otherwise.
pub(super) fn check_length(parts: &Parts, is_ambiguous: bool) -> Result<(), Response> {
    let bad = |message: &str| Err(Response::error(400, "bad_request", message));
    let mut encodings = 0;
    for value in parts.headers.get_all(TRANSFER_ENCODING) {
        for encoding in value.to_str().unwrap_or_default().split(',') {
            if !encoding.trim().eq_ignore_ascii_case("chunked") {
                let told = "the only Transfer-Encoding that is read is chunked";
                return Err(Response::error(501, "unknown_encoding", told));
            }
            encodings += 1;
        }
    }
    match encodings {
        0 => Ok(()),
        _ if is_ambiguous => bad("Content-Length and Transfer-Encoding exclude each other"),
        1 => Ok(()),
        _ => bad("a body is chunked once"),
    }
}

/// Reads a head that hyper has let pass.
pub(super) fn check(parts: &Parts, names: &Names, local: Option<IpAddr>) -> Result<Head, Response> {
    let bad = |message: &str| Response::error(400, "bad_request", message);
    let host = only(parts, &HOST)
        .map_err(|()| bad("a request has exactly one Host"))?
        .ok_or_else(|| bad("a request has exactly one Host"))?;
    let (name, port) = cut_host(host).ok_or_else(|| bad("Host is no host and port"))?;
    // The whole address in the first line counts for the host, and must not say another one.
    let said_twice = parts.uri.authority().map(|authority| authority.as_str());
    if said_twice.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
        return Err(bad("the first line names another host than Host"));
    }
    if !names.include(name, local) {
        let told = "this daemon is not called by that host; `hosts` in its config names more";
        return Err(Response::error(421, "wrong_host", told));
    }
    match only(parts, &ORIGIN) {
        Ok(None) => {}
        Ok(Some(origin)) if is_of_host(origin, name, port) => {}
        _ => {
            let told = "a page from elsewhere may not ask";
            return Err(Response::error(403, "foreign_origin", told));
        }
    }
    let method = method(parts)?;
    let target = Target::parse(parts.uri.path(), parts.uri.query())
        .ok_or_else(|| bad("the path is not UTF-8 in %xx"))?;
    let token = only(parts, &AUTHORIZATION).map_err(|()| bad("Authorization is there twice"))?;
    let content_type =
        only(parts, &CONTENT_TYPE).map_err(|()| bad("Content-Type is there twice"))?;
    Ok(Head {
        method,
        target,
        token: token.and_then(bearer),
        content_type: content_type.map(str::to_owned),
    })
}

fn method(parts: &Parts) -> Result<Method, Response> {
    Ok(match parts.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" | "PATCH" | "TRACE" | "CONNECT" | "QUERY" => Method::Other,
        _ => {
            return Err(Response::error(
                501,
                "unknown_method",
                "no route has such a method",
            ));
        }
    })
}

/// The one header of a name, none, or an error if there are several or if it is not text.
fn only<'p>(parts: &'p Parts, name: &HeaderName) -> Result<Option<&'p str>, ()> {
    let mut all = parts.headers.get_all(name).iter();
    let Some(first) = all.next() else {
        return Ok(None);
    };
    match (first.to_str(), all.next()) {
        (Ok(text), None) => Ok(Some(text.trim())),
        _ => Err(()),
    }
}

/// Cuts `name`, `name:port`, `[::1]:port`.
fn cut_host(host: &str) -> Option<(&str, Option<u16>)> {
    let end = match host.strip_prefix('[') {
        Some(_) => host.find(']')? + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, rest) = host.split_at_checked(end)?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((name, None)),
        None => None,
        Some("") => Some((name, None)),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((name, Some(port.parse().ok()?)))
        }
        Some(_) => None,
    }
}

/// Whether an origin is the host that was called. Without a port, both are on the usual one of the scheme.
fn is_of_host(origin: &str, name: &str, port: Option<u16>) -> bool {
    let (usual, rest) = match origin.split_once("://") {
        Some(("http", rest)) => (80, rest),
        Some(("https", rest)) => (443, rest),
        _ => return false,
    };
    cut_host(rest).is_some_and(|(origin, origin_port)| {
        origin.eq_ignore_ascii_case(name) && origin_port.unwrap_or(usual) == port.unwrap_or(usual)
    })
}

/// The token of `Authorization: Bearer …`.
fn bearer(value: &str) -> Option<String> {
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_cut_at_its_port() {
        assert_eq!(cut_host("localhost"), Some(("localhost", None)));
        assert_eq!(cut_host("localhost:"), Some(("localhost", None)));
        assert_eq!(cut_host("a.b-c:80"), Some(("a.b-c", Some(80))));
        assert_eq!(cut_host("[::1]:8080"), Some(("[::1]", Some(8080))));
        assert_eq!(cut_host("[::1]"), Some(("[::1]", None)));
        for wrong in [
            "", ":80", "a:b", "a:80:80", "a:65536", "a:+80", "a b", "u@a", "[::1", "[::1]x", "::1",
            "a/b",
        ] {
            assert_eq!(cut_host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_the_same_host_and_port_or_foreign() {
        assert!(is_of_host("http://localhost:8080", "LOCALHOST", Some(8080)));
        assert!(is_of_host("http://localhost", "localhost", None));
        assert!(is_of_host("http://localhost", "localhost", Some(80)));
        assert!(is_of_host("https://pit.example", "pit.example", Some(443)));
        for foreign in [
            "null",
            "",
            "http://localhost",
            "http://localhost:8081",
            "file://localhost:8080",
            "http://evil:8080",
            "http://localhost:8080/",
        ] {
            assert!(!is_of_host(foreign, "localhost", Some(8080)), "{foreign}");
        }
    }

    #[test]
    fn whoever_listens_on_all_addresses_is_called_by_the_one_in_use() {
        let names = Names::new([].into_iter(), &[String::from("Pit.Example")]);
        let local = Some("10.1.2.3".parse().unwrap());
        assert!(names.include("10.1.2.3", local) && !names.include("10.1.2.4", local));
        assert!(!names.include("10.1.2.3", None));
        assert!(names.include("pit.example", None) && names.include("LocalHost", None));
        assert!(!names.include("localhost.evil.example", local));
    }
}
