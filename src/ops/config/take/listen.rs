//! Addresses to listen on.

use super::Taker;
use crate::base::document::{Kind, Node};
use crate::base::text::{cut, shown};
use std::net::{Ipv4Addr, SocketAddr};

impl Taker<'_> {
    pub(super) fn listen(&mut self, node: Node<'_, '_>) -> Option<Vec<SocketAddr>> {
        let one = |taker: &mut Self, item: Node<'_, '_>| {
            let text = taker.text(item, "an address such as \"127.0.0.1:8080\"")?;
            address(&text)
                .map_err(|why| {
                    let message = format!("{} is no address to listen on: {why}", taker.name);
                    taker.wrong(item.range(), message);
                })
                .ok()
        };
        if node.kind() == Kind::String {
            return one(self, node).map(|address| vec![address]);
        }
        self.list(node, "an address or a list of them", one)
    }
}

/// An address to listen on, as people write it: an address of this machine and a port. The error is half a sentence.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if text.starts_with("unix:") {
        return Err(String::from(
            "the daemon's socket is always there, at `.mcell/agents.sock` of its root",
        ));
    }
    if text.contains("://") {
        return Err(String::from(
            "write it without a scheme, like 127.0.0.1:8080",
        ));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let Ok(port) = port.parse::<u16>() else {
        return Err(String::from(
            "write an address and a port, like 127.0.0.1:8080",
        ));
    };
    match host {
        "localhost" => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        "" => Err(format!(
            "write whom it is for: 127.0.0.1:{port} is for this machine alone"
        )),
        _ => Err(format!(
            "`{}` is no address of a machine; write numbers, like 127.0.0.1:{port} or [::1]:{port}",
            cut(&shown(host), 60)
        )),
    }
}
