//! Asks a daemon over HTTP, as curl does.

use serde_json::Value;
use std::time::Duration;

/// The same as JSON; null if it is none.
pub(crate) fn http(url: &str, body: Option<&str>) -> Value {
    serde_json::from_str(&text(url, body)).unwrap_or_default()
}

/// What `POST` gives, or `GET` where there is no body to send.
pub(crate) fn text(url: &str, body: Option<&str>) -> String {
    use std::io::{Read, Write};
    let rest = url.strip_prefix("http://").expect("a url");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host).expect("a daemon that listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a deadline");
    let (method, body) = body.map_or(("GET", ""), |body| ("POST", body));
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request that is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    body.to_owned()
}

/// The status and the body that a request with these headers gets; `POST` where there is a body.
pub(crate) fn ask(url: &str, headers: &[(&str, &str)], body: Option<&str>) -> (u16, String) {
    use std::fmt::Write as _;
    use std::io::{Read, Write};
    let rest = url.strip_prefix("http://").expect("a url");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = std::net::TcpStream::connect(host).expect("a daemon that listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a deadline");
    let (method, body) = body.map_or(("GET", ""), |body| ("POST", body));
    let mut head = format!("{method} /{path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        let _ = write!(head, "Host: {host}\r\n");
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let length = body.len();
    let kind = "Content-Type: application/json";
    write!(
        stream,
        "{head}{kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request that is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.get(9..12).and_then(|code| code.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    (status.expect("a status"), body.to_owned())
}

/// The header of who has the operator's token of a root.
pub(crate) fn operator(root: &std::path::Path) -> String {
    let token = std::fs::read_to_string(root.join(".mcell/operator.token"));
    format!("Bearer {}", token.expect("a token").trim())
}

/// Tells a daemon three times that an agent has failed: enough to be unhealthy.
pub(crate) fn report_failures(url: &str, root: &std::path::Path, agent: &str) {
    let bearer = operator(root);
    for _ in 0..3 {
        let headers = [("Authorization", bearer.as_str())];
        let body = Some(r#"{"error": "it stands still"}"#);
        let (status, said) = ask(&format!("{url}/failure/{agent}"), &headers, body);
        assert_eq!(status, 200, "{said}");
    }
}
