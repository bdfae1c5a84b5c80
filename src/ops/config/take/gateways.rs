//! Gateways, in the fleet's form and in ours.

use super::Taker;
use crate::base::document::{Kind, Node};
use crate::base::text::shown;
use crate::mission::gateway::is_name;
use crate::ops::gateway::{Entry, Gateways};
use std::collections::BTreeMap;
use std::ops::Range;

impl Taker<'_> {
    pub(super) fn gateways(&mut self, node: Node<'_, '_>) -> Option<Gateways> {
        const WHAT: &str = "a list of names, or an object of them";
        let name_of = |taker: &mut Self, name: &str, at: Range<usize>| {
            if is_name(name) {
                return Some(name.to_owned());
            }
            let message = format!("`{}` is no name that an agent can give", shown(name));
            taker.wrong(at, message).hint = Some(String::from(
                "a name has letters, digits, `_`, `-` and `.`; an address belongs into \"url\"",
            ));
            None
        };
        if node.kind() != Kind::Object {
            let names = self.list(node, WHAT, |taker, item| {
                let name = taker.text(item, "a name")?;
                name_of(taker, &name, item.range())
            })?;
            let pairs = names.into_iter().map(|name| (name, None));
            return Some(Gateways(pairs.collect()));
        }
        let before = self.wrongs.len();
        let mut gateways = BTreeMap::new();
        for (name, member) in node.entries() {
            let Some(name) = name_of(self, &name, member.key_range().unwrap_or_default()) else {
                continue;
            };
            self.name = format!("`gateways.{name}`");
            let entry = match member.kind() {
                Kind::Null => None,
                Kind::String => self.entry(member),
                _ => self.gateway(member),
            };
            gateways.insert(name, entry);
        }
        self.is_sound_since(before).then_some(Gateways(gateways))
    }

    fn entry(&mut self, url: Node<'_, '_>) -> Option<Entry> {
        let text = self.text(url, "a URL")?;
        Entry::at(&text)
            .map_err(|why| {
                let message = format!("{} cannot be asked: {why}", self.name);
                self.wrong(url.range(), message);
            })
            .ok()
    }

    fn gateway(&mut self, node: Node<'_, '_>) -> Option<Entry> {
        const PARTS: [&str; 4] = ["url", "health_path", "token_file", "profile"];
        self.members(node, &PARTS, "an object with a \"url\"")?;
        let name = self.name.clone();
        let Some(url) = node.get("url") else {
            let message = format!("{name} has no \"url\"");
            self.wrong(node.range(), message).hint =
                Some(String::from("a gateway without an address is null"));
            return None;
        };
        let mut entry = self.entry(url)?;
        let part = |key: &str| node.get(key).filter(|part| part.kind() != Kind::Null);
        if let Some(path) = part("health_path") {
            self.name = format!("{name} health_path");
            let text = self.text(path, "a path")?;
            let is_path = text.starts_with('/')
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'#')
                && text.parse::<ureq::http::Uri>().is_ok();
            if !is_path {
                self.must(path, "a path of a URL that begins with `/`");
                return None;
            }
            entry.health_path = Some(text);
        }
        if let Some(file) = part("token_file") {
            self.name = format!("{name} token_file");
            entry.token_file = Some(self.path(file)?);
        }
        if let Some(profile) = part("profile") {
            self.name = format!("{name} profile");
            entry.profile = Some(self.text(profile, "a name")?);
        }
        Some(entry)
    }
}
