//! What takes too long, or is too much.

use super::listener::{call, start};
use std::time::{Duration, Instant};

fn about_five(lasted: Duration) {
    // The clock of the table ticks four times a second; a machine under load is slower, never faster.
    assert!(lasted >= Duration::from_millis(4700), "{lasted:?}");
    assert!(lasted < Duration::from_secs(20), "{lasted:?}");
}

#[test]
fn half_of_a_request_is_let_go_after_five_seconds() {
    let listener = start();
    let whole = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let body = "POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{";
    // The half, and how many answers come before it, at once.
    let halves = [
        (String::new(), 0),
        (String::from("GET /health HTTP/1.1\r\nHost: local"), 0),
        (String::from(body), 0),
        (format!("{whole}GET /hea"), 1),
        (format!("{whole}{whole}{body}"), 2),
    ];
    let mut wires = Vec::new();
    for (half, answers) in &halves {
        let mut wire = call(&listener);
        wire.send(half);
        for _ in 0..*answers {
            wire.answer();
        }
        wires.push((Instant::now(), wire));
    }
    for (begun, mut wire) in wires {
        assert_eq!(wire.rest(), "");
        about_five(begun.elapsed());
    }
}

#[test]
fn a_byte_now_and_then_buys_no_time() {
    let listener = start();
    let mut wire = call(&listener);
    let begun = Instant::now();
    wire.send("GET /health HTTP/1.1\r\n");
    while wire.is_silent() {
        wire.send("a");
    }
    about_five(begun.elapsed());
}

#[test]
fn between_two_requests_more_time_passes_and_the_buffers_are_given_back() {
    let listener = start();
    let mut wire = call(&listener);
    let ask = "POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}\r\n";
    for pause in [0, 30, 115] {
        wire.send(ask);
        assert!(wire.answer().ends_with("\r\n\r\n2\n"));
        // Up to 5.75 s: parked after one, and not ended after five.
        for _ in 0..pause {
            assert!(wire.is_silent());
        }
    }
    wire.send(ask);
    assert!(wire.answer().ends_with("\r\n\r\n2\n"));
}
