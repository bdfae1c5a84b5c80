//! The listener by itself, with a handler that does little.

use super::wire::Wire;
use mcell::daemon::listen::{Doors, Handler, Listener, bind};
use mcell::daemon::message::{Method, Promise, Reply, Request, Response, feed, later};
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Answers like the daemon as far as these tests ask: beats, health, one that takes its time, one that streams.
fn toy(request: &Request) -> Reply {
    let segments: Vec<&str> = request.target.segments().collect();
    match (request.method, segments.as_slice()) {
        (Method::Get | Method::Head, ["health"]) => Response::json(200, &"well").into(),
        (Method::Get, ["peer"]) => Response::json(200, &format!("{:?}", request.peer)).into(),
        (Method::Post, ["heartbeat", _]) => match request.json::<serde_json::Value>() {
            Ok(_) => Response::json(200, &request.body.len()).into(),
            Err(refusal) => refusal.into(),
        },
        (Method::Get, ["later"]) => {
            let (promise, later) = later();
            std::thread::spawn(move || promise.keep(Response::json(200, &"at last")));
            Reply::Later(later)
        }
        (Method::Get, ["large"]) => {
            let text = "x".repeat(8 << 20);
            Response::text(200, "text/plain", text).into()
        }
        (_, ["health" | "heartbeat", ..]) => Response::error(405, "method", "not so")
            .with("allow", "GET, POST")
            .into(),
        _ => Response::error(404, "not_found", "no such thing").into(),
    }
}

pub(super) fn start() -> Listener {
    start_with(Arc::new(toy))
}

fn start_with(handler: Arc<dyn Handler>) -> Listener {
    let doors = Doors {
        tcp: vec![bind("127.0.0.1:0".parse().unwrap()).unwrap()],
        ..Doors::default()
    };
    Listener::start(doors, handler).unwrap()
}

pub(super) fn call(listener: &Listener) -> Wire {
    Wire::call(listener.addresses()[0])
}

#[test]
fn an_answer_may_be_made_on_another_thread() {
    let listener = start();
    let mut wire = call(&listener);
    wire.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(wire.answer().ends_with("\"at last\"\n"));
}

#[test]
fn both_families_and_the_socket_of_the_root_are_listened_on_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agents.sock");
    let doors = Doors {
        tcp: ["127.0.0.1:0", "[::1]:0"]
            .iter()
            .filter_map(|address| bind(address.parse().unwrap()).ok())
            .collect(),
        unix: Some(UnixListener::bind(&path).unwrap()),
        ..Doors::default()
    };
    let listener = Listener::start(doors, Arc::new(toy)).unwrap();
    let ask = "GET /peer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for address in listener.addresses() {
        let mut wire = Wire::call(*address);
        wire.send(ask);
        assert!(wire.rest().ends_with("\"Loopback\"\n"), "{address}");
    }
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.write_all(ask.as_bytes()).unwrap();
    let said = std::io::read_to_string(stream).unwrap();
    let me = rustix::process::getuid().as_raw();
    assert!(
        said.ends_with(&format!("\"Local(Some({me}))\"\n")),
        "{said}"
    );
}

#[test]
fn a_body_in_a_second_segment_arrives_whole() {
    let listener = start();
    let mut wire = call(&listener);
    wire.send("POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n");
    assert!(wire.is_silent());
    wire.send("{\"status\":");
    assert!(wire.is_silent());
    wire.send("\"x\"");
    assert!(wire.is_silent());
    wire.send("}");
    let answer = wire.answer();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n14\n"),
        "{answer}"
    );
}

#[test]
fn what_is_large_arrives_whole_at_who_reads_slowly() {
    let listener = start();
    let mut wire = call(&listener);
    wire.send("GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(wire.is_answered());
    let said = wire.rest();
    assert!(
        said.len() > 8 << 20 && said.ends_with("xxx"),
        "{}",
        said.len()
    );
}

#[test]
fn a_refusal_of_a_body_is_heard_though_the_body_is_still_sent() {
    let listener = start();
    for _ in 0..20 {
        let mut wire = call(&listener);
        wire.send(
            "POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n",
        );
        wire.send("x".repeat(500_000));
        let said = wire.rest();
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    }
}

#[test]
fn events_are_heard_as_they_come_and_to_their_end() {
    let (feeder, feed) = feed();
    let feed = Mutex::new(Some(feed));
    let listener = start_with(Arc::new(move |_: &Request| {
        let feed = feed.lock().unwrap().take();
        feed.map_or_else(|| Response::error(404, "a", "b"), Response::stream)
            .into()
    }));
    let mut wire = call(&listener);
    wire.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(feeder.say(b"data: one\n\n"));
    wire.read_until("data: one\n\n");
    assert!(feeder.say(b"data: two\n\n"));
    wire.read_until("data: two\n\n");
    drop(feeder);
    wire.read_until("0\r\n\r\n");
    // The connection is as good as any after it.
    wire.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(wire.answer().starts_with("HTTP/1.1 404"));
}

/// A listener whose only answer is promised, and what tells that it was asked.
fn start_waiting() -> (Listener, Promise, Receiver<()>) {
    let (promise, at_last) = later();
    let waiting = Mutex::new(Some(at_last));
    let (called, was_called) = channel();
    let listener = start_with(Arc::new(move |_: &Request| {
        called.send(()).unwrap();
        Reply::Later(waiting.lock().unwrap().take().unwrap())
    }));
    (listener, promise, was_called)
}

#[test]
fn a_stop_lets_an_answer_end_and_the_owner_sees_it() {
    use rustix::event::{PollFd, PollFlags, poll};
    let (mut listener, promise, was_called) = start_waiting();
    let mut idle = call(&listener);
    let mut wire = call(&listener);
    wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    was_called.recv().unwrap();
    let address = listener.addresses()[0];
    let end = rustix::io::dup(listener.as_fd()).unwrap();
    let stop = std::thread::spawn(move || listener.stop());
    assert_eq!(idle.rest(), "");
    assert!(TcpStream::connect(address).is_err());
    promise.keep(Response::json(200, &"done"));
    let said = wire.rest();
    assert!(
        said.contains("connection: close") && said.ends_with("\"done\"\n"),
        "{said}"
    );
    stop.join().unwrap().unwrap();
    let mut watched = [PollFd::new(&end, PollFlags::IN)];
    poll(&mut watched, None).unwrap();
    assert!(watched[0].revents().contains(PollFlags::HUP));
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let (mut listener, promise, was_called) = start_waiting();
    let mut wire = call(&listener);
    wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    was_called.recv().unwrap();
    listener.stop().unwrap();
    assert_eq!(wire.rest(), "");
    assert!(promise.is_forgotten());
}

#[test]
fn an_address_that_is_taken_is_told_with_the_way_out() {
    let listener = start();
    let error = bind(listener.addresses()[0]).unwrap_err();
    assert!(error.message().contains("is taken"), "{error:?}");
}

#[test]
fn what_a_handler_says_is_sent_as_it_is() {
    let listener = start();
    let mut wire = call(&listener);
    wire.send("DELETE /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let said = wire.answer();
    assert!(
        said.contains("\r\nallow: GET, POST\r\n") && said.contains("\r\ndate: "),
        "{said}"
    );
    assert!(said.contains("{\"error\":{\"code\":\"method\","), "{said}");
    wire.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let said = wire.rest();
    assert!(
        said.contains("content-length: 7") && said.ends_with("\r\n\r\n"),
        "{said}"
    );
}
