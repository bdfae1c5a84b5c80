//! How much a cell may use: the amounts in `resource_limits` of config/isolation.json, such as
//! `"cpu": "2 cores"`, `"memory": "4GB"`, `"disk": "10GB"`.
//!
//! The fleet's specification gives these examples and no grammar. Decided here, after GNU coreutils:
//! `KB`, `MB`, `GB`, `TB`, `PB` are powers of 1000, `KiB`, `MiB`, … and the letter alone (`4096K`, `4G`)
//! powers of 1024, a bare number is bytes. Upper and lower case are the same.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use thiserror::Error;

/// An amount of processor time in thousandths of a core, never zero.
///
/// Read: `2 cores`, `1 core`, `0.5 cores`, `1500m` (thousandths), `2`. Written: `2 cores`, `1.5 cores`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cores(NonZeroU32);

/// An amount of memory or disk in bytes, never zero.
///
/// Read: `4GB`, `512MB`, `10 GiB`, `4096K`, `1.5GB`, `1048576`; a fraction of a byte is dropped. Written
/// with the largest unit that is exact: `4GB`, `10GiB`, `1500B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(NonZeroU64);

/// A text that is not an amount; its message names the text, the reason and the form to write.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{input:?} is not an amount of {of}: {why}; write it like {}", .of.form())]
pub struct AmountError {
    input: String,
    of: Of,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Cpu,
    Space,
}

impl Of {
    fn form(self) -> &'static str {
        match self {
            Self::Cpu => "\"2 cores\", \"0.5 cores\" or \"1500m\"",
            Self::Space => "\"4GB\", \"512MB\" or \"10GiB\"",
        }
    }

    fn refuse(self, input: &str, why: Why) -> AmountError {
        AmountError {
            input: input.to_owned(),
            of: self,
            why,
        }
    }
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Space => "memory or disk",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Number,
    Unit,
    Zero,
    TooFine,
    TooMuch,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "it does not begin with a number above zero",
            Self::Unit => "its unit is not known",
            Self::Zero => "nothing can run with that little",
            Self::TooFine => "it has more decimals than can be kept",
            Self::TooMuch => "it is too much to count",
        })
    }
}

impl Cores {
    /// So many thousandths of a core; `None` for zero.
    pub fn from_milli(milli: u32) -> Option<Self> {
        NonZeroU32::new(milli).map(Self)
    }

    /// In thousandths of a core: 1500 is a core and a half.
    pub fn milli(self) -> u32 {
        self.0.get()
    }
}

impl FromStr for Cores {
    type Err = AmountError;

    fn from_str(input: &str) -> Result<Self, AmountError> {
        parse_cores(input).map_err(|why| Of::Cpu.refuse(input, why))
    }
}

fn parse_cores(input: &str) -> Result<Cores, Why> {
    let (number, unit) = Decimal::read(input)?;
    let milli = match unit.to_ascii_lowercase().as_str() {
        "" | "core" | "cores" => number.times_exactly(1000)?,
        "m" => number.times_exactly(1)?,
        _ => return Err(Why::Unit),
    };
    let milli = u32::try_from(milli).map_err(|_| Why::TooMuch)?;
    Cores::from_milli(milli).ok_or(Why::Zero)
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.milli() / 1000, self.milli() % 1000);
        match part {
            0 if whole == 1 => f.write_str("1 core"),
            0 => write!(f, "{whole} cores"),
            _ => {
                let decimals = format!("{part:03}");
                write!(f, "{whole}.{} cores", decimals.trim_end_matches('0'))
            }
        }
    }
}

impl Bytes {
    /// So many bytes; `None` for zero.
    pub fn new(bytes: u64) -> Option<Self> {
        NonZeroU64::new(bytes).map(Self)
    }

    /// In bytes.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for Bytes {
    type Err = AmountError;

    fn from_str(input: &str) -> Result<Self, AmountError> {
        parse_bytes(input).map_err(|why| Of::Space.refuse(input, why))
    }
}

/// What stands before `B` or `iB`; the place in the row is the power.
const PREFIXES: [&str; 6] = ["", "K", "M", "G", "T", "P"];

fn parse_bytes(input: &str) -> Result<Bytes, Why> {
    let (number, unit) = Decimal::read(input)?;
    let unit = unit_in_bytes(unit).ok_or(Why::Unit)?;
    let bytes = u64::try_from(number.times(unit)?).map_err(|_| Why::TooMuch)?;
    Bytes::new(bytes).ok_or(Why::Zero)
}

fn unit_in_bytes(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    if matches!(unit.as_str(), "" | "b" | "byte" | "bytes") {
        return Some(1);
    }
    let (letter, base) = if let Some(letter) = unit.strip_suffix("ib") {
        (letter, 1024_u64)
    } else if let Some(letter) = unit.strip_suffix('b') {
        (letter, 1000)
    } else {
        (unit.as_str(), 1024)
    };
    (1_u32..)
        .zip(&PREFIXES[1..])
        .find(|(_, prefix)| prefix.eq_ignore_ascii_case(letter))
        .map(|(power, _)| base.pow(power))
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (decimal, decimal_power) = divided(self.get(), 1000);
        let (binary, binary_power) = divided(self.get(), 1024);
        // The fleet writes 512MB; the binary form is for what only it says without a long number.
        if binary_power > decimal_power {
            write!(f, "{binary}{}iB", PREFIXES[binary_power])
        } else {
            write!(f, "{decimal}{}B", PREFIXES[decimal_power])
        }
    }
}

/// `number` divided by `base` as often as that is exact and a prefix is left, and how often.
fn divided(mut number: u64, base: u64) -> (u64, usize) {
    let mut power = 0;
    while number.is_multiple_of(base) && power + 1 < PREFIXES.len() {
        number /= base;
        power += 1;
    }
    (number, power)
}

/// A number as written, `digits / 10^decimals`: a float would turn 0.1 GB into another number.
struct Decimal {
    digits: u64,
    decimals: u32,
}

impl Decimal {
    /// Finer than a byte of any unit people write by hand; more would only fill the digits' 64 bits.
    const MOST_DECIMALS: usize = 9;

    /// Splits `"1.5 GB"` into its number and its unit.
    fn read(input: &str) -> Result<(Self, &str), Why> {
        let input = input.trim();
        let end = input
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(input.len());
        let (number, unit) = input.split_at(end);
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(Why::Number),
            None => (number, ""),
        };
        if whole.is_empty() || fraction.contains('.') {
            return Err(Why::Number);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > Self::MOST_DECIMALS {
            return Err(Why::TooFine);
        }
        let digits = format!("{whole}{fraction}")
            .parse()
            .map_err(|_| Why::TooMuch)?;
        let decimals = u32::try_from(fraction.len()).map_err(|_| Why::TooFine)?;
        Ok((Self { digits, decimals }, unit.trim_start()))
    }

    /// The product, rounded down.
    fn times(&self, unit: u64) -> Result<u128, Why> {
        let product = u128::from(self.digits).checked_mul(u128::from(unit));
        Ok(product.ok_or(Why::TooMuch)? / 10_u128.pow(self.decimals))
    }

    /// The product, refused where it is not whole.
    fn times_exactly(&self, unit: u64) -> Result<u128, Why> {
        let product = self.times(unit)?;
        let all = u128::from(self.digits) * u128::from(unit);
        if product * 10_u128.pow(self.decimals) == all {
            Ok(product)
        } else {
            Err(Why::TooFine)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn milli(input: &str) -> Result<u32, Why> {
        input
            .parse::<Cores>()
            .map(Cores::milli)
            .map_err(|error| error.why)
    }

    fn bytes(input: &str) -> Result<u64, Why> {
        input
            .parse::<Bytes>()
            .map(Bytes::get)
            .map_err(|error| error.why)
    }

    #[test]
    fn cores_are_read() {
        for (input, expected) in [
            ("2 cores", 2000),
            ("1 core", 1000),
            ("0.5 cores", 500),
            ("1500m", 1500),
            ("2", 2000),
            ("2cores", 2000),
            ("1.25000 Cores", 1250),
        ] {
            assert_eq!(milli(input), Ok(expected), "{input}");
        }
    }

    #[test]
    fn bytes_are_read_as_coreutils_reads_them() {
        for (input, expected) in [
            ("4GB", 4_000_000_000),
            ("512MB", 512_000_000),
            ("10 GiB", 10 << 30),
            ("4096K", 4096 << 10),
            ("4g", 4 << 30),
            ("1.5gb", 1_500_000_000),
            ("1048576", 1 << 20),
            ("7 bytes", 7),
            ("1.5KiB", 1536),
            ("0.0001KB", 0),
        ] {
            let expected = if expected == 0 {
                Err(Why::Zero)
            } else {
                Ok(expected)
            };
            assert_eq!(bytes(input), expected, "{input}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        for (input, why) in [
            ("", Why::Number),
            ("lots", Why::Number),
            ("-2 cores", Why::Number),
            (".5 cores", Why::Number),
            ("5. cores", Why::Number),
            ("1.2.3", Why::Number),
            ("2 cpus", Why::Unit),
            ("2,5 cores", Why::Unit),
            ("0 cores", Why::Zero),
            ("0m", Why::Zero),
            ("0.0005 cores", Why::TooFine),
            ("0.5m", Why::TooFine),
            ("4294968 cores", Why::TooMuch),
            ("99999999999999999999", Why::TooMuch),
        ] {
            assert_eq!(milli(input), Err(why), "{input}");
        }
        for (input, why) in [
            ("0", Why::Zero),
            ("0GB", Why::Zero),
            ("-4GB", Why::Number),
            ("4 cores", Why::Unit),
            ("4GBB", Why::Unit),
            ("4iB", Why::Unit),
            ("16384PiB", Why::TooMuch),
            ("18446744073709551615P", Why::TooMuch),
            ("1.1234567891GB", Why::TooFine),
        ] {
            assert_eq!(bytes(input), Err(why), "{input}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        assert_eq!(
            Of::Space.refuse("much\n", Why::Number).to_string(),
            "\"much\\n\" is not an amount of memory or disk: it does not begin with a number above \
             zero; write it like \"4GB\", \"512MB\" or \"10GiB\""
        );
        assert_eq!(
            Of::Cpu.refuse("2 cpus", Why::Unit).to_string(),
            "\"2 cpus\" is not an amount of cpu: its unit is not known; write it like \"2 cores\", \
             \"0.5 cores\" or \"1500m\""
        );
    }

    #[test]
    fn amounts_are_written_in_the_fleets_form() {
        for (input, written) in [
            ("2000m", "2 cores"),
            ("1", "1 core"),
            ("1500m", "1.5 cores"),
            ("50m", "0.05 cores"),
        ] {
            assert_eq!(
                input.parse::<Cores>().map(|cores| cores.to_string()),
                Ok(written.to_owned())
            );
        }
        for (input, written) in [
            ("4000MB", "4GB"),
            ("512mb", "512MB"),
            ("10 GiB", "10GiB"),
            ("4096K", "4MiB"),
            ("1500", "1500B"),
            ("512000", "512KB"),
        ] {
            assert_eq!(
                input.parse::<Bytes>().map(|bytes| bytes.to_string()),
                Ok(written.to_owned())
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number in 1..=u64::MAX, few in 1_u32..) {
            prop_assert_eq!(Bytes::new(number).map(|b| b.to_string().parse()), Bytes::new(number).map(Ok));
            let round = number % 5000 * 1_000_000;
            prop_assert_eq!(Bytes::new(round).map(|b| b.to_string().parse()), Bytes::new(round).map(Ok));
            prop_assert_eq!(Cores::from_milli(few).map(|c| c.to_string().parse()), Cores::from_milli(few).map(Ok));
        }

        #[test]
        fn no_text_is_too_strange(input in "\\PC{0,20}|[0-9.]{0,30} ?[kmgtpibore]{0,5}") {
            let _ = (input.parse::<Bytes>(), input.parse::<Cores>());
        }
    }
}
