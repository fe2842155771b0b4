//! Money in whole numbers: amounts, rates, and the decimals that they are read from and shown as.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Decimals of a dollar that an amount can hold: six for the price of a million tokens, six more for that of one token.
const DECIMALS: usize = 12;

/// Decimals of a dollar that the price of a million tokens can have; published prices have fewer.
const RATE_DECIMALS: usize = 6;

/// An amount in pico-dollars (10⁻¹² USD), which a token's price always is a whole number of.
///
/// Shown with three digits that count (`$0.000123`), and at least as cents; with `{:#}` exact. Serialised as
/// the exact decimal in a string, since a reader's floating point would not keep it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Money {
    pico: u128,
}

impl Money {
    /// An amount of `pico` pico-dollars.
    pub const fn from_pico(pico: u128) -> Self {
        Self { pico }
    }

    /// The amount nearest to a number of dollars; zero for negative numbers and NaN.
    pub fn from_dollars(dollars: f64) -> Self {
        // The cast saturates, and NaN becomes zero.
        Self::from_pico((dollars * 1e12).round() as u128)
    }

    /// The amount in pico-dollars.
    pub const fn pico(self) -> u128 {
        self.pico
    }

    /// Reads a decimal of dollars, as in `0.0000135` or `1.35e-05`: what providers report as cost.
    pub fn parse(text: &[u8]) -> Result<Self, MoneyParseError> {
        parse_decimal(text, DECIMALS).map(Self::from_pico)
    }

    /// The exact amount without a sign: `0.000123456789`.
    fn exact_decimal(self) -> String {
        format_decimal(self.pico, DECIMALS, 2)
    }
}

impl Add for Money {
    type Output = Self;

    /// Never overflows for the cost of one exchange: see [`TokenRate::cost_of`].
    fn add(self, other: Self) -> Self {
        Self::from_pico(self.pico.saturating_add(other.pico))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write!(f, "${}", self.exact_decimal());
        }
        if self.pico == 0 {
            return f.write_str("$0");
        }
        // From a dollar up, cents; below, three digits.
        let digits = usize::try_from(self.pico.ilog10()).unwrap_or(usize::MAX);
        let dropped = digits.saturating_sub(2).min(DECIMALS.saturating_sub(2));
        let unit = power_of_ten(dropped);
        let half = unit.div_euclid(2);
        let rounded = self.pico.saturating_add(half).div_euclid(unit);
        let places = DECIMALS.saturating_sub(dropped);
        write!(f, "${}", format_decimal(rounded, places, 2))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.exact_decimal())
    }
}

/// Price of one token in pico-dollars, which is also the price of a million tokens in micro-dollars.
///
/// At most [`TokenRate::MAX`], so that no bill over `u64` counts of tokens can overflow. Shown and serialised as
/// dollars per million tokens, exact: `$0.0375`, `"0.0375"`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct TokenRate {
    pico: u64,
}

impl TokenRate {
    /// A billion dollars for a million tokens: beyond it, a number is a slip.
    pub const MAX: Self = Self {
        pico: 1_000_000_000_000_000,
    };

    /// Reads dollars per million tokens from a JSON number: `0.0375`, `2.5e0`.
    pub fn parse(text: &[u8]) -> Result<Self, MoneyParseError> {
        let pico = parse_decimal(text, RATE_DECIMALS)?;
        let pico = u64::try_from(pico).map_err(|_| MoneyParseError::TooLarge)?;
        let rate = Self { pico };
        (rate <= Self::MAX)
            .then_some(rate)
            .ok_or(MoneyParseError::TooLarge)
    }

    /// The price of one token in pico-dollars.
    pub const fn pico(self) -> u64 {
        self.pico
    }

    /// The cost of `tokens` tokens: exact, and below 2¹¹⁴ pico-dollars, so that thousands of them add up exactly.
    pub fn cost_of(self, tokens: u64) -> Money {
        Money::from_pico(u128::from(self.pico).saturating_mul(tokens.into()))
    }

    fn exact_decimal(self) -> String {
        format_decimal(self.pico.into(), RATE_DECIMALS, 2)
    }
}

impl fmt::Display for TokenRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("${}", self.exact_decimal()))
    }
}

impl Serialize for TokenRate {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.exact_decimal())
    }
}

/// From a JSON number. Its shortest decimal has the digits that were written, up to 15 of them.
impl<'de> Deserialize<'de> for TokenRate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(from)?.to_string();
        Self::parse(dollars.as_bytes()).map_err(|why| D::Error::custom(format!("{dollars} {why}")))
    }
}

/// Reason why a text is not an amount or a price.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum MoneyParseError {
    /// Not a decimal number.
    #[error("is not a number")]
    NotANumber,
    /// Below zero.
    #[error("is negative")]
    Negative,
    /// More decimals than can be kept exactly.
    #[error("has more decimals than can be kept exactly")]
    TooManyDecimals,
    /// Larger than any price.
    #[error("is too large for a price")]
    TooLarge,
}

/// A decimal number as a whole number of units of 10^-`decimals`; exact, or an error.
fn parse_decimal(text: &[u8], decimals: usize) -> Result<u128, MoneyParseError> {
    let text = std::str::from_utf8(text).map_err(|_| MoneyParseError::NotANumber)?;
    if text.starts_with('-') {
        return Err(MoneyParseError::Negative);
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| MoneyParseError::NotANumber)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyParseError::NotANumber);
    }
    let places = |count| i64::try_from(count).unwrap_or(i64::MAX);
    let by = places(decimals)
        .saturating_sub(places(fraction.len()))
        .saturating_add(exponent.into());
    scale_digits(digits.trim_start_matches('0'), by)
}

/// The digits as a number, times 10^`by`.
fn scale_digits(digits: &str, by: i64) -> Result<u128, MoneyParseError> {
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Ok(0);
    }
    let zeros = i64::try_from(digits.len().saturating_sub(kept.len())).unwrap_or(i64::MAX);
    let by =
        usize::try_from(zeros.saturating_add(by)).map_err(|_| MoneyParseError::TooManyDecimals)?;
    // 10^38 is the last power of ten in a u128.
    if kept.len().saturating_add(by) > 38 {
        return Err(MoneyParseError::TooLarge);
    }
    let number: u128 = kept.parse().map_err(|_| MoneyParseError::TooLarge)?;
    number
        .checked_mul(power_of_ten(by))
        .ok_or(MoneyParseError::TooLarge)
}

/// A number of units of 10^-`places`, as a decimal: with at least `least` places, no more zeros than that.
fn format_decimal(units: u128, places: usize, least: usize) -> String {
    let unit = power_of_ten(places);
    let fraction = format!("{:0places$}", units.rem_euclid(unit));
    let kept = fraction.trim_end_matches('0').len().max(least.min(places));
    let shown = fraction.get(..kept).unwrap_or(&fraction);
    format!("{}.{shown}", units.div_euclid(unit))
}

fn power_of_ten(of_ten: usize) -> u128 {
    u32::try_from(of_ten)
        .ok()
        .and_then(|power| 10_u128.checked_pow(power))
        .unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_with_three_digits() {
        let case = |pico, shown: &str, exact: &str| {
            assert_eq!(Money::from_pico(pico).to_string(), shown);
            assert_eq!(format!("{:#}", Money::from_pico(pico)), exact);
        };
        case(0, "$0", "$0.00");
        case(1, "$0.000000000001", "$0.000000000001");
        case(1234, "$0.00000000123", "$0.000000001234");
        case(123_456_789, "$0.000123", "$0.000123456789");
        case(123_500_000, "$0.000124", "$0.0001235");
        case(999_600_000, "$0.001", "$0.0009996");
        case(13_500_000_000, "$0.0135", "$0.0135");
        case(500_000_000_000, "$0.50", "$0.50");
        case(999_999_999_999, "$1.00", "$0.999999999999");
        case(1_005_000_000_000, "$1.01", "$1.005");
        case(12_345_678_000_000_000, "$12345.68", "$12345.678");
        assert!(
            Money::from_pico(u128::MAX)
                .to_string()
                .starts_with("$340282")
        );
    }

    #[test]
    fn dollars_of_others() {
        assert_eq!(Money::from_dollars(0.00123).to_string(), "$0.00123");
        assert_eq!(Money::from_dollars(0.000_117_65).to_string(), "$0.000118");
        for none in [-1.0, f64::NAN] {
            assert_eq!(Money::from_dollars(none), Money::default());
        }
    }

    #[test]
    fn rates_are_read_exactly() {
        let case = |text: &str, pico| {
            assert_eq!(TokenRate::parse(text.as_bytes()).map(TokenRate::pico), pico)
        };
        case("2.5", Ok(2_500_000));
        case("0.0375", Ok(37_500));
        case("0", Ok(0));
        case("0.000", Ok(0));
        case("0.000000000", Ok(0));
        case("0.100000000000", Ok(100_000));
        case("3e-6", Ok(3));
        case("1.5E+1", Ok(15_000_000));
        case("600", Ok(600_000_000));
        case("0.0000001", Err(MoneyParseError::TooManyDecimals));
        case("1e-7", Err(MoneyParseError::TooManyDecimals));
        case("1e9", Ok(TokenRate::MAX.pico()));
        case("1e10", Err(MoneyParseError::TooLarge));
        case("1e400", Err(MoneyParseError::TooLarge));
        case("1e99999999999", Err(MoneyParseError::NotANumber));
        case("-1", Err(MoneyParseError::Negative));
        case("", Err(MoneyParseError::NotANumber));
        case(".5", Err(MoneyParseError::NotANumber));
        case("NaN", Err(MoneyParseError::NotANumber));
        case("1.2.3", Err(MoneyParseError::NotANumber));
        assert_eq!(Money::parse(b"1.35e-05").map(Money::pico), Ok(13_500_000));
    }

    #[test]
    fn rates_are_shown_per_million() {
        let shown = |text: &str| TokenRate::parse(text.as_bytes()).unwrap().to_string();
        assert_eq!(shown("2.5"), "$2.50");
        assert_eq!(shown("0.0375"), "$0.0375");
        assert_eq!(shown("0"), "$0.00");
        assert_eq!(shown("600"), "$600.00");
        assert_eq!(format!("{:>7}", TokenRate::parse(b"2").unwrap()), "  $2.00");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_exactly_reads_back(pico in 0_u64..=TokenRate::MAX.pico()) {
            let rate = TokenRate { pico };
            proptest::prop_assert_eq!(TokenRate::parse(rate.exact_decimal().as_bytes()), Ok(rate));
            let money = rate.cost_of(u64::MAX);
            proptest::prop_assert_eq!(Money::parse(money.exact_decimal().as_bytes()), Ok(money));
            let _ = (money.to_string(), rate.to_string());
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = (TokenRate::parse(text.as_bytes()), Money::parse(text.as_bytes()));
        }
    }
}
