//! Gateways of every kind of bad manners, on real sockets.

mod answers;
mod pool;

use super::*;
use crate::ops::gateway::{Entry, Gateways, Key};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// How long a probe has in these tests.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a probe has whose answer is waited for.
const LONG: Duration = Duration::from_secs(60);
/// How much later it may end on a machine that is busy.
const SLACK: Duration = Duration::from_secs(5);

/// A gateway that does with each connection what it is told to.
struct Gateway {
    address: String,
    /// How many connections it got.
    calls: Arc<AtomicUsize>,
    /// The heads of the requests.
    heads: Arc<Mutex<Vec<String>>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    listener: TcpListener,
}

impl Gateway {
    fn that(behaves: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = Gateway {
            address: listener.local_addr().unwrap().to_string(),
            calls: Arc::default(),
            heads: Arc::default(),
            open: Arc::default(),
            listener: listener.try_clone().unwrap(),
        };
        let behaves = Arc::new(behaves);
        let (calls, heads, open) = (
            Arc::clone(&gateway.calls),
            Arc::clone(&gateway.heads),
            Arc::clone(&gateway.open),
        );
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                calls.fetch_add(1, Ordering::SeqCst);
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (behaves, heads) = (Arc::clone(&behaves), Arc::clone(&heads));
                std::thread::spawn(move || {
                    let head = head_of(&mut stream);
                    heads.lock().unwrap().push(head.clone());
                    behaves(&mut stream, &head);
                });
            }
        });
        gateway
    }

    /// One that answers every request with this text and closes.
    fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Gateway::that(move |stream, _| {
            let _ = stream.write_all(&answer);
            let _ = stream.shutdown(Shutdown::Both);
        })
    }

    fn target(&self) -> Target {
        Entry::at(&self.address).unwrap().target()
    }

    /// What one hears who has time.
    fn asked(&self) -> Result<Answer, String> {
        ask(&self.target(), LONG).answer
    }

    /// What one hears who has little, and how long that took.
    fn asked_in_haste(&self) -> (Result<Answer, String>, Duration) {
        let probed = ask(&self.target(), PATIENCE);
        (probed.answer, probed.took)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // What accepts wakes with an error, and what reads or writes as well.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        for stream in self.open.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn ask(target: &Target, patience: Duration) -> Probed {
    Prober::default().ask(target, false, patience)
}

fn head_of(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn ok(body: &str) -> Vec<u8> {
    with_status("200 OK", body)
}

fn with_status(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn failed(why: &str) -> Result<Answer, String> {
    Ok(Answer::Failed(why.to_owned()))
}

#[track_caller]
fn in_time(took: Duration) {
    assert!(took < PATIENCE + SLACK, "{took:?}");
}
