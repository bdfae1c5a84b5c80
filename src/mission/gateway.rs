//! A gateway: how an agent's file says where the agent is reached (docs/agent.md).

/// What the text of a gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway<'a> {
    /// A name that the fleet's tools, and the daemon's config, look up.
    Name(&'a str),
    /// `host:port`; an IPv6 address stands in brackets.
    HostPort(&'a str),
    /// A URL of any scheme.
    Url(&'a str),
    /// `unix:PATH`, without the `unix:`: an absolute path, or one beneath the cell.
    Socket(&'a str),
}

impl<'a> Gateway<'a> {
    /// What a text is; none if it has no form that could be looked up or connected to.
    pub fn of(text: &'a str) -> Option<Self> {
        if text
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control())
        {
            return None;
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return is_socket(path).then_some(Gateway::Socket(path));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
            let has_host = rest.starts_with(|first: char| first.is_alphanumeric() || first == '[');
            return (is_scheme && has_host).then_some(Gateway::Url(text));
        }
        if text.contains(':') {
            return is_host_port(text).then_some(Gateway::HostPort(text));
        }
        is_name(text).then_some(Gateway::Name(text))
    }

    /// Tells whether it is reached over a network.
    pub const fn needs_network(self) -> bool {
        matches!(self, Gateway::HostPort(_) | Gateway::Url(_))
    }
}

/// Names of hosts, and of gateways: both are in use with underscores.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// Tells whether a text is a host and a port above zero.
pub fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    is_host && is_port
}

/// A relative path stays beneath the cell: the cell may be moved, and what is outside is not its own.
fn is_socket(path: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    !path.is_empty() && (path.starts_with('/') || path.split('/').all(is_plain))
}
