//! What docs/webhooks.md and docs/heartbeat.md show works.

use super::receiver::{Answer, Hearer, OK};
use super::{PATIENCE, SECRET, Told, delivered, story, to_webhooks, webhook};
use crate::world::require;
use mcell::base::clock::Clock;
use mcell::daemon::tell::{Note, signature};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The block of a page that begins with this line.
fn block(page: &str, beginning: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).expect("a page");
    let (_, rest) = text
        .split_once(&format!("```{beginning}\n"))
        .unwrap_or_else(|| panic!("{page} has no {beginning} block"));
    rest.split_once("\n```").expect("its end").0.to_owned()
}

/// A process that ends with its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a webhook got, as a receiver has it: timestamp, signature, body.
fn one_delivery() -> (String, String, Vec<u8>) {
    let (told, hearer) = (Told::new(), Hearer::new(|_| OK));
    let teller = told.start(to_webhooks(&[hearer.webhook()]));
    teller.tell(story("a"));
    told.hears("a delivery", delivered);
    teller.stop(PATIENCE);
    let heard = &hearer.heard.all()[0];
    let header = |name| heard.header(name).expect("a header").to_owned();
    (
        header("x-mcell-timestamp"),
        header("x-mcell-signature"),
        heard.body.clone(),
    )
}

#[test]
fn the_receiver_of_the_page_takes_what_is_signed_and_nothing_else() {
    if !require("python3") {
        return;
    }
    let place = tempfile::tempdir().expect("a place");
    let script = place.path().join("receiver.py");
    std::fs::write(&script, block("docs/webhooks.md", "python")).expect("a script");
    let receiver = Command::new("python3")
        .arg(&script)
        .arg("0")
        .env("MCELL_WEBHOOK_SECRET", SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut receiver = Ended(receiver.expect("python3"));
    let mut said = BufReader::new(receiver.0.stdout.take().expect("its words"));
    let mut line = String::new();
    said.read_line(&mut line).expect("where it listens");
    let port = line.trim().rsplit(':').next().expect("a port").to_owned();
    let hook = |secret: &str| webhook(format!("http://127.0.0.1:{port}/"), secret);
    let good = Told::new();
    let teller = good.start(to_webhooks(&[hook(SECRET)]));
    teller.tell(story("a"));
    good.hears("a delivery", delivered);
    teller.stop(PATIENCE);
    line.clear();
    said.read_line(&mut line).expect("what it heard");
    assert_eq!(line.trim(), "agent.unhealthy agent_002: silent for 312 s");
    let forged = Told::new();
    let teller = forged.start(to_webhooks(&[hook("a guess")]));
    teller.tell(story("a"));
    let note = forged.hears("a refusal", |note| matches!(note, Note::GivenUp { .. }));
    assert!(note.to_string().contains("it answers 401"), "{note}");
    teller.stop(PATIENCE);
    // The same again a day later: signed, and too old.
    let (_, _, body) = one_delivery();
    let old = (Clock::System.now().unix() - 86_400).to_string();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nx-mcell-timestamp: {old}\r\n\
         x-mcell-signature: sha256={}\r\nconnection: close\r\n\r\n",
        body.len(),
        signature(SECRET.as_bytes(), &old, &body)
    );
    stream.write_all(head.as_bytes()).expect("a head");
    stream.write_all(&body).expect("a body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains(" 401 "), "{answer}");
}

#[test]
fn the_shell_line_of_the_page_verifies_what_was_signed() {
    if !require("openssl") {
        return;
    }
    let (timestamp, signature, body) = one_delivery();
    let place = tempfile::tempdir().expect("a place");
    let file = place.path().join("body");
    let verify = |body: &[u8]| {
        std::fs::write(&file, body).expect("a body");
        let output = Command::new("sh")
            .arg("-c")
            .arg(block("docs/webhooks.md", "sh"))
            .env("secret", SECRET)
            .env("timestamp", &timestamp)
            .env("signature", &signature)
            .current_dir(place.path())
            .output()
            .expect("a shell");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(verify(&body), "genuine");
    assert_eq!(verify(b"{}"), "forged");
}

/// A daemon as far as a beat sees it. It is away at first, and orders the third one to stop.
fn daemon() -> Hearer {
    Hearer::new(|number| match number {
        0 => Answer::Close,
        1 => Answer::Json(r#"{"status": "ok", "next_heartbeat": 0, "orders": ["drain"]}"#),
        _ => Answer::Json(r#"{"status": "ok", "next_heartbeat": 0, "orders": ["stop"]}"#),
    })
}

#[test]
fn the_agent_of_the_page_beats_until_it_is_to_stop() {
    if !require("python3") {
        return;
    }
    let hearer = daemon();
    let url = format!("http://{}/heartbeat/agent_007", hearer.address);
    let output = Command::new("python3")
        .arg("-c")
        .arg(block("docs/heartbeat.md", "python"))
        .env("MCELL_BEAT_URL", url)
        .env("MCELL_TOKEN", "a token")
        // It asks the daemon, and no proxy.
        .env("http_proxy", "http://127.0.0.1:9")
        .output()
        .expect("python3");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.starts_with("no beat: "), "{said}");
    let heard = hearer.heard.all();
    assert_eq!(heard.len(), 3);
    for one in &heard {
        assert_eq!(one.line, "POST /heartbeat/agent_007 HTTP/1.1");
        assert_eq!(one.header("authorization"), Some("Bearer a token"));
    }
    let progress = |at: usize| heard[at].json()["progress"].as_u64();
    assert!(progress(2) > progress(1), "{heard:?}");
}

#[test]
fn the_beat_of_the_page_by_curl_is_one() {
    if !require("curl") {
        return;
    }
    let hearer = Hearer::new(|_| Answer::Json(r#"{"status": "ok", "orders": []}"#));
    let output = Command::new("sh")
        .arg("-c")
        .arg(block("docs/heartbeat.md", "sh"))
        .env(
            "MCELL_BEAT_URL",
            format!("http://{}/heartbeat/agent_007", hearer.address),
        )
        .env("MCELL_TOKEN", "a token")
        .env("http_proxy", "http://127.0.0.1:9")
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{output:?}");
    let heard = &hearer.heard.all()[0];
    assert_eq!(heard.header("authorization"), Some("Bearer a token"));
    assert_eq!(heard.json()["progress"], 7);
}
