//! Policies: what is said twice is said alike, and what is allowed in one file is not forbidden in another.

use super::known::handoff_allowed;
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::policy::AutoRevive;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC030",
        name: "policy-said-twice",
        severity: Severity::Warning,
        summary: "A policy stated in cell.json and in config/policies.json has one value.",
        why: "The value in config/policies.json counts. Whoever reads or changes only cell.json is mistaken about what the daemon \
              does.",
        example: r#"cell.json: { "policies": { "auto_revive": "yes" } }
config/policies.json: { "auto_revive": "no" }"#,
        mend: "Use `mcell policy set`, which writes the value to both files.",
        check: Check::Always(policy_said_twice),
    },
    Rule {
        code: "MC034",
        name: "handoffs-granted-in-vain",
        severity: Severity::Note,
        summary: "Where handoff_allowed is false, no permission lists handoffs.",
        why: "The policy counts: nothing is handed on in this cell, whatever the lists say.",
        example: r#"config/policies.json: { "handoff_allowed": false }
config/permissions.json: { "agent_001": { "handoff_to": ["agent_002"] } }"#,
        mend: "Allow handoffs with `mcell policy set`, or take the lists out.",
        check: Check::Always(handoffs_granted_in_vain),
    },
];

const fn word(revive: AutoRevive) -> &'static str {
    match revive {
        AutoRevive::Yes => "yes",
        AutoRevive::No => "no",
        AutoRevive::Ask => "ask",
    }
}

fn policy_said_twice(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let (Some(cell), Some(config)) = (&facts.survey.cell, &facts.survey.policies) else {
        return;
    };
    let here = cell.value.as_ref().and_then(|cell| cell.policies.as_ref());
    let (Some(here), Some(there)) = (here, &config.value) else {
        return;
    };
    // Flawed values stand here as absent, and so differ from nothing.
    let mut said = |name: &str, here: &str, there: &str| {
        findings.add(
            Finding::new(
                "MC030",
                Severity::Warning,
                &*cell.file,
                format!(
                    "{name} is `{here}` here and `{there}` in config/policies.json, which counts"
                ),
            )
            .value(format!("/policies/{name}"))
            .hint("`mcell policy set` writes both files"),
        );
    };
    if let (Some(here), Some(there)) = (here.auto_revive, there.auto_revive)
        && here != there
    {
        said("auto_revive", word(here), word(there));
    }
    if let (Some(here), Some(there)) = (here.handoff_allowed, there.handoff_allowed)
        && here != there
    {
        let word = |flag| if flag { "true" } else { "false" };
        said("handoff_allowed", word(here), word(there));
    }
}

fn handoffs_granted_in_vain(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let Some(sheet) = &facts.survey.permissions else {
        return;
    };
    let mut lists = sheet
        .value
        .iter()
        .flat_map(|entries| &entries.0)
        .flat_map(|(agent, entry)| {
            [
                (agent, "handoff_to", &entry.handoff_to),
                (agent, "handoff_from", &entry.handoff_from),
            ]
        })
        .filter(|(.., list)| list.as_ref().is_some_and(|list| !list.is_empty()));
    if let Some((agent, name, _)) = lists.next()
        && !handoff_allowed(facts)
    {
        findings.add(
            Finding::new(
                "MC034",
                Severity::Note,
                &*sheet.file,
                format!(
                    "`{}` has a list {name}, but the policy handoff_allowed is false",
                    &**agent
                ),
            )
            .value(format!("/{}/{name}", &**agent))
            .hint("allow handoffs with `mcell policy set`, or take the list out"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::cell;
    use crate::base::finding::Spot;
    use serde_json::{Value, json};

    #[test]
    fn a_policy_said_twice_is_said_alike() {
        let said =
            |here: Value, there: Value| cell().cell(json!({"policies": here})).policies(there);
        let found = said(json!({"auto_revive": "yes"}), json!({"auto_revive": "no"})).only();
        assert_eq!(
            (found.code, found.spot),
            ("MC030", Spot::Value("/policies/auto_revive".into()))
        );
        assert_eq!(
            found.message,
            "auto_revive is `yes` here and `no` in config/policies.json, which counts"
        );
        let found = said(
            json!({"handoff_allowed": true}),
            json!({"handoff_allowed": false}),
        )
        .only();
        assert_eq!(found.code, "MC030");
        for (here, there) in [
            (json!({"auto_revive": "ask"}), json!({"auto_revive": "ask"})),
            (
                json!({"checkpoint_interval": 60}),
                json!({"revive_timeout": 60}),
            ),
            (json!({"auto_revive": "no"}), json!({})),
            (
                json!({}),
                json!({"auto_revive": "no", "handoff_allowed": false}),
            ),
        ] {
            assert!(said(here, there).codes().is_empty());
        }
        let flawed = said(json!({"auto_revive": "yes"}), json!({"auto_revive": true}));
        assert!(flawed.of("MC030").is_empty());
    }

    #[test]
    fn handoffs_are_not_granted_in_vain() {
        let built = cell()
            .agent("agent_001", json!({}))
            .agent("agent_002", json!({}))
            .permissions(
                json!({"agent_001": {"handoff_to": ["agent_002"], "handoff_from": ["*"]}}),
            );
        assert!(built.codes().is_empty());
        let found = built
            .clone()
            .policies(json!({"handoff_allowed": false}))
            .only();
        assert_eq!(
            (found.code, found.spot),
            ("MC034", Spot::Value("/agent_001/handoff_to".into()))
        );
        let in_cell = built.cell(json!({"policies": {"handoff_allowed": false}}));
        assert_eq!(in_cell.only().code, "MC034");
        let closed =
            in_cell.permissions(json!({"agent_001": {"handoff_to": [], "handoff_from": []}}));
        assert!(closed.codes().is_empty());
    }
}
