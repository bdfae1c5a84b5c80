//! What a gateway said when it was asked.

use serde_json::Value;

/// The answer of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx, and no `status` that says otherwise.
    Good,
    /// In time, 2xx, and a `status` that says otherwise: contact, and nothing more. The status.
    Degraded(String),
    /// Not in time, not 2xx, not the right one: in words.
    Failed(String),
}

/// The words of a gateway's `status` that mean well.
const WELL: [&str; 4] = ["ok", "healthy", "up", "pass"];

impl Answer {
    /// What a 2xx answer with this body means: only a JSON object with a `status` text can say that it is not well.
    pub fn of_body(body: &[u8]) -> Self {
        let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else {
            return Answer::Good;
        };
        match object.get("status") {
            Some(Value::String(status)) if !is_well(status) => Answer::Degraded(status.clone()),
            _ => Answer::Good,
        }
    }
}

fn is_well(status: &str) -> bool {
    WELL.iter().any(|word| word.eq_ignore_ascii_case(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_that_says_so_is_degraded() {
        for body in [
            "",
            "ok",
            "[1]",
            "{}",
            r#"{"status": "OK"}"#,
            r#"{"status": 3}"#,
            r#"{"status": "pass"}"#,
        ] {
            assert_eq!(Answer::of_body(body.as_bytes()), Answer::Good, "{body}");
        }
        let degraded = Answer::of_body(br#"{"status": "degraded", "pid": 1}"#);
        assert_eq!(degraded, Answer::Degraded(String::from("degraded")));
    }
}
