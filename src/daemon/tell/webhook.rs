//! One webhook: a signed POST, and what its answer means (docs/webhooks.md).

use super::Verdict;
use crate::base::clock::Time;
use crate::base::error::in_words;
use crate::daemon::story::{Event, Story};
use crate::ops::config::Webhook;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Tells whether it wants to hear of this.
pub(super) fn wants(webhook: &Webhook, event: Event) -> bool {
    webhook.events.iter().any(|word| event.is_meant_by(word))
}

/// Where it is, without what may be secret: scheme, host and port. The path of many services is a secret too.
pub(super) fn place(webhook: &Webhook) -> String {
    let (scheme, rest) = webhook.url.split_once("://").unwrap_or(("", &webhook.url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// Its name in the queue's file, which a group may read: it gives nothing of the address away.
pub(super) fn key(webhook: &Webhook) -> String {
    let mut sum = hex(&Sha256::digest(webhook.url.as_bytes()));
    sum.truncate(16);
    format!("webhook-{sum}")
}

/// Tells it a story.
pub(super) fn tell(
    webhook: &Webhook,
    agent: &ureq::Agent,
    story: &Story,
    now: Time,
    deadline: Duration,
) -> Verdict {
    let body = match serde_json::to_vec(story) {
        Ok(body) => body,
        Err(error) => return Verdict::Never(format!("it cannot be written: {error}")),
    };
    let secret = match webhook.secret.read() {
        Ok(secret) => secret,
        // Unsigned it is never sent. The file may come back.
        Err(why) => return Verdict::Again { why, asked: None },
    };
    let timestamp = now.unix().to_string();
    let signature = signature(&secret, &timestamp, &body);
    let request = agent
        .post(&webhook.url)
        .config()
        .timeout_global(Some(deadline))
        .build()
        .header("content-type", "application/json")
        .header("x-mcell-event", story.event.word())
        .header("x-mcell-delivery", &story.id)
        .header("x-mcell-timestamp", &timestamp)
        .header("x-mcell-signature", format!("sha256={signature}"));
    match request.send(&body[..]) {
        Ok(answer) => {
            let header = |name: &str| answer.headers().get(name)?.to_str().ok();
            let asked = header("retry-after").and_then(|text| wait(text, now));
            judged(answer.status().as_u16(), asked)
        }
        Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => {
            Verdict::Never(String::from("its url is none"))
        }
        Err(error) => Verdict::Again {
            why: why(&error, deadline),
            asked: None,
        },
    }
}

/// What signs a story: HMAC-SHA256 of the timestamp, a dot and the body, in lower-case hex. With the timestamp inside, who
/// has heard one story cannot tell it again tomorrow.
pub fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a status means. Only what may be otherwise later is tried again.
fn judged(status: u16, asked: Option<Duration>) -> Verdict {
    match status {
        200..300 => Verdict::Delivered,
        300..400 => Verdict::Never(format!(
            "it answers {status}, which leads elsewhere; redirects are not followed"
        )),
        408 | 429 | 500.. => Verdict::Again {
            why: format!("it answers {status}"),
            asked,
        },
        _ => Verdict::Never(format!("it answers {status}")),
    }
}

/// The wait of a `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Time) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let seconds = Time::parse_http(text)?.since(now);
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Why there is no answer. Never the error's own words where they may have the address in them.
fn why(error: &ureq::Error, deadline: Duration) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {} s", deadline.as_secs_f32()),
        ureq::Error::HostNotFound => String::from("its host has no address"),
        ureq::Error::Io(error) => in_words(error),
        ureq::Error::Tls(why) => format!("TLS: {why}"),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Protocol(_) => String::from("what it answers is not HTTP"),
        _ => String::from("it cannot be reached"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::config::Secret;

    fn webhook(url: &str, events: &[&str]) -> Webhook {
        Webhook {
            url: url.to_owned(),
            secret: Secret::Text(String::from("s3cret")),
            events: events.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    #[test]
    fn the_signature_is_what_others_compute() {
        // openssl: printf '1772442312.{"id":"x"}' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"
        assert_eq!(
            signature(
                b"It's a Secret to Everybody",
                "1772442312",
                br#"{"id":"x"}"#
            ),
            "5e577138ad2b7ed4dd1f4dfbbdaa83c5ca49492308c22e36c44788947c1f3422"
        );
    }

    #[test]
    fn nothing_secret_of_a_webhook_is_shown() {
        let hook = webhook(
            "https://user:pw@hooks.example.org:8443/T0/B0/XYZ?key=1",
            &[],
        );
        assert_eq!(place(&hook), "https://hooks.example.org:8443");
        let shown = format!("{} {}", place(&hook), key(&hook));
        for secret in ["pw", "XYZ", "key=1"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_ne!(key(&hook), key(&webhook("https://hooks.example.org", &[])));
    }

    #[test]
    fn a_webhook_hears_what_it_wants() {
        assert!(wants(&webhook("http://x", &["*"]), Event::HoldBegun));
        let some = webhook("http://x", &["agent.*", "daemon.restarted"]);
        assert!(wants(&some, Event::AgentStalled) && wants(&some, Event::DaemonRestarted));
        assert!(!wants(&some, Event::HoldBegun));
        assert!(!wants(&webhook("http://x", &[]), Event::HoldBegun));
    }

    #[test]
    fn only_what_may_be_otherwise_later_is_tried_again() {
        for status in [200, 202, 204, 299] {
            assert_eq!(judged(status, None), Verdict::Delivered, "{status}");
        }
        for status in [301, 302, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422] {
            assert!(
                matches!(judged(status, None), Verdict::Never(_)),
                "{status}"
            );
        }
        for status in [408, 429, 500, 502, 503, 504] {
            let asked = Some(Duration::from_secs(7));
            let Verdict::Again { asked: got, .. } = judged(status, asked) else {
                panic!("{status} is tried again");
            };
            assert_eq!(got, asked);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Time::parse("1994-11-06T08:49:00Z").unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(wait(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
