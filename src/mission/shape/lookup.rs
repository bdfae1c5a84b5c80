//! What the tables say about a place in a document.

use super::{Field, Form, Shape};

/// What may stand at a place, and the field it is the value of (none for items of lists and named members of maps).
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// What may stand there.
    pub form: Form,
    /// The field.
    pub field: Option<&'static Field>,
    /// Whether the key there is data: the id of an agent in config/permissions.json, the name of a variable.
    pub key_is_data: bool,
}

/// What a shape says about the value at a JSON pointer; none where nothing is known.
pub fn at(shape: &'static Shape, pointer: &str) -> Option<Place> {
    let root = Place {
        form: Form::Object(shape),
        field: None,
        key_is_data: false,
    };
    pointer.split('/').skip(1).try_fold(root, |above, token| {
        // Names in the tables hold neither `/` nor `~`, so nothing is decoded.
        let field = match above.form {
            Form::Object(shape) => shape.field(token),
            _ => None,
        };
        let form = match (above.form, field) {
            (_, Some(field)) => field.form,
            (Form::Object(shape), None) => shape.others?,
            (Form::List(item) | Form::Map(item), None) => *item,
            _ => return None,
        };
        let key_is_data = field.is_none() && !matches!(above.form, Form::List(_));
        Some(Place {
            form,
            field,
            key_is_data,
        })
    })
}

/// A pointer as people name a place: `policies.auto_revive`, `dependencies[0]`; empty for the document itself.
pub fn name_of(pointer: &str) -> String {
    let mut name = String::new();
    for token in pointer.split('/').skip(1) {
        let is_index = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
        if is_index && !name.is_empty() {
            name.push_str(&format!("[{token}]"));
            continue;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&decoded(token));
    }
    name
}

/// The key of the member at a pointer; empty for the document itself.
pub fn key_of(pointer: &str) -> String {
    pointer
        .rsplit_once('/')
        .map_or_else(String::new, |(_, token)| decoded(token))
}

fn decoded(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::super::{AGENT, PERMISSIONS, TASK};
    use super::*;

    #[test]
    fn fields_are_found_however_deep() {
        let timeout = at(&TASK, "/timeout").unwrap();
        assert_eq!(timeout.field.unwrap().name, "timeout");
        let item = at(&TASK, "/dependencies/0").unwrap();
        assert!(matches!(item.form, Form::Id) && item.field.is_none() && !item.key_is_data);
        assert!(at(&AGENT, "/run/env/PATH").unwrap().key_is_data);
        let entry = at(&PERMISSIONS, "/agent_001").unwrap();
        assert!(entry.key_is_data && matches!(entry.form, Form::Object(_)));
        assert!(at(&TASK, "/nothing").is_none() && at(&TASK, "/title/0").is_none());
    }

    #[test]
    fn places_have_names_that_people_use() {
        assert_eq!(name_of("/policies/auto_revive"), "policies.auto_revive");
        assert_eq!(
            name_of("/run/restart_exit_codes/12"),
            "run.restart_exit_codes[12]"
        );
        assert_eq!(name_of("/7/read/0"), "7.read[0]");
        assert_eq!(name_of("/run/env/a~1b"), "run.env.a/b");
        assert_eq!(name_of(""), "");
    }
}
