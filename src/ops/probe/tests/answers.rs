//! What one probe makes of them.

use super::*;

#[test]
fn a_gateway_that_is_well_is_good() {
    for body in [
        r#"{"status": "ok", "platform": "hermes-agent"}"#,
        "pong",
        "",
        "[]",
    ] {
        assert_eq!(
            Gateway::saying(ok(body)).asked(),
            Ok(Answer::Good),
            "{body}"
        );
    }
    let none = Gateway::saying("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(none.asked(), Ok(Answer::Good));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"status\": \"up\"}\r\n0\r\n\r\n";
    assert_eq!(Gateway::saying(chunked).asked(), Ok(Answer::Good));
    let closed = "HTTP/1.0 200 OK\r\n\r\n{\"status\": \"sick\"}";
    assert_eq!(
        Gateway::saying(closed).asked(),
        Ok(Answer::Degraded(String::from("sick")))
    );
}

#[test]
fn a_question_is_plain_and_names_who_asks() {
    let gateway = Gateway::saying(ok(""));
    gateway.asked().unwrap();
    let heads = gateway.heads.lock().unwrap();
    let head = heads.first().unwrap().to_lowercase();
    assert!(head.starts_with("get /health http/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("host: {}\r\n", gateway.address)),
        "{head}"
    );
    assert!(
        head.contains("user-agent: mcell/") && head.contains("connection: close\r\n"),
        "{head}"
    );
    assert!(!head.contains("authorization"), "{head}");
}

#[test]
fn a_gateway_that_accepts_and_says_nothing_has_failed_in_time() {
    let gateway = Gateway::that(|stream, _| drop(stream.read(&mut [0])));
    let (answer, took) = gateway.asked_in_haste();
    assert_eq!(answer, failed("no answer within 300 ms"));
    assert!(took >= PATIENCE);
    in_time(took);
}

#[test]
fn a_frozen_process_takes_connections_and_has_failed_in_time() {
    // Nobody ever accepts: the kernel completes the connection, as it does for a stopped process.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Entry::at(&listener.local_addr().unwrap().to_string())
        .unwrap()
        .target();
    let probed = ask(&target, PATIENCE);
    assert_eq!(probed.answer, failed("no answer within 300 ms"));
    in_time(probed.took);
}

#[test]
fn degraded_with_200_is_degraded_and_its_word_is_made_visible() {
    let gateway = Gateway::saying(ok(r#"{"status": "degraded", "pid": 1}"#));
    assert_eq!(
        gateway.asked(),
        Ok(Answer::Degraded(String::from("degraded")))
    );
    let word = format!("\\u001b[31m{}", "x".repeat(500));
    let gateway = Gateway::saying(ok(&format!("{{\"status\": \"{word}\"}}")));
    let Ok(Answer::Degraded(word)) = gateway.asked() else {
        panic!("not degraded");
    };
    assert!(
        word.starts_with("\\u{1b}[31mxxx") && word.chars().count() == 80,
        "{word}"
    );
}

#[test]
fn what_is_not_2xx_has_failed() {
    for (status, why) in [
        ("500 Internal Server Error", "answered 500"),
        ("503 Service Unavailable", "answered 503"),
        ("404 Not Found", "answered 404"),
        ("401 Unauthorized", "answered 401"),
        ("304 Not Modified", "answered 304"),
    ] {
        // A body that says ok makes nothing of it well.
        let gateway = Gateway::saying(with_status(status, r#"{"status": "ok"}"#));
        assert_eq!(gateway.asked(), failed(why));
    }
}

#[test]
fn garbage_has_failed() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\0\x01\x02\x03\r\n\r\n",
        "HTTP/9 200\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
    ] {
        let answer = Gateway::saying(garbage).asked();
        let is_failure = matches!(answer, Ok(Answer::Failed(_)));
        assert!(is_failure, "{garbage:?}: {answer:?}");
    }
    let endless = Gateway::that(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
        while stream.write_all(&[b'x'; 1024]).is_ok() {}
    });
    assert_eq!(endless.asked(), failed("what answers does not speak HTTP"));
}

#[test]
fn an_answer_that_drips_is_not_in_time() {
    /// Sends a byte now and then for as long as somebody reads.
    fn drip(stream: &mut TcpStream, byte: u8) {
        let (_wait, never) = mpsc::channel::<()>();
        while stream.write_all(&[byte]).is_ok() {
            let _ = never.recv_timeout(Duration::from_millis(20));
        }
    }
    let head = Gateway::that(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
        drip(stream, b'x');
    });
    let (answer, took) = head.asked_in_haste();
    assert_eq!(answer, failed("no answer within 300 ms"));
    in_time(took);
    let body = Gateway::that(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
        drip(stream, b' ');
    });
    let (answer, took) = body.asked_in_haste();
    assert_eq!(answer, failed("its answer was not whole within 300 ms"));
    in_time(took);
}

#[test]
fn a_connection_that_is_kept_open_for_ever_ends_with_the_answer() {
    let gateway = Gateway::that(|stream, _| {
        let _ = stream.write_all(&ok(r#"{"status": "ok"}"#));
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(gateway.asked(), Ok(Answer::Good));
    // Without a length the answer ends with the connection, and that never does.
    let gateway = Gateway::that(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"status\": \"ok\"}");
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(
        gateway.asked_in_haste().0,
        failed("its answer was not whole within 300 ms")
    );
}

#[test]
fn a_redirect_is_told_and_never_followed() {
    let elsewhere = Gateway::saying(ok(""));
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
            elsewhere.address
        );
        let said = Gateway::saying(answer).asked();
        let why = format!("redirects to http://{}/, not followed", elsewhere.address);
        assert_eq!(said, failed(&why));
    }
    assert_eq!(elsewhere.calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_connection_that_breaks_off_has_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Entry::at(&listener.local_addr().unwrap().to_string())
        .unwrap()
        .target();
    let resetting = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // Closed with a linger of zero, a connection is reset.
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    });
    assert_eq!(
        ask(&target, LONG).answer,
        failed("the connection broke off before an answer")
    );
    resetting.join().unwrap();
    let half = Gateway::saying("HTTP/1.1 200 OK\r\nContent-Le");
    assert!(matches!(half.asked(), Ok(Answer::Failed(_))));
    let short = Gateway::saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\"");
    assert_eq!(short.asked(), failed("its answer broke off"));
    let long =
        Gateway::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{\"status\": \"down\"}");
    assert_eq!(long.asked(), Ok(Answer::Good));
    for length in ["-1", "+2", "two", "99999999999999999999999"] {
        let wrong = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{}}");
        let answer = Gateway::saying(wrong).asked();
        assert!(
            matches!(answer, Ok(Answer::Failed(_))),
            "{length}: {answer:?}"
        );
    }
}

#[test]
fn a_closed_port_has_failed_at_once() {
    // Bound and not listening: no other test is given the port.
    use rustix::net;
    let socket = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None).unwrap();
    net::bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = net::getsockname(&socket).unwrap();
    let address = std::net::SocketAddr::try_from(address).unwrap();
    let target = Entry::at(&address.to_string()).unwrap().target();
    assert_eq!(ask(&target, LONG).answer, failed("refuses connections"));
    let target = Entry::at("http://no-such-host.invalid/").unwrap().target();
    let probed = ask(&target, PATIENCE);
    assert!(matches!(probed.answer, Ok(Answer::Failed(_))), "{probed:?}");
    in_time(probed.took);
}

#[test]
fn of_a_huge_body_the_status_code_counts_and_the_rest_is_not_read() {
    let huge = 1_u64 << 40;
    for length in [format!("Content-Length: {huge}\r\n"), String::new()] {
        let gateway = Gateway::that(move |stream, _| {
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n").as_bytes());
            let _ = stream.write_all(b"{\"status\": \"down\", \"x\": \"");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        });
        assert_eq!(gateway.asked(), Ok(Answer::Good));
    }
}

#[test]
fn tls_that_says_nothing_has_failed_in_time() {
    let gateway = Gateway::that(|stream, _| drop(stream.read(&mut [0])));
    let target = Entry::at(&format!("https://{}", gateway.address))
        .unwrap()
        .target();
    let probed = ask(&target, PATIENCE);
    assert_eq!(probed.answer, failed("no answer within 300 ms"));
    in_time(probed.took);
    let plain = Gateway::that(|stream, _| drop(stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n")));
    // What speaks no TLS waits for the end of a head that never comes; it is told as soon as it answers.
    let target = Entry::at(&format!("https://{}", plain.address))
        .unwrap()
        .target();
    let probed = ask(&target, PATIENCE);
    assert!(matches!(probed.answer, Ok(Answer::Failed(_))), "{probed:?}");
    in_time(probed.took);
}

/// A Hermes gateway with a key, as hermes-agent 0.19 answers.
fn hermes(key: &'static str) -> Gateway {
    Gateway::that(move |stream, head| {
        let has_key = head
            .to_lowercase()
            .contains(&format!("authorization: bearer {key}\r\n"));
        let path = head.split(' ').nth(1).unwrap_or_default();
        let answer = match (path, has_key) {
            ("/health", _) => ok(r#"{"status": "ok"}"#),
            ("/health/detailed", true) => ok(r#"{"status": "degraded", "pid": 4711}"#),
            ("/v1/models", true) => ok(r#"{"object": "list", "data": [{"id": "coder"}]}"#),
            ("/health/detailed" | "/v1/models", false) => with_status("401 Unauthorized", ""),
            _ => with_status("404 Not Found", ""),
        };
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Both);
    })
}

fn with_key(gateway: &Gateway, file: PathBuf) -> Target {
    Target {
        key: Some(Key {
            token_file: file,
            path: String::from("/health/detailed"),
        }),
        ..gateway.target()
    }
}

#[test]
fn a_hermes_gateway_with_a_key_is_asked_in_detail_and_compared() {
    let gateway = hermes("0123456789abcdef");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    let target = with_key(&gateway, file.clone());
    let probed = Prober::default().ask(&target, true, LONG);
    let said = |pid: Option<u32>, name: Option<&str>| {
        let name = name.map(str::to_owned);
        probed.for_agent(&Expected { pid, name })
    };
    let degraded = Ok(Answer::Degraded(String::from("degraded")));
    assert_eq!(said(None, None), degraded);
    assert_eq!(said(Some(4711), Some("coder")), degraded);
    assert_eq!(
        said(Some(1), None),
        failed("another gateway answers: its pid is 4711, not 1")
    );
    let other = failed("another gateway answers: it is `coder`, not `tester`");
    assert_eq!(said(Some(4711), Some("tester")), other);
    // The entry's own name counts where the agent has none, and then it is asked for.
    let profile = Some(String::from("tester"));
    let named = Prober::default().ask(
        &Target {
            profile,
            ..target.clone()
        },
        false,
        PATIENCE,
    );
    assert_eq!(named.for_agent(&Expected::default()), other);
    // The file is read at each use.
    std::fs::write(&file, "another\n").unwrap();
    let probed = Prober::default().ask(&target, true, LONG);
    assert_eq!(probed.answer, failed("answered 401: its key is not taken"));
}

#[test]
fn a_key_that_cannot_be_read_is_told_and_the_gateway_is_not_to_blame() {
    let gateway = hermes("0123456789abcdef");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let ask = || {
        let target = with_key(&gateway, file.clone());
        let probed = Prober::default().ask(&target, true, LONG);
        assert_eq!(probed.answer, Ok(Answer::Good));
        probed.note.unwrap()
    };
    assert!(
        ask().contains("No such file") || ask().contains("no such file"),
        "{}",
        ask()
    );
    std::fs::write(&file, "two words\n").unwrap();
    assert!(
        ask().ends_with("does not hold one word of ASCII; asked without it"),
        "{}",
        ask()
    );
}

#[test]
fn a_gateway_on_a_socket_file_is_asked_there() {
    let folder = tempfile::tempdir().unwrap();
    // Deeper than a socket's address has room for.
    let cell = folder.path().join("x".repeat(120));
    std::fs::create_dir(&cell).unwrap();
    let gateways = Gateways::default();
    let target = gateways
        .target(&cell, Some("unix:agent.sock"), None)
        .unwrap()
        .unwrap();
    let prober = Prober::default();
    let probed = prober.ask(&target, false, LONG);
    assert_eq!(probed.answer, failed("there is no socket file"));
    let near =
        rustix::fs::open(&cell, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    let near = format!(
        "/proc/self/fd/{}/agent.sock",
        std::os::fd::AsRawFd::as_raw_fd(&near)
    );
    let listener = UnixListener::bind(near).unwrap();
    let probed = prober.ask(&target, false, PATIENCE);
    assert_eq!(probed.answer, failed("no answer within 300 ms"));
    in_time(probed.took);
    let answering = std::thread::spawn(move || {
        for _ in 0..2 {
            // The first is that of the probe that gave up.
            let (mut stream, _) = listener.accept().unwrap();
            head_of(&mut stream);
            let _ = stream.write_all(&ok(r#"{"status": "pass"}"#));
        }
    });
    let probed = prober.ask(&target, false, LONG);
    assert_eq!(probed.answer, Ok(Answer::Good));
    answering.join().unwrap();
    let probed = prober.ask(&target, false, LONG);
    assert_eq!(probed.answer, failed("refuses connections"));
}

#[test]
fn a_socket_file_whose_queue_is_full_has_failed_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    let listener = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    let socket = || {
        rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK | rustix::net::SocketFlags::CLOEXEC,
            None,
        )
        .unwrap()
    };
    let address = rustix::net::SocketAddrUnix::new(&path).unwrap();
    loop {
        let one = socket();
        if rustix::net::connect(&one, &address).is_err() {
            break;
        }
        waiting.push(one);
    }
    let target = Entry::at(&format!("unix:{}", path.display()))
        .unwrap()
        .target();
    let probed = ask(&target, PATIENCE);
    assert_eq!(probed.answer, failed("no answer within 300 ms"));
    in_time(probed.took);
}
