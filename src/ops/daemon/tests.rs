//! A client before a daemon that says what it is told to say.

use super::*;
use crate::ops::presence;
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tempfile::TempDir;

/// A socket file, and what was asked there.
struct Stand {
    folder: TempDir,
    asked: mpsc::Receiver<String>,
    serving: Option<JoinHandle<()>>,
}

impl Stand {
    /// Answers as many requests as there are answers, one after the other.
    fn saying(answers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let answers: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
        let (send, asked) = mpsc::channel();
        let serving = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                send.send(request(&mut stream)).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Stand {
            folder,
            asked,
            serving: Some(serving),
        }
    }

    fn daemon(&self) -> Daemon {
        Daemon::at(&self.folder.path().join("s")).with_patience(Duration::from_secs(60))
    }

    fn asked(&self) -> String {
        self.asked.recv().unwrap()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take()
            && !std::thread::panicking()
        {
            serving.join().unwrap();
        }
    }
}

/// A request as it came: its head, and the body that its length announces.
fn request(stream: &mut UnixStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    let mut wanted = None;
    while wanted.is_none_or(|wanted| text.len() < wanted) && stream.read(&mut byte).unwrap() == 1 {
        text.push(byte[0]);
        if text.ends_with(b"\r\n\r\n") && wanted.is_none() {
            let head = String::from_utf8_lossy(&text).to_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
            wanted = Some(text.len() + length.unwrap_or(0));
        }
    }
    String::from_utf8(text).unwrap()
}

fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn what_is_asked_and_told_is_plain_http() {
    let stand = Stand::saying(&[
        &answer(200, "{\"total_cells\": 3}\n"),
        &answer(201, "{}"),
        &answer(204, ""),
    ]);
    let daemon = stand.daemon();
    let health = daemon.get("/health?x=1").unwrap();
    assert_eq!(health["total_cells"], 3);
    let asked = stand.asked().to_lowercase();
    assert!(asked.starts_with("get /health?x=1 http/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nhost: localhost\r\n"), "{asked}");
    assert!(
        !asked.contains("authorization") && !asked.contains("content-type"),
        "{asked}"
    );
    let daemon = daemon.with_token("0123abcd");
    let beat = serde_json::json!({"status": "hält"});
    assert_eq!(
        daemon.post("/heartbeat/agent_001", &beat).unwrap(),
        serde_json::json!({})
    );
    let told = stand.asked();
    assert!(
        told.starts_with("POST /heartbeat/agent_001 HTTP/1.1\r\n"),
        "{told}"
    );
    assert!(
        told.to_lowercase()
            .contains("\r\ncontent-type: application/json\r\n"),
        "{told}"
    );
    assert!(
        told.to_lowercase()
            .contains("\r\nauthorization: bearer 0123abcd\r\n"),
        "{told}"
    );
    assert!(told.ends_with("\r\n\r\n{\"status\":\"hält\"}"), "{told}");
    assert_eq!(daemon.delete("/agent/x").unwrap(), Value::Null);
    assert!(stand.asked().starts_with("DELETE /agent/x HTTP/1.1\r\n"));
}

#[test]
fn refusals_are_errors_of_their_kind_in_the_daemons_words() {
    let cases = [
        (401, "unauthorized", Kind::Refused),
        (403, "forbidden", Kind::Refused),
        (404, "not_found", Kind::NotFound),
        (409, "fenced", Kind::Fenced),
        (409, "ambiguous", Kind::Refused),
        (409, "busy", Kind::Refused),
        (503, "not_ready", Kind::CouldNotTell),
        (400, "usage", Kind::Usage),
        (422, "malformed", Kind::Malformed),
        (500, "bug", Kind::Bug),
        (500, "storage", Kind::Storage),
        (429, "too_many", Kind::CouldNotTell),
        (302, "", Kind::CouldNotTell),
    ];
    for (status, code, kind) in cases {
        let body = format!(
            "{{\"error\": {{\"code\": \"{code}\", \"message\": \"because \\u001b[31m\", \"hints\": [\"do x\"]}}}}"
        );
        let stand = Stand::saying(&[&answer(status, &body)]);
        let error = stand.daemon().post("/x", &Value::Null).unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {code}");
        assert_eq!(error.message(), "because \\u{1b}[31m");
        assert_eq!(error.hints()[0], "do x");
    }
    for body in ["", "nonsense", "{\"error\": 3}", "[]"] {
        let stand = Stand::saying(&[&answer(403, body)]);
        let error = stand.daemon().get("/x").unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(
            error
                .message()
                .ends_with("answered 403, and does not say why"),
            "{error:?}"
        );
    }
}

#[test]
fn what_was_told_and_not_answered_may_have_happened() {
    for broken in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        "nonsense\r\n\r\n",
    ] {
        let stand = Stand::saying(&[broken, broken]);
        let daemon = stand.daemon();
        let error = daemon.get("/x").unwrap_err();
        assert_eq!(error.kind(), Kind::CouldNotTell, "{broken:?}");
        let error = daemon.post("/x", &Value::Null).unwrap_err();
        assert_eq!(error.kind(), Kind::OutcomeUnknown, "{broken:?}");
        assert!(error.hints()[0].contains("safe"));
    }
    let silent = tempfile::tempdir().unwrap();
    let path = silent.path().join("s");
    let _listener = UnixListener::bind(&path).unwrap();
    let daemon = Daemon::at(&path).with_patience(Duration::from_millis(200));
    assert_eq!(daemon.get("/x").unwrap_err().kind(), Kind::CouldNotTell);
    assert_eq!(
        daemon.delete("/x").unwrap_err().kind(),
        Kind::OutcomeUnknown
    );
}

#[test]
fn what_is_no_json_is_not_the_daemon() {
    let stand = Stand::saying(&[&answer(200, "hello")]);
    let error = stand.daemon().get("/health").unwrap_err();
    assert_eq!(error.kind(), Kind::CouldNotTell);
    assert!(error.hints()[0].starts_with("is it mcell that listens at "));
}

#[test]
fn without_a_listener_nothing_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let told = |daemon: &Daemon| {
        let error = daemon.post("/x", &Value::Null).unwrap_err();
        assert_eq!(error.kind(), Kind::CouldNotTell);
        assert!(
            error.message().contains("does not listen at its socket"),
            "{error:?}"
        );
        assert!(!error.hints().is_empty());
    };
    told(&Daemon::at(&path));
    drop(UnixListener::bind(&path).unwrap());
    told(&Daemon::at(&path));
}

#[test]
fn a_daemon_is_found_by_its_lock_and_not_by_what_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let none = Daemon::of(&root).unwrap_err();
    assert_eq!(none.kind(), Kind::CouldNotTell);
    assert!(none.hints()[0].contains("mcell daemon"));
    let held = presence::take(&root).unwrap();
    let listener = UnixListener::bind(root.path().join(layout::SOCKET)).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream);
        stream.write_all(answer(200, "{}").as_bytes()).unwrap();
    });
    assert_eq!(
        Daemon::of(&root).unwrap().get("/livez").unwrap(),
        serde_json::json!({})
    );
    serving.join().unwrap();
    drop(held);
    // Its socket file is still there.
    assert!(Daemon::find(&root).unwrap().is_none());
}
