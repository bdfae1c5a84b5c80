//! What the listener hands to a handler, and what a handler hands back: plain data, which knows nothing of sockets.

mod feed;
mod later;
mod number;
mod request;
mod response;
mod target;

pub use feed::{Feed, Feeder, feed};
pub use later::{Later, Promise, later};
pub use number::whole;
pub use request::{Method, Peer, Request};
pub use response::{Body, JSON, Reply, Response, TEXT};
pub use target::Target;
