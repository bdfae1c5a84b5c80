//! Taking connections, also when there are too many of them.

use super::House;
use super::connection;
use super::service::Visitor;
use super::stream::Stream;
use crate::daemon::message::Peer;
use rustix::io::Errno;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener};

/// How long nothing is accepted when the system has nothing to give.
const BREATH: Duration = Duration::from_millis(50);

/// A socket that is listened on.
#[derive(Debug)]
pub(super) enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Door {
    async fn accept(&self) -> io::Result<(Stream, Peer, Option<IpAddr>)> {
        match self {
            Door::Tcp(door) => {
                let (stream, from) = door.accept().await?;
                let local = called(door, &stream);
                // An answer is written in one piece: it need not wait for more.
                _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), peer(from), local))
            }
            Door::Unix(door) => {
                let (stream, _) = door.accept().await?;
                let user = stream.peer_cred().ok().map(|who| who.uid());
                Ok((Stream::Unix(stream), Peer::Local(user), None))
            }
        }
    }
}

/// The address that was called, where it can be any.
fn called(door: &TcpListener, stream: &TcpStream) -> Option<IpAddr> {
    let is_any = door.local_addr().ok()?.ip().is_unspecified();
    let local = is_any.then(|| stream.local_addr().ok()).flatten()?;
    Some(local.ip().to_canonical())
}

fn peer(from: SocketAddr) -> Peer {
    if from.ip().to_canonical().is_loopback() {
        Peer::Loopback
    } else {
        Peer::Remote
    }
}

/// Takes connections for ever.
pub(super) async fn accept(house: Rc<House>, door: Door) {
    // Whether a connection was just ended to make room for the next.
    let mut made_room = false;
    loop {
        match door.accept().await {
            Ok((stream, peer, local)) => {
                made_room = false;
                // Of each that is there an answer is made: the new one goes.
                let Some(guest) = house.table.admit() else {
                    continue;
                };
                house.handler.opened();
                let house = house.clone();
                tokio::task::spawn_local(async move {
                    let slot = guest.slot.clone();
                    let visitor = Visitor { slot, peer, local };
                    let present = Present(house.clone());
                    connection::serve(house, visitor, stream).await;
                    drop((guest, present));
                });
            }
            Err(error) if is_shortage(&error) && !made_room && house.table.drop_oldest() => {
                // The one that goes does so in its own task, and those that have something to read get to it first.
                made_room = true;
                tokio::task::yield_now().await;
            }
            Err(error) if is_of_one(&error) => {}
            Err(_) => {
                made_room = false;
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Tells the handler when a connection has ended, however that came.
struct Present(Rc<House>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.handler.closed();
    }
}

/// Whether the system has no more descriptors or memory.
fn is_shortage(error: &io::Error) -> bool {
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| short.contains(&error))
}

/// Whether only the connection that was to be accepted is concerned: it is gone already.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
