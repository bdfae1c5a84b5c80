//! Takes one value of the config: it is what its key wants, or a sentence says what that is.

mod command;
mod gateways;
mod listen;
mod webhooks;

pub use listen::address;

use super::keys::Sort;
use super::{Config, LogLevel};
use crate::base::document::{Kind, Node};
use crate::base::env::Env;
use crate::base::text::{cut, nearest, shown};
use crate::mission::agent::Signal;
use crate::mission::amount::Bytes;
use crate::mission::gateway::is_name;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong in a value, and where.
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Whether the value counts all the same.
    pub(super) is_warning: bool,
}

/// Takes the values of one config.
pub(super) struct Taker<'e> {
    env: &'e Env,
    /// The key whose value is taken, as people name it.
    name: String,
    pub(super) wrongs: Vec<Wrong>,
}

/// A scalar as it stands, cut; of a list or an object what it is.
pub(super) fn said(node: Node<'_, '_>) -> String {
    match node.kind() {
        Kind::Array | Kind::Object => node.kind().words().to_owned(),
        _ => cut(&shown(node.raw()), 60).into_owned(),
    }
}

impl<'e> Taker<'e> {
    pub(super) fn new(env: &'e Env) -> Self {
        Taker {
            env,
            name: String::new(),
            wrongs: Vec::new(),
        }
    }

    /// Puts the value of a key into a config, or says what is wrong with it.
    pub(super) fn take(&mut self, name: &str, sort: Sort, node: Node<'_, '_>, config: &mut Config) {
        self.name = format!("`{name}`");
        let is_null = node.kind() == Kind::Null;
        match sort {
            Sort::Seconds(least, most, at) => {
                put(self.number(node, least, most, " of seconds"), at(config));
            }
            Sort::MaybeSeconds(.., at) if is_null => *at(config) = None,
            Sort::MaybeSeconds(least, most, at) => {
                let number = self.number(node, least, most, " of seconds");
                put(number.map(Some), at(config));
            }
            Sort::Count(least, most, at) => put(self.number(node, least, most, ""), at(config)),
            Sort::YesNo(at) => put(self.yes_no(node), at(config)),
            Sort::Level(at) => put(self.level(node), at(config)),
            Sort::Path(at) => put(self.path(node), at(config)),
            Sort::MaybePath(at) if is_null => *at(config) = None,
            Sort::MaybePath(at) => put(self.path(node).map(Some), at(config)),
            Sort::MaybeName(at) if is_null => *at(config) = None,
            Sort::MaybeName(at) => put(self.text(node, "a name").map(Some), at(config)),
            Sort::Hosts(at) => put(self.hosts(node), at(config)),
            Sort::Users(at) => put(self.words(node, "a list of users"), at(config)),
            Sort::Listen(at) => put(self.listen(node), at(config)),
            Sort::Gateways(at) => put(self.gateways(node), at(config)),
            Sort::Signals(at) => put(self.signals(node), at(config)),
            Sort::Size(at) => put(self.size(node), at(config)),
            Sort::Command(at) if is_null => at(config).clear(),
            Sort::Command(at) => put(self.command(node), at(config)),
            Sort::Webhooks(at) => put(self.webhooks(node), at(config)),
        }
    }

    fn wrong(&mut self, at: Range<usize>, message: String) -> &mut Wrong {
        self.wrongs.push_mut(Wrong {
            at,
            message,
            hint: None,
            is_warning: false,
        })
    }

    /// "`key` must be …, not …".
    fn must(&mut self, node: Node<'_, '_>, what: &str) -> &mut Wrong {
        let message = format!("{} must be {what}, not {}", self.name, said(node));
        self.wrong(node.range(), message)
    }

    fn number(&mut self, node: Node<'_, '_>, least: u64, most: u64, of: &str) -> Option<u64> {
        if let Some(number) = node.as_u64()
            && (least..=most).contains(&number)
        {
            return Some(number);
        }
        let text = node.as_str();
        let is_quoted = text.is_some_and(|text| text.parse::<u64>().is_ok());
        let wrong = self.must(node, &format!("a whole number{of} from {least} to {most}"));
        if is_quoted {
            wrong.hint = Some(String::from("write it without quotes"));
        }
        None
    }

    fn yes_no(&mut self, node: Node<'_, '_>) -> Option<bool> {
        match (node.as_bool(), node.as_str().as_deref()) {
            (Some(value), _) => return Some(value),
            (_, Some("yes")) => return Some(true),
            (_, Some("no")) => return Some(false),
            _ => {}
        }
        let asks = node.as_str().as_deref() == Some("ask");
        let wrong = self.must(node, "true or false");
        if asks {
            wrong.hint = Some(String::from(
                "false asks about every agent whose cell says `yes`",
            ));
        }
        None
    }

    fn level(&mut self, node: Node<'_, '_>) -> Option<LogLevel> {
        let word = node.as_str().unwrap_or_default();
        let level = LogLevel::ALL
            .into_iter()
            .find(|level| level.word().eq_ignore_ascii_case(&word));
        if level.is_none() {
            let meant = nearest(&word, LogLevel::ALL.map(LogLevel::word));
            let hint = meant.map(|meant| format!("is `{meant}` meant?"));
            self.must(node, "DEBUG, INFO, WARNING or ERROR").hint = hint;
        }
        level
    }

    fn text(&mut self, node: Node<'_, '_>, what: &str) -> Option<String> {
        match node.as_str() {
            Some(text) if !text.is_empty() && !text.chars().any(char::is_control) => {
                Some(text.into_owned())
            }
            _ => {
                self.must(node, &format!("{what} in quotes"));
                None
            }
        }
    }

    fn path(&mut self, node: Node<'_, '_>) -> Option<PathBuf> {
        let text = self.text(node, "a path")?;
        Some(self.env.resolve(Path::new(&text)))
    }

    /// A list of which each item is taken by itself, so that each that is wrong is told.
    fn list<T>(
        &mut self,
        node: Node<'_, '_>,
        what: &str,
        mut one: impl FnMut(&mut Self, Node<'_, '_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if node.kind() != Kind::Array {
            self.must(node, what);
            return None;
        }
        let before = self.wrongs.len();
        let name = self.name.clone();
        let mut items = Vec::new();
        for (at, item) in node.items().enumerate() {
            self.name = format!("item {} of {name}", at + 1);
            items.extend(one(self, item));
        }
        self.name = name;
        let is_sound = self
            .wrongs
            .iter()
            .skip(before)
            .all(|wrong| wrong.is_warning);
        is_sound.then_some(items)
    }

    fn words(&mut self, node: Node<'_, '_>, what: &str) -> Option<Vec<String>> {
        self.list(node, what, |taker, item| {
            let word = taker.text(item, "a word")?;
            if word.chars().any(char::is_whitespace) {
                taker.must(item, "a word without spaces");
                return None;
            }
            Some(word)
        })
    }

    fn hosts(&mut self, node: Node<'_, '_>) -> Option<Vec<String>> {
        self.list(node, "a list of names of hosts", |taker, item| {
            let host = taker.text(item, "the name of a host")?.to_ascii_lowercase();
            if is_name(&host) || host.parse::<IpAddr>().is_ok() {
                return Some(host);
            }
            taker.must(item, "the name of a host, without a port");
            None
        })
    }

    fn signals(&mut self, node: Node<'_, '_>) -> Option<Vec<Signal>> {
        const ALL: &str = "heartbeat, notify, output or probe";
        self.list(node, &format!("a list of {ALL}"), |taker, item| {
            let signal = match item.as_str().as_deref() {
                Some("heartbeat") => Signal::Heartbeat,
                Some("notify") => Signal::Notify,
                Some("output") => Signal::Output,
                Some("probe") => Signal::Probe,
                _ => {
                    taker.must(item, ALL);
                    return None;
                }
            };
            Some(signal)
        })
    }

    fn size(&mut self, node: Node<'_, '_>) -> Option<u64> {
        let text = node.as_str();
        let text = text.as_deref().unwrap_or_else(|| node.raw());
        let is_scalar = matches!(node.kind(), Kind::String | Kind::Number);
        let size = is_scalar.then(|| text.parse::<Bytes>().ok()).flatten();
        if size.is_none() {
            self.must(node, "a size such as \"10MB\"");
        }
        size.map(Bytes::get)
    }

    fn is_sound_since(&self, before: usize) -> bool {
        self.wrongs
            .iter()
            .skip(before)
            .all(|wrong| wrong.is_warning)
    }

    /// Sees that a value is an object; members that mean nothing are told.
    fn members(&mut self, node: Node<'_, '_>, known: &[&str], what: &str) -> Option<()> {
        if node.kind() != Kind::Object {
            self.must(node, what);
            return None;
        }
        for (key, member) in node.entries() {
            if known.contains(&&*key) {
                continue;
            }
            let message = format!("`{}` in {} means nothing to mcell", shown(&key), self.name);
            let hint = nearest(&key, known.iter().copied());
            let wrong = self.wrong(member.key_range().unwrap_or_default(), message);
            wrong.hint = hint.map(|meant| format!("is `{meant}` meant?"));
            wrong.is_warning = true;
        }
        Some(())
    }
}

fn put<T>(value: Option<T>, place: &mut T) {
    if let Some(value) = value {
        *place = value;
    }
}
