//! Durations as people type and read them: whole seconds, no fractions, no months.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// Below this, [`in_words`] speaks in seconds alone: "86 s" is read faster than "1 min 26 s".
const PLAIN_SECONDS_UNTIL: u64 = 2 * MINUTE;

/// From here on [`in_words`] leaves the seconds out.
const NO_SECONDS_FROM: u64 = 10 * MINUTE;

/// A duration in whole seconds, as the command line takes it.
///
/// Read: `90` (seconds), `30s`, `15m`, `8h`, `2d`, `1w`, and several units from the largest to the
/// smallest, each once, with or without spaces: `1h30m`, `2d 4h`. `min` is the same as `m`.
/// `Display` writes the exact value in the same form, so that what is shown can be typed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(pub u64);

/// A text that is not a duration; its message names the text and the forms that are.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{input:?} is not a duration: {why}; write 90 (seconds), 30s, 15m, 8h, 2d, 1w or 1h30m")]
pub struct DurationError {
    input: String,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Empty,
    NoNumber,
    Fraction,
    Unit,
    NoUnit,
    Order,
    TooLong,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::NoNumber => "a whole number from 0 up is expected before each unit",
            Self::Fraction => "fractions are not taken",
            Self::Unit => "the units are s, m, h, d and w",
            Self::NoUnit => "its last number has no unit",
            Self::Order => "units go from the largest to the smallest, each once",
            Self::TooLong => "it is too long",
        })
    }
}

impl FromStr for Seconds {
    type Err = DurationError;

    fn from_str(input: &str) -> Result<Self, DurationError> {
        parse(input).map(Self).map_err(|why| DurationError {
            input: input.to_owned(),
            why,
        })
    }
}

fn parse(input: &str) -> Result<u64, Why> {
    let mut rest = input.trim();
    if rest.is_empty() {
        return Err(Why::Empty);
    }
    if rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return rest.parse().map_err(|_| Why::TooLong);
    }
    let mut total = 0_u64;
    let mut smallest_so_far = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit());
        if number.is_empty() {
            return Err(Why::NoNumber);
        }
        let after = after.trim_start();
        if after.starts_with(['.', ',']) {
            return Err(Why::Fraction);
        }
        let (word, after) = split_while(after, char::is_alphabetic);
        let unit = match word {
            "s" => 1,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => WEEK,
            "" if after.is_empty() => return Err(Why::NoUnit),
            _ => return Err(Why::Unit),
        };
        // `30m1h` is more often a slip than a wish.
        if unit >= smallest_so_far {
            return Err(Why::Order);
        }
        smallest_so_far = unit;
        let number: u64 = number.parse().map_err(|_| Why::TooLong)?;
        total = number
            .checked_mul(unit)
            .and_then(|part| total.checked_add(part))
            .ok_or(Why::TooLong)?;
        rest = after.trim_start();
    }
    Ok(total)
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !keep(c)).unwrap_or(text.len()))
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, name) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm'), (1, 's')] {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

/// A length of time for a sentence, rounded down to its two largest units: "86 s", "2 min 30 s",
/// "14 min", "3 h 20 min", "2 d 4 h". For the exact value print [`Seconds`].
pub fn in_words(seconds: u64) -> String {
    if seconds < PLAIN_SECONDS_UNTIL {
        return format!("{seconds} s");
    }
    let (large, large_name, small, small_name) = match seconds {
        s if s < NO_SECONDS_FROM => (MINUTE, "min", 1, "s"),
        s if s < HOUR => return format!("{} min", seconds / MINUTE),
        s if s < DAY => (HOUR, "h", MINUTE, "min"),
        _ => (DAY, "d", HOUR, "h"),
    };
    let first = seconds / large;
    match seconds % large / small {
        0 => format!("{first} {large_name}"),
        second => format!("{first} {large_name} {second} {small_name}"),
    }
}

/// How long ago something was, for a column of a table: "now", "86 s ago", "14 min ago", "3 h ago",
/// "2 d ago". One unit, rounded down.
pub fn age(seconds: u64) -> String {
    match seconds {
        0 => "now".to_owned(),
        s if s < PLAIN_SECONDS_UNTIL => format!("{s} s ago"),
        s if s < HOUR => format!("{} min ago", s / MINUTE),
        s if s < DAY => format!("{} h ago", s / HOUR),
        s => format!("{} d ago", s / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(input: &str) -> String {
        match input.parse::<Seconds>() {
            Ok(taken) => format!("taken as {}", taken.0),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_usual_forms_are_read() {
        for (input, seconds) in [
            ("90", 90),
            ("0", 0),
            ("30s", 30),
            ("15m", 900),
            ("15min", 900),
            ("8h", 28_800),
            ("2d", 172_800),
            ("1w", 604_800),
            ("1h30m", 5_400),
            (" 2 d 4 h ", 187_200),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(input.parse(), Ok(Seconds(seconds)), "{input}");
        }
    }

    #[test]
    fn a_refusal_names_the_input_the_reason_and_the_forms() {
        assert_eq!(
            refusal("1.5h"),
            "\"1.5h\" is not a duration: fractions are not taken; \
             write 90 (seconds), 30s, 15m, 8h, 2d, 1w or 1h30m"
        );
    }

    #[test]
    fn what_could_be_meant_two_ways_is_refused() {
        for (input, reason) in [
            ("", "it is empty"),
            ("  ", "it is empty"),
            ("-5", "a whole number"),
            ("h", "a whole number"),
            ("1,5h", "fractions"),
            ("1.5", "fractions"),
            ("3M", "the units are"),
            ("3 months", "the units are"),
            ("5٣s", "the units are"),
            ("1h30", "no unit"),
            ("30m1h", "largest to the smallest"),
            ("1h1h", "largest to the smallest"),
            ("18446744073709551616", "too long"),
            ("18446744073709551616s", "too long"),
            ("18446744073709551615m", "too long"),
            ("30500568904943w9d", "too long"),
        ] {
            assert!(
                refusal(input).contains(reason),
                "{input}: {}",
                refusal(input)
            );
        }
    }

    #[test]
    fn control_characters_of_the_input_are_made_visible() {
        assert!(refusal("\u{1b}[31m").starts_with("\"\\u{1b}[31m\""));
    }

    #[test]
    fn words_keep_the_two_largest_units() {
        for (seconds, words) in [
            (0, "0 s"),
            (86, "86 s"),
            (119, "119 s"),
            (120, "2 min"),
            (150, "2 min 30 s"),
            (14 * 60 + 5, "14 min"),
            (12_000, "3 h 20 min"),
            (10_800, "3 h"),
            (187_200, "2 d 4 h"),
            (u64::MAX, "213503982334601 d 7 h"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, words) in [
            (0, "now"),
            (86, "86 s ago"),
            (150, "2 min ago"),
            (12_000, "3 h ago"),
            (187_200, "2 d ago"),
        ] {
            assert_eq!(age(seconds), words);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed_again(seconds: u64) {
            prop_assert_eq!(Seconds(seconds).to_string().parse(), Ok(Seconds(seconds)));
        }

        #[test]
        fn no_text_is_too_strange(input in "\\PC{0,20}|[0-9smhdw. ]{0,30}") {
            let _ = input.parse::<Seconds>();
        }

        #[test]
        fn words_can_be_typed_again_and_lose_less_than_their_smallest_unit(seconds: u64) {
            let typed = in_words(seconds).parse::<Seconds>();
            prop_assert!(typed.is_ok_and(|Seconds(typed)| typed <= seconds && seconds - typed < HOUR));
        }
    }
}
