//! Whole numbers, as JSON means them: `3.0` is one, and one beyond 2^53 is not, since half of the world reads it as another.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// The largest whole number that every reader of JSON reads as itself.
const LARGEST: u64 = (1 << 53) - 1;

/// Reads a whole number that is not below nothing, or null. For `#[serde(deserialize_with = "…")]`, beside `default`.
pub fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(from)? else {
        return Ok(None);
    };
    let exact = number
        .as_u64()
        .or_else(|| number.as_f64().and_then(of_float));
    match exact {
        Some(exact) if exact <= LARGEST => Ok(Some(exact)),
        _ => Err(D::Error::custom(format_args!(
            "{number} is no whole number from 0 to {LARGEST}"
        ))),
    }
}

fn of_float(number: f64) -> Option<u64> {
    #[allow(
        clippy::cast_precision_loss,
        reason = "the largest whole number that is exact in both"
    )]
    let is_within = (0.0..=LARGEST as f64).contains(&number);
    let whole = number.round();
    // serde_json may be wrong in the last bit of a float: 2194007948457267.0 comes as …267.2.
    let is_whole = (number - whole).abs() <= number * f64::EPSILON * 2.0;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and within what both can say"
    )]
    let exact = (is_within && is_whole).then_some(whole as u64);
    exact
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Option<u64>> {
        whole(&mut serde_json::Deserializer::from_str(text)).ok()
    }

    #[test]
    fn three_is_three_however_it_is_written() {
        for text in ["3", "3.0", "3e0", "0.3e1"] {
            assert_eq!(read(text), Some(Some(3)), "{text}");
        }
        assert_eq!(read("null"), Some(None));
        assert_eq!(read("0.0"), Some(Some(0)));
        let long = read("2194007948457267.0");
        assert_eq!(long, Some(Some(2_194_007_948_457_267)));
        assert_eq!(read("9007199254740991"), Some(Some(LARGEST)));
        for text in [
            "9007199254740992",
            "-1",
            "-0.5",
            "0.5",
            "2238.001",
            "1e-9",
            "1e300",
            "\"3\"",
            "[]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
