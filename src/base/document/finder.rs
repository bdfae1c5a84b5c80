//! Many pointers into one document: an array or object that was walked over once is not walked over again.

use std::borrow::Cow;
use std::collections::HashMap;

use super::node::index;
use super::{Document, Kind, Node, tokens};

/// Finds values as [`Document::at`] does, for as many pointers as there are values.
#[derive(Debug)]
pub struct Finder<'d, 'a> {
    document: &'d Document<'a>,
    items: HashMap<u32, Vec<u32>>,
    members: HashMap<u32, HashMap<Cow<'a, str>, u32>>,
}

impl<'d, 'a> Finder<'d, 'a> {
    /// Has walked over nothing yet.
    pub fn new(document: &'d Document<'a>) -> Self {
        Finder {
            document,
            items: HashMap::new(),
            members: HashMap::new(),
        }
    }

    /// The value at an RFC 6901 pointer.
    pub fn at(&mut self, pointer: &str) -> Option<Node<'d, 'a>> {
        let root = Node::new(self.document, 0);
        tokens(pointer)?.try_fold(root, |node, token| self.child(node, &token))
    }

    fn child(&mut self, node: Node<'d, 'a>, token: &str) -> Option<Node<'d, 'a>> {
        let found = match node.kind() {
            Kind::Array => {
                let items = self.items.entry(node.index());
                let items = items.or_insert_with(|| node.items().map(Node::index).collect());
                items.get(index(token)?)
            }
            Kind::Object => {
                let members = self.members.entry(node.index());
                // Of duplicates the last stays.
                let members = members.or_insert_with(|| {
                    let entries = node.entries();
                    entries.map(|(key, child)| (key, child.index())).collect()
                });
                members.get(token)
            }
            _ => None,
        };
        found.map(|&index| Node::new(self.document, index))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_what_the_document_finds() {
        let text = r#"{"a": [1, {"b/c": 2, "b/c": [3]}], "d": {}, "": null, "d": "x"}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        let mut finder = Finder::new(&document);
        for pointer in [
            "",
            "/a",
            "/a/0",
            "/a/1/b~1c",
            "/a/1/b~1c/0",
            "/d",
            "/",
            "/a/2",
            "/a/01",
            "/d/x",
            "x",
            "/a",
        ] {
            let found = finder.at(pointer).map(Node::range);
            let wanted = document.at(pointer).map(Node::range);
            assert_eq!(found, wanted, "{pointer}");
        }
    }
}
