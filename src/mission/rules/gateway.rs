//! Gateways: where an agent is reached, in a form that can be reached.

use super::known::said;
use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::gateway::Gateway;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        code: "MC075",
        name: "gateway-without-network",
        severity: Severity::Warning,
        summary: "Where agents have no network, no gateway is reached over it.",
        why: "Under network_isolation nothing from outside connects to the agent, so its probes fail and it is taken for \
              dead.",
        example: r#"config/isolation.json: { "network_isolation": true }
agents/agent_001.json: { "gateway": "127.0.0.1:8101" }"#,
        mend: "Use a socket file (`unix:/run/agent_001.sock`), or leave the network open.",
        check: Check::Always(gateway_without_network),
    },
    Rule {
        code: "MC076",
        name: "gateway-of-no-form",
        severity: Severity::Warning,
        summary: "A gateway is a name, host:port, a URL or unix:PATH.",
        why: "Anything else cannot be looked up or connected to, so the agent is never probed.",
        example: r#"{ "gateway": "localhost:99999" }"#,
        mend: "Write one of: `gateway_1`, `127.0.0.1:8101`, `http://host:8101/health`, `unix:/run/agent.sock`, null.",
        check: Check::Always(gateway_of_no_form),
    },
];

fn gateway_without_network(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let isolation = facts.survey.isolation.as_ref();
    let isolation = isolation.and_then(|sheet| sheet.value.as_ref());
    if isolation.and_then(|isolation| isolation.network_isolation) != Some(true) {
        return;
    }
    for (sheet, agent) in facts.agents() {
        if let Some(gateway) = agent.gateway.as_deref()
            && Gateway::of(gateway).is_some_and(Gateway::needs_network)
        {
            findings.add(
                Finding::new(
                    "MC075",
                    Severity::Warning,
                    &*sheet.file,
                    format!("the gateway of `{}` is `{}`, but agents of this cell have no network", sheet.stem(), said(gateway)),
                )
                .value("/gateway")
                .hint("use a socket file (`unix:PATH`), or set network_isolation to false in config/isolation.json"),
            );
        }
    }
}

fn gateway_of_no_form(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for (sheet, agent) in facts.agents() {
        if let Some(gateway) = agent.gateway.as_deref()
            && Gateway::of(gateway).is_none()
        {
            findings.add(
                Finding::new(
                    "MC076",
                    Severity::Warning,
                    &*sheet.file,
                    format!(
                        "the gateway `{}` is neither a name nor host:port, a URL or unix:PATH",
                        said(gateway)
                    ),
                )
                .value("/gateway")
                .hint("write it like `gateway_1`, `127.0.0.1:8101`, `http://host:8101/health` or `unix:/run/agent.sock`, or null"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Built, cell};
    use crate::base::finding::Spot;
    use serde_json::json;

    const NETWORK: [&str; 4] = [
        "127.0.0.1:8101",
        "[::1]:8101",
        "gateway_1:80",
        "http://host/health",
    ];
    const OTHERS: [&str; 3] = [
        "gateway_1",
        "unix:/run/agent_001.sock",
        "unix:artifacts/agent_001.sock",
    ];

    fn gateway(gateway: &str) -> Built {
        cell().agent("agent_001", json!({"gateway": gateway}))
    }

    #[test]
    fn a_gateway_can_be_reached() {
        for good in NETWORK.into_iter().chain(OTHERS) {
            assert!(gateway(good).codes().is_empty(), "{good}");
        }
        for bad in [
            "localhost:99999",
            "localhost:",
            ":8101",
            "unix:",
            "unix:../other/agent.sock",
            "unix:a//b",
            "://x",
            "http://",
            "a b",
            "a:0",
            "::1:80",
        ] {
            let found = gateway(bad).only();
            assert_eq!(
                (found.code, found.spot),
                ("MC076", Spot::Value("/gateway".into())),
                "{bad}"
            );
        }
    }

    #[test]
    fn without_a_network_nothing_is_reached_over_it() {
        let closed = json!({"level": "none", "network_isolation": true});
        for over_network in NETWORK {
            assert_eq!(
                gateway(over_network).isolation(closed.clone()).only().code,
                "MC075"
            );
        }
        for other in OTHERS {
            assert!(gateway(other).isolation(closed.clone()).codes().is_empty());
        }
        let open = json!({"level": "none", "network_isolation": false});
        assert!(gateway("127.0.0.1:8101").isolation(open).codes().is_empty());
    }
}
