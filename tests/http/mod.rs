//! The daemon over HTTP, by real sockets: what is sent to it byte by byte, many at once, and as its page says.

mod crowd;
mod daemon;
mod limits;
mod listener;
mod openapi;
mod raw;
mod session;
mod wire;
