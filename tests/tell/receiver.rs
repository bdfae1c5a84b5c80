//! A receiver of webhooks, which answers well, badly, or not at all.

use super::{SECRET, Seen};
use mcell::ops::config::Webhook;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Heard {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn id(&self) -> &str {
        self.header("x-mcell-delivery").expect("an id")
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// What a receiver answers.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// A status, and more header lines.
    Status(u16, String),
    /// 200, with this body.
    Json(&'static str),
    /// Nothing, while the connection stays open.
    Nothing,
    /// The end of the connection.
    Close,
}

pub(super) const OK: Answer = Answer::Status(204, String::new());

/// A receiver of webhooks.
pub(super) struct Hearer {
    pub(super) address: SocketAddr,
    pub(super) heard: Arc<Seen<Heard>>,
    is_over: Arc<AtomicBool>,
}

impl Hearer {
    /// Answers the n-th request (from 0) with what `answer` says.
    pub(super) fn new(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Hearer::at("127.0.0.1:0", answer)
    }

    pub(super) fn at(
        address: &str,
        answer: impl Fn(usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a socket");
        let address = listener.local_addr().expect("its address");
        let heard = Seen::new();
        let is_over = Arc::new(AtomicBool::new(false));
        let (seen, over, answer) = (Arc::clone(&heard), Arc::clone(&is_over), Arc::new(answer));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || serve(connection.expect("one"), &seen, &*answer));
            }
        });
        Hearer {
            address,
            heard,
            is_over,
        }
    }

    pub(super) fn webhook(&self) -> Webhook {
        super::webhook(format!("http://{}/hooks/mcell", self.address), SECRET)
    }
}

impl Drop for Hearer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut connection: TcpStream, seen: &Seen<Heard>, answer: &dyn Fn(usize) -> Answer) {
    let mut reader = BufReader::new(connection.try_clone().expect("its other end"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request");
    if line.is_empty() {
        return;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.expect("a length").1.parse().expect("a number");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let number = {
        let mut things = seen.things.lock().unwrap();
        things.push(Heard {
            line: line.trim_end().to_owned(),
            headers,
            body,
        });
        things.len() - 1
    };
    seen.bell.notify_all();
    match answer(number) {
        Answer::Status(status, more) => {
            let text = format!("HTTP/1.1 {status} x\r\n{more}content-length: 0\r\n\r\n");
            let _ = connection.write_all(text.as_bytes());
        }
        Answer::Json(body) => {
            let length = body.len();
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            let _ = connection.write_all(text.as_bytes());
        }
        Answer::Nothing => {
            // Until the other side goes away.
            let _ = reader.read(&mut [0]);
        }
        Answer::Close => {}
    }
}
