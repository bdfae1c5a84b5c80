//! A real gateway that mcell starts, killed while it works, and brought back by the recipe of docs/hermes.md. Its model is
//! one that the test speaks for.

use super::{Port, block, hermes};
use crate::crew::{life, pid};
use crate::pit::{Daemon, until};
use crate::revival::{comes_back, stands};
use crate::world::{World, require};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A model that answers "Done." to all but to one question, over which it thinks for ever.
struct Model {
    address: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

const QUESTION: &str = "Count to a million.";

impl Model {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let all = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let all = Arc::clone(&all);
                std::thread::spawn(move || answer(stream, &all));
            }
        });
        Model { address, asked }
    }

    /// Waits for a question, and gives what was said before it.
    fn until_asked(&self, question: &str) -> Vec<Value> {
        until(&format!("the model is asked: {question}"), || {
            let asked = self.asked.lock().expect("the questions");
            let is_it = |messages: &&Value| last(messages).contains(question);
            let messages = asked.iter().rfind(is_it)?;
            Some(messages.as_array()?.clone())
        })
    }
}

fn last(messages: &Value) -> String {
    let messages = messages.as_array().and_then(|all| all.last());
    messages.map_or(String::new(), |message| message["content"].to_string())
}

fn answer(mut stream: TcpStream, asked: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("the same connection"));
    let (mut first, mut length) = (String::new(), 0);
    let _ = reader.read_line(&mut first);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    if !first.contains("/chat/completions") {
        let _ = write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        return;
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let messages = request["messages"].clone();
    let thinks = last(&messages).contains(QUESTION);
    asked.lock().expect("the questions").push(messages);
    if thinks {
        // Until whoever asks is gone.
        let _ = reader.read_to_end(&mut Vec::new());
        return;
    }
    let piece = |delta: Value, end: Option<&str>| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": end}]);
        let piece = json!({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": choices});
        format!("data: {piece}\n\n")
    };
    let said = piece(json!({"role": "assistant", "content": "Done."}), None);
    let end = piece(json!({}), Some("stop"));
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{said}{end}data: [DONE]\n\n"
    );
}

/// A world with the profile, the script, the config and the agent of the page.
fn world(program: &std::path::Path, port: &Port, model: &Model) -> World {
    let world = World::with_cell("Example Mission");
    let here = |text: String| text.replace("8642", &port.number.to_string());
    let profile = world.home().join(".hermes/profiles/coder");
    std::fs::create_dir_all(&profile).expect("a folder");
    let config = format!(
        "model:\n  default: scripted\n  provider: custom\n  base_url: http://{}/v1\n  api_key: none\nsecurity:\n  tirith_enabled: false\n",
        model.address
    );
    std::fs::write(profile.join("config.yaml"), config).expect("a profile");
    let script = here(block("sh", "go_on()"))
        .replace("exec hermes", &format!("exec '{}'", program.display()));
    std::fs::write(profile.join("work.sh"), script).expect("a script");
    world.shell(&block("sh", "openssl rand")).ok();
    world.shell(&block("sh", "mcell add-agent")).ok();
    let mut config: Value = serde_json::from_str(&here(block("json", "gateways"))).expect("JSON");
    config["poll_interval"] = 1.into();
    config["health"] = json!({"interval": 1, "probe_timeout": 1});
    let file = world.home().join(".lazarus/config.json");
    std::fs::write(file, config.to_string()).expect("a config");
    world
}

#[test]
fn a_hermes_gateway_that_is_killed_mid_work_is_brought_back_and_its_session_goes_on() {
    let Some(program) = hermes() else { return };
    if !require("curl") {
        return;
    }
    let (port, model) = (Port::free(), Model::start());
    let world = world(&program, &port, &model);
    let here = |text: String| text.replace("8642", &port.number.to_string());
    let daemon = Daemon::start(&world);
    world.shell(&block("sh", "mcell agent start")).ok();
    crate::changes::until_it_becomes(&world, "healthy");
    world.shell(&here(block("sh", "checkpoint save"))).ok();
    let say = |words: &str| {
        format!(
            "curl -s -o /dev/null -H \"Authorization: Bearer $(cat ~/.lazarus/gateway_1.key)\" -H 'Content-Type: application/json' \
             -d '{{\"message\": \"{words}\"}}' http://127.0.0.1:{}/api/sessions/mission-7/chat",
            port.number
        )
    };
    world.shell(&say("Begin.")).ok();
    // Mid-work: the model thinks, and the gateway waits for it.
    let mut asks = world.command("sh");
    asks.args(["-c", &say(QUESTION)]);
    let mut asks = asks.spawn().expect("curl");
    model.until_asked(QUESTION);
    let (before, old) = (life(&world, "coder"), pid(&world, "coder"));
    crate::crew::send(old, Signal::KILL);
    asks.wait().expect("its end");
    comes_back(&world, "coder", before);
    let revival = stands(&world, "revived");
    assert_eq!(revival["checkpoint"], 1, "{revival}");
    // The same session: what was said before it was killed is there.
    let history = model.until_asked("You were interrupted. Go on.");
    let words = Value::from(history).to_string();
    assert!(
        words.contains("Begin.") && words.contains("Done."),
        "{words}"
    );
    // And the right profile answers.
    let models = format!(
        "curl -sf -H \"Authorization: Bearer $(cat ~/.lazarus/gateway_1.key)\" http://127.0.0.1:{}/v1/models",
        port.number
    );
    world.shell(&models).ok().shows("\"coder\"");
    world.mcell("health").ok().shows("its gateway answered");
    world.mcell("agent stop coder").ok();
    daemon.stop();
}
