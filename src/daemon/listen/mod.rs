//! The listener: HTTP/1.1 over TCP and the root's socket, on one thread of its own.
//!
//! The only room that sees hyper and tokio. What a request means is decided by a handler, a plain function; this room sees
//! to it that a handler gets whole requests from those who may ask at all, and that nobody can hold the listener up: by many
//! connections, by half of a request, or by not reading an answer.

mod accept;
mod connection;
mod guard;
mod service;
mod slot;
mod sniff;
mod stream;
mod table;

use crate::base::error::{Error, Result};
use crate::daemon::message::{Reply, Request};
use accept::Door;
use guard::Names;
use hyper::server::conn::http1;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{PipeReader, PipeWriter};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;
use table::Table;
use tokio::sync::Notify;
use tokio::task::LocalSet;

/// The most connections at a time.
const CONNECTIONS: usize = 4096;
/// How many connections may wait to be accepted. std asks for 128: when that is full, the system lets whoever calls wait a
/// second and more before it is heard again.
const WAITING: i32 = 4096;
/// How long answers that are being made or sent have when the listener is stopped.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Answers requests; a plain function is one. It runs on the listener's only thread, so it must not wait for anything: see
/// [`Reply::Later`].
pub trait Handler: Send + Sync {
    /// Answers a request.
    fn answer(&self, request: &Request) -> Reply;

    /// Is told that a connection was accepted.
    fn opened(&self) {}

    /// Is told that a connection has ended.
    fn closed(&self) {}

    /// Is told that a request was answered with this status, by whomever.
    fn answered(&self, _status: u16) {}
}

impl<F: Fn(&Request) -> Reply + Send + Sync> Handler for F {
    fn answer(&self, request: &Request) -> Reply {
        self(request)
    }
}

/// What to listen on, and to whom.
#[derive(Debug, Default)]
pub struct Doors {
    /// Sockets of TCP, bound and listening.
    pub tcp: Vec<TcpListener>,
    /// The root's socket, bound and listening.
    pub unix: Option<UnixListener>,
    /// Further hosts by which requests may call the listener, without a port.
    pub hosts: Vec<String>,
}

/// Binds an address (exit 5 if it is taken, with who to look for; exit 7 if it cannot be had).
pub fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            let port = address.port();
            Error::refused(format!("{address} is taken by another program")).hint(format!(
                "`ss -ltnp 'sport = :{port}'` shows it; or listen elsewhere: `mcell daemon --listen 127.0.0.1:{}`",
                port.checked_add(1).unwrap_or(8080)
            ))
        }
        _ => Error::storage(format_args!("listen on {address}"), error),
    })
}

/// A listener that runs. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Listener {
    thread: Option<JoinHandle<Result<()>>>,
    stop: Arc<Notify>,
    end: PipeReader,
    addresses: Vec<SocketAddr>,
}

impl Listener {
    /// Starts a listener on a thread of its own.
    pub fn start(doors: Doors, handler: Arc<dyn Handler>) -> Result<Self> {
        let cannot = |error| Error::storage("start the listener", error);
        let addresses = doors.tcp.iter().map(TcpListener::local_addr);
        let addresses: Vec<SocketAddr> = addresses.collect::<Result<_, _>>().map_err(cannot)?;
        let (end, until) = std::io::pipe().map_err(cannot)?;
        let stop = Arc::new(Notify::new());
        let names = Names::new(addresses.iter().map(SocketAddr::ip), &doors.hosts);
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name(String::from("listener"))
            .spawn(move || run(doors, handler, names, &stopped, until))
            .map_err(cannot)?;
        Ok(Listener {
            thread: Some(thread),
            stop,
            end,
            addresses,
        })
    }

    /// The addresses of TCP, with the ports that were given for 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Accepts nothing more, lets answers end for two seconds, and gives why the listener ended if not by this.
    pub fn stop(&mut self) -> Result<()> {
        self.stop.notify_one();
        self.join()
    }

    /// Whether its thread is over.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn join(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(_)) => Err(Error::bug("the listener's thread panicked")),
        }
    }
}

impl AsFd for Listener {
    /// Has something to read (the end) as soon as the listener's thread is over, however that came.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.notify_one();
        // Whoever wants to know why it ended calls `stop`.
        _ = self.join();
    }
}

/// What all connections share.
struct House {
    table: Rc<Table>,
    handler: Arc<dyn Handler>,
    names: Names,
    http: http1::Builder,
    /// Bytes of bodies that are not whole.
    held: Cell<usize>,
    is_stopping: Cell<bool>,
}

/// How hyper is used: it keeps no time, since the table does.
fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None)
        .max_header_size(connection::HEAD)
        .max_buf_size(64 << 10)
        // Whoever has said all shuts their side, and still wants the answer (`printf … | nc`).
        .half_close(true)
        // One write for head and body. Not `pipeline_flush`: with it an answer waits for as long as half of the next
        // request is there.
        .writev(false);
    http
}

fn run(
    doors: Doors,
    handler: Arc<dyn Handler>,
    names: Names,
    stop: &Notify,
    _until: PipeWriter,
) -> Result<()> {
    let cannot = |error| Error::storage("run the listener", error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(cannot)?;
    let house = Rc::new(House {
        table: Rc::new(Table::new(room())),
        handler,
        names,
        http: http(),
        held: Cell::new(0),
        is_stopping: Cell::new(false),
    });
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let mut tasks = Vec::new();
        tasks.push(tokio::task::spawn_local(house.table.clone().keep_limits()));
        for door in open(doors.tcp, doors.unix).map_err(cannot)? {
            tasks.push(tokio::task::spawn_local(accept::accept(
                house.clone(),
                door,
            )));
        }
        let mut stopped = pin!(stop.notified());
        let is_stopped = poll_fn(|context| {
            if stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            // None of them ends but by a panic.
            let has_ended = tasks
                .iter_mut()
                .any(|task| pin!(task).poll(context).is_ready());
            if has_ended {
                Poll::Ready(false)
            } else {
                Poll::Pending
            }
        })
        .await;
        for task in &tasks {
            task.abort();
        }
        if !is_stopped {
            return Err(Error::bug("a part of the listener ended by itself"));
        }
        house.is_stopping.set(true);
        end_in_order(&house.table).await;
        Ok(())
    })
}

fn open(tcp: Vec<TcpListener>, unix: Option<UnixListener>) -> std::io::Result<Vec<Door>> {
    let mut doors = Vec::new();
    for door in tcp {
        door.set_nonblocking(true)?;
        rustix::net::listen(&door, WAITING)?;
        doors.push(Door::Tcp(tokio::net::TcpListener::from_std(door)?));
    }
    if let Some(door) = unix {
        door.set_nonblocking(true)?;
        rustix::net::listen(&door, WAITING)?;
        doors.push(Door::Unix(tokio::net::UnixListener::from_std(door)?));
    }
    Ok(doors)
}

async fn end_in_order(table: &Table) {
    let step = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    while table.end_all_but_answers() > 0 && waited < LAST_ANSWERS {
        tokio::time::sleep(step).await;
        waited += step;
    }
    // Those that were just asked to end do so.
    tokio::time::sleep(step).await;
}

/// How many connections there may be: a quarter of the descriptors is for everything else.
fn room() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = limit.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    });
    CONNECTIONS.min(files - files / 4)
}
