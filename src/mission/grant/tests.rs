use super::*;
use crate::base::error::Kind;

const WRITER: Asker<'_> = Asker {
    id: "agent_001",
    role: Role::Write,
};

fn things() -> Things {
    let task = |id: &str, to: Option<&str>| (id.to_owned(), to.map(str::to_owned));
    Things {
        tasks: vec![
            task("own", Some("agent_001")),
            task("free", None),
            task("other", Some("agent_002")),
        ],
        agents: vec![
            (String::from("agent_001"), Role::Write),
            (String::from("agent_002"), Role::Audit),
        ],
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn granted(entry: &mut Permission, right: Right, named: &[&str]) -> Turn {
    grant(entry, right, WRITER, &names(named), &things(), false)
}

#[test]
fn the_first_grant_takes_nothing_away() {
    let mut entry = Permission::default();
    let turn = granted(&mut entry, Right::Write, &["other"]);
    assert!(turn.is_spelled_out);
    assert_eq!(entry.write, Some(names(&["own", "free", "other"])));
    // The other rights keep their defaults.
    assert_eq!(entry.read, None);
}

#[test]
fn what_the_default_gives_needs_no_list() {
    let mut entry = Permission::default();
    assert!(!granted(&mut entry, Right::Write, &["own", "free"]).changes());
    assert!(!granted(&mut entry, Right::Read, &["other"]).changes());
    assert!(!granted(&mut entry, Right::HandoffTo, &["*"]).changes());
    assert_eq!(entry, Permission::default());
}

#[test]
fn only_begins_with_nothing() {
    let mut entry = Permission::default();
    let (who, named) = (WRITER, names(&["own"]));
    grant(&mut entry, Right::Write, who, &named, &things(), true);
    assert_eq!(entry.write, Some(names(&["own"])));
    granted(&mut entry, Right::Write, &["*"]);
    assert_eq!(entry.write, Some(names(&["*"])));
}

#[test]
fn revoking_one_of_all_names_the_rest() {
    let mut entry = Permission::default();
    granted(&mut entry, Right::Execute, &["*"]);
    for (right, turn) in [Right::Execute, Right::Read].map(|right| {
        let turn = revoke(&mut entry, right, WRITER, &names(&["own"]), &things());
        (right, turn)
    }) {
        assert!(turn.is_spelled_out);
        assert_eq!(right.list(&entry), Some(&names(&["free", "other"])));
    }
    let all = revoke(&mut entry, Right::Read, WRITER, &names(&["*"]), &things());
    assert_eq!(all.after, Some(Vec::new()));
    assert!(reset(&mut entry, Right::Read).changes() && entry.read.is_none());
}

#[test]
fn what_was_not_granted_is_not_revoked() {
    let mut entry = Permission::default();
    let turn = revoke(
        &mut entry,
        Right::Write,
        WRITER,
        &names(&["other"]),
        &things(),
    );
    assert!(!turn.changes());
}

#[test]
fn nothing_is_granted_beyond_the_role() {
    let auditor = Asker {
        id: "agent_002",
        role: Role::Audit,
    };
    for right in [Right::Write, Right::Execute, Right::HandoffFrom] {
        let refused = require_role(right, auditor, &names(&["*"]), &things()).unwrap_err();
        assert!(refused.kind() == Kind::Refused && refused.message().contains("audit"));
    }
    assert!(require_role(Right::Read, auditor, &names(&["*"]), &things()).is_ok());
    // Whoever never does tasks is handed none.
    assert!(require_role(Right::HandoffTo, WRITER, &names(&["agent_002"]), &things()).is_err());
}
