//! Where stories are sent, and what signs them.

use super::{Taker, said};
use crate::base::document::{Kind, Node};
use crate::base::text::nearest;
use crate::ops::config::{EVENTS, Secret, Webhook};
use crate::ops::gateway::check_url;

impl Taker<'_> {
    pub(super) fn webhooks(&mut self, node: Node<'_, '_>) -> Option<Vec<Webhook>> {
        self.list(node, "a list of objects with a \"url\"", Self::webhook)
    }

    fn webhook(&mut self, node: Node<'_, '_>) -> Option<Webhook> {
        const PARTS: [&str; 4] = ["url", "secret_file", "secret", "events"];
        self.members(node, &PARTS, "an object with a \"url\"")?;
        let name = self.name.clone();
        let part = |key: &str| node.get(key).filter(|part| part.kind() != Kind::Null);
        let Some(at) = part("url") else {
            self.wrong(node.range(), format!("{name} has no \"url\""));
            return None;
        };
        self.name = format!("the url of {name}");
        let url = self.text(at, "a URL")?;
        if let Err(why) = check_url(&url) {
            self.wrong(at.range(), format!("{} cannot be called: {why}", self.name));
            return None;
        }
        self.name = format!("the secret of {name}");
        let secret = match (part("secret_file"), part("secret")) {
            (Some(file), None) => Secret::File(self.path(file)?),
            (None, Some(text)) => match text.as_str() {
                Some(secret) if !secret.is_empty() => Secret::Text(secret.into_owned()),
                // What stands there instead is not repeated: it may be a secret all the same.
                _ => {
                    self.wrong(
                        text.range(),
                        format!("{} must be a text in quotes", self.name),
                    );
                    return None;
                }
            },
            (Some(_), Some(second)) => {
                let message = format!("{name} has a \"secret\" and a \"secret_file\"");
                let key = second.key_range().unwrap_or_default();
                self.wrong(key, message).hint = Some(String::from("one of them is enough"));
                return None;
            }
            (None, None) => {
                let message = format!("{name} has no \"secret_file\"");
                self.wrong(node.range(), message).hint = Some(String::from(
                    "what is sent is signed, so that its reader knows who sent it: name a file with any secret word",
                ));
                return None;
            }
        };
        self.name = format!("the events of {name}");
        let events = match part("events") {
            Some(events) => self.events(events)?,
            None => vec![String::from("*")],
        };
        Some(Webhook {
            url,
            secret,
            events,
        })
    }

    fn events(&mut self, node: Node<'_, '_>) -> Option<Vec<String>> {
        self.list(node, "a list of events", |taker, item| {
            let word = taker.text(item, "an event")?;
            let is_known = match word.strip_suffix('*') {
                Some(beginning) => EVENTS.iter().any(|event| event.starts_with(beginning)),
                None => EVENTS.contains(&&*word),
            };
            if !is_known {
                let message = format!("{} is no event: {}", taker.name, said(item));
                let hint = match nearest(&word, EVENTS) {
                    Some(meant) => format!("is `{meant}` meant?"),
                    None => format!("there are {}, `agent.*` and `*`", EVENTS.join(", ")),
                };
                let wrong = taker.wrong(item.range(), message);
                wrong.hint = Some(hint);
                wrong.is_warning = true;
            }
            Some(word)
        })
    }
}
