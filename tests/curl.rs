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
