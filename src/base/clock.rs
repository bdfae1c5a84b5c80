//! Time as mission files write it: RFC 3339, in UTC with `Z`; any offset is read.

use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike, Utc};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The first moment that RFC 3339 can write, 0000-01-01T00:00:00Z, in seconds since 1970.
const FIRST: i64 = -62_167_219_200;
/// The last one, 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;

/// A moment, shown to whole seconds. It lies in the years 0 to 9999: whatever is written can be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(DateTime<Utc>);

impl Time {
    /// Reads RFC 3339 with any offset. What comes to lie in the year -1 or 10000 by its offset is the first or the last
    /// moment there is: "9999-12-31T23:59:59-08:00" is how someone wrote "never".
    pub fn parse(text: &str) -> Option<Self> {
        // chrono also takes a space here, which other readers of RFC 3339 do not.
        let has_t = matches!(text.as_bytes().get(10), Some(b'T' | b't'));
        let read = has_t.then(|| DateTime::parse_from_rfc3339(text).ok());
        let read = read.flatten()?.to_utc();
        is_writable(read).then(|| Time::nearest(read))
    }

    /// A moment that was guessed: there is none outside of what can be written.
    fn guessed(read: DateTime<Utc>) -> Option<Self> {
        let time = Time::nearest(read);
        (is_writable(read) && time.0 == read).then_some(time)
    }

    /// The moment, or the first or last one where it lies beyond.
    fn nearest(read: DateTime<Utc>) -> Self {
        let within = read.timestamp().clamp(FIRST, LAST);
        if within == read.timestamp() {
            return Time(read);
        }
        Time(DateTime::from_timestamp(within, 0).unwrap_or(DateTime::UNIX_EPOCH))
    }

    /// Reads what people and other tools write instead of RFC 3339 ("2026-01-02 03:04:05", "2026-01-02", seconds since
    /// 1970) and takes a missing offset for UTC. Only `validate --fix` does so.
    pub fn guess(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(exact) = Time::parse(text) {
            return Some(exact);
        }
        for form in [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M",
            "%Y/%m/%d %H:%M:%S",
        ] {
            if let Ok(read) = chrono::NaiveDateTime::parse_from_str(text, form) {
                return Time::guessed(read.and_utc());
            }
        }
        for form in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
            if let Ok(read) = DateTime::parse_from_str(text, form) {
                return Time::guessed(read.to_utc());
            }
        }
        if let Ok(day) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Time::guessed(day.and_hms_opt(0, 0, 0)?.and_utc());
        }
        text.parse::<i64>()
            .ok()
            .filter(|seconds| *seconds > 100_000_000)
            .and_then(Time::from_unix)
    }

    /// Reads a date as HTTP writes it ("Sun, 06 Nov 1994 08:49:37 GMT").
    pub fn parse_http(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc2822(text.trim())
            .ok()
            .map(|read| read.to_utc())
            .and_then(Time::guessed)
    }

    /// The moment so many seconds after 1970; none outside of the years 0 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).and_then(Time::guessed)
    }

    /// Whole seconds since 1970.
    pub fn unix(self) -> i64 {
        self.0.timestamp()
    }

    /// Milliseconds since 1970.
    pub fn unix_milliseconds(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Whole seconds from `earlier` to this; negative if this is before it.
    pub fn since(self, earlier: Time) -> i64 {
        (self.0 - earlier.0).num_seconds()
    }

    /// This moment so many seconds later (at the end of time: the end of time).
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        let later = i64::try_from(seconds)
            .ok()
            .and_then(TimeDelta::try_seconds)
            .and_then(|span| self.0.checked_add_signed(span));
        Time::nearest(later.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// The same with seconds, for what happens soon: "14:03:10" today.
    pub fn local_to_the_second(self, now: Time) -> String {
        let here = self.0.with_timezone(&chrono::Local);
        format!("{}:{}", self.local(now), here.format("%S"))
    }

    /// For people, in their own time zone: "14:03" today, "Nov 22 14:03" this year, else with the year.
    pub fn local(self, now: Time) -> String {
        let here = self.0.with_timezone(&chrono::Local);
        let today = now.0.with_timezone(&chrono::Local);
        let form = if here.date_naive() == today.date_naive() {
            "%H:%M"
        } else if here.format("%Y").to_string() == today.format("%Y").to_string() {
            "%b %e %H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        here.format(form).to_string()
    }
}

/// chrono also takes a second 60 in any minute; leap seconds come at the end of a day.
fn is_writable(read: DateTime<Utc>) -> bool {
    read.nanosecond() < 1_000_000_000 || (read.hour(), read.minute()) == (23, 59)
}

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl schemars::JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Time;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a time like 2026-01-02T03:04:05Z")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                Time::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        from.deserialize_str(Reader)
    }
}

/// Where the present comes from: the system, or a moment fixed by a test or by `MCELL_NOW`.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system's wall clock.
    #[default]
    System,
    /// Always the same moment.
    Fixed(Time),
}

impl Clock {
    /// The present moment.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    pub fn now(self) -> Time {
        match self {
            Clock::System => Time(Utc::now()),
            Clock::Fixed(moment) => moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_is_read_and_utc_is_written() {
        assert_eq!(
            Time::parse("2026-01-02T05:04:05.5+02:00")
                .unwrap()
                .to_string(),
            "2026-01-02T03:04:05Z"
        );
        assert!(Time::parse("2026-01-02 03:04").is_none());
    }

    #[test]
    fn a_date_of_http_is_read() {
        let read = Time::parse_http("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(read.to_string(), "1994-11-06T08:49:37Z");
        assert!(Time::parse_http("120").is_none() && Time::parse_http("").is_none());
    }

    #[test]
    fn what_people_write_is_guessed_only_when_asked() {
        for text in [
            "2026-01-02 03:04:05",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05+00:00",
            "2026-01-02 03:04:05Z",
            "2026-01-02 05:04:05.25+0200",
            "1767323045",
        ] {
            assert_eq!(
                Time::guess(text).unwrap().to_string(),
                "2026-01-02T03:04:05Z",
                "{text}"
            );
        }
        assert!(Time::guess("yesterday").is_none());
    }

    #[test]
    fn the_end_of_time_is_not_a_panic() {
        let moment = Time::parse("2026-01-02T03:04:05Z").unwrap();
        let end = moment.plus(u64::MAX);
        assert_eq!(end.to_string(), "9999-12-31T23:59:59Z");
        // East of Greenwich it is the year 10000 by then.
        assert!(!end.local(moment).is_empty() && !moment.local(end).is_empty());
    }

    #[test]
    fn what_is_read_or_guessed_can_be_written_and_read_again() {
        for text in [
            "9999-12-31T23:59:59-08:00",
            "0000-01-01T00:00:00+14:00",
            "2016-12-31T23:59:60Z",
            "2016-12-31 23:59:60",
        ] {
            let time = Time::guess(text).unwrap();
            assert_eq!(Time::parse(&time.to_string()), Some(time), "{text}");
        }
        // Milliseconds, a second too many, years that nobody can write.
        for text in [
            "1767323045000",
            "2026-01-02 03:04:60",
            "+12026-01-02",
            "-0001-01-02 03:04",
        ] {
            assert_eq!(Time::guess(text), None, "{text}");
        }
    }
}
