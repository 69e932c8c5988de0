//! Amounts of money, exact: as commercetools writes them, as decimal text, summed, and as the number that others force.
//!
//! Knows no currency: how many digits stand behind the point is said with each amount.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// An amount with its currency (API reference, `TypedMoney`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// In the currency's smallest unit; of a high-precision amount rounded to it.
    pub cent_amount: i64,
    /// Digits behind the decimal point: of `precise_amount` where there is one, else of `cent_amount`. 2 for EUR, 0 for JPY.
    pub fraction_digits: u8,
    /// ISO 4217.
    pub currency_code: String,
    /// A high-precision amount, such as a price per litre, in units of its `fraction_digits`.
    #[serde(default)]
    pub precise_amount: Option<i64>,
}

/// An exact decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decimal {
    units: i128,
    digits: u8,
}

/// Why amounts have no sum or product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Of two currencies.
    #[error("{first} and {other} cannot be summed")]
    Currencies {
        /// That of the first amount.
        first: String,
        /// The one that differs.
        other: String,
    },
    /// Beyond 38 digits.
    #[error("the amount has too many digits")]
    TooLarge,
}

impl Money {
    /// The exact amount.
    #[must_use]
    pub fn amount(&self) -> Decimal {
        let units = self.precise_amount.unwrap_or(self.cent_amount);
        Decimal { units: units.into(), digits: self.fraction_digits }
    }

    /// The exact amount of `quantity` pieces at this price.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn times(&self, quantity: i64) -> Result<Decimal, MoneyError> {
        let Decimal { units, digits } = self.amount();
        let units = units.checked_mul(quantity.into()).ok_or(MoneyError::TooLarge)?;
        Ok(Decimal { units, digits })
    }

    /// The exact sum of amounts in one currency; zero of none.
    ///
    /// # Errors
    /// [`MoneyError`] by cause.
    pub fn sum<'a>(amounts: impl IntoIterator<Item = &'a Self>) -> Result<Decimal, MoneyError> {
        let mut amounts = amounts.into_iter();
        let Some(first) = amounts.next() else { return Ok(Decimal::default()) };
        amounts.try_fold(first.amount(), |sum, money| {
            if money.currency_code != first.currency_code {
                let (first, other) = (first.currency_code.clone(), money.currency_code.clone());
                return Err(MoneyError::Currencies { first, other });
            }
            sum.plus(money.amount())
        })
    }
}

impl Decimal {
    /// The exact sum, with as many digits as the longer one has behind its point.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        let digits = self.digits.max(other.digits);
        let units = self.units_of(digits).zip(other.units_of(digits));
        let sum = units.and_then(|(one, other)| one.checked_add(other));
        sum.map(|units| Self { units, digits }).ok_or(MoneyError::TooLarge)
    }

    /// The exact difference, with as many digits as the longer one has behind its point.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        let units = other.units.checked_neg().ok_or(MoneyError::TooLarge)?;
        self.plus(Self { units, ..other })
    }

    /// One of so many equal shares, with as many digits as the whole has: where that is not exact rounded to the nearest,
    /// and from half way to the even one, as commercetools itself rounds. `None` of less than one share.
    #[must_use]
    pub fn share(self, shares: i64) -> Option<Self> {
        self.part(1, shares)
    }

    /// So many of so many equal shares together, rounded likewise. `None` of less than one share, and of too many digits.
    #[must_use]
    pub fn part(self, shares: i64, of: i64) -> Option<Self> {
        let units = self.units.checked_mul(shares.into())?;
        Some(Self { units: nearest(units, of.into())?, digits: self.digits })
    }

    /// With at most as many digits behind the point as `other` has, rounded likewise.
    #[must_use]
    pub fn no_finer_than(self, other: Self) -> Self {
        let surplus = self.digits.saturating_sub(other.digits);
        let divisor = 10_i128.checked_pow(surplus.into());
        // What no divisor is large enough for is nothing at so few digits.
        let units = divisor.map_or(Some(0), |divisor| nearest(self.units, divisor)).unwrap_or_default();
        Self { units, digits: self.digits.min(other.digits) }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// The amount as the number that a JSON schema forces, such as Fluent's `Float`: the nearest 64-bit float of the exact
    /// text. It prints as that text again, without zeros at its end, while the amount has at most 15 digits; beyond them
    /// the amount is no longer exact, which no float can help.
    #[must_use]
    pub fn to_float(self) -> Value {
        self.to_string().parse::<f64>().map_or(Value::Null, Value::from)
    }

    fn units_of(self, digits: u8) -> Option<i128> {
        let missing = digits.checked_sub(self.digits)?;
        10_i128.checked_pow(missing.into())?.checked_mul(self.units)
    }
}

/// The integer nearest to a quotient; half way the even one. `None` where the divisor is not positive.
fn nearest(dividend: i128, divisor: i128) -> Option<i128> {
    if divisor < 1 {
        return None;
    }
    let (below, rest) = (dividend.div_euclid(divisor), dividend.rem_euclid(divisor));
    let is_nearer_above = rest > divisor - rest || (rest == divisor - rest && below % 2 != 0);
    Some(below + i128::from(is_nearer_above))
}

impl fmt::Display for Decimal {
    /// `12.34`, `-0.05`, and without a point where there are no digits behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.digits);
        let text = format!("{:0>width$}", self.units.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = text.split_at_checked(text.len() - digits).unwrap_or((&text, ""));
        let (sign, point) = (if self.units < 0 { "-" } else { "" }, if digits == 0 { "" } else { "." });
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Money, MoneyError};

    fn money(cent_amount: i64, fraction_digits: u8) -> Money {
        Money { cent_amount, fraction_digits, currency_code: "EUR".to_owned(), precise_amount: None }
    }

    /// The text without its point, and how many digits stood behind it.
    fn read(text: &str) -> (i128, usize) {
        let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        (text.replace('.', "").parse().unwrap(), digits)
    }

    #[test]
    fn an_amount_is_told_by_its_own_digits() {
        for (cents, digits, text) in [
            (1_234, 2, "12.34"),
            (1_234, 0, "1234"),
            (1_234, 3, "1.234"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (0, 0, "0"),
            (i64::MIN, 0, "-9223372036854775808"),
            (i64::MAX, 20, "0.09223372036854775807"),
        ] {
            assert_eq!(money(cents, digits).amount().to_string(), text);
        }
    }

    #[test]
    fn a_high_precision_amount_is_not_rounded() {
        let text = r#"{"type": "highPrecision", "currencyCode": "EUR", "centAmount": 12, "preciseAmount": 123456, "fractionDigits": 6}"#;
        let money: Money = serde_json::from_str(text).unwrap();
        assert_eq!(money.amount().to_string(), "0.123456");
        assert_eq!(money.times(1_000).unwrap().to_string(), "123.456000");
        assert_eq!(money.amount().to_float(), json!(0.123_456));
    }

    #[test]
    fn an_amount_without_its_digits_is_none() {
        assert!(serde_json::from_str::<Money>(r#"{"currencyCode": "EUR", "centAmount": 12}"#).is_err());
        assert!(
            serde_json::from_str::<Money>(
                r#"{"currencyCode": "EUR", "centAmount": 1.5, "fractionDigits": 2}"#
            )
            .is_err()
        );
    }

    #[test]
    fn currencies_are_not_mixed() {
        let yen = Money { currency_code: "JPY".to_owned(), ..money(1, 0) };
        let error = Money::sum(&[money(1, 2), yen]).unwrap_err();
        assert_eq!(error, MoneyError::Currencies { first: "EUR".to_owned(), other: "JPY".to_owned() });
        assert_eq!(Money::sum(&[]).unwrap().to_string(), "0");
    }

    #[test]
    fn what_no_integer_can_hold_is_an_error() {
        assert_eq!(Money::sum(&[money(i64::MAX, 0), money(1, 20)]), Err(MoneyError::TooLarge));
        assert_eq!(Money::sum(&[money(1, 0), money(1, 255)]), Err(MoneyError::TooLarge));
    }

    #[test]
    fn a_share_that_is_not_exact_is_the_nearest_and_half_way_the_even_one() {
        for (cents, shares, text) in [
            (1_000, 4, "2.50"),
            (1_000, 3, "3.33"),
            (2_000, 3, "6.67"),
            (5, 2, "0.02"),
            (7, 2, "0.04"),
            (-5, 2, "-0.02"),
            (-7, 2, "-0.04"),
            (0, 7, "0.00"),
        ] {
            assert_eq!(money(cents, 2).amount().share(shares).unwrap().to_string(), text, "{cents}/{shares}");
        }
        assert_eq!(money(1, 2).amount().share(0), None);
        assert_eq!(money(1, 2).amount().share(-1), None);
        let thirds = |shares| money(500, 2).amount().part(shares, 3).unwrap().to_string();
        assert_eq!([thirds(0), thirds(1), thirds(2), thirds(3)], ["0.00", "1.67", "3.33", "5.00"]);
        assert_eq!(money(1, 2).amount().part(1, 0), None);
    }

    #[test]
    fn digits_are_taken_off_by_rounding_and_never_added() {
        let [cent, fine, yen] = [money(1, 2), money(123_456, 4), money(7, 0)].map(|money| money.amount());
        assert_eq!(fine.no_finer_than(cent).to_string(), "12.35");
        assert_eq!(fine.no_finer_than(yen).to_string(), "12");
        assert_eq!(yen.no_finer_than(cent).to_string(), "7");
        assert!(money(i64::MAX, 255).amount().no_finer_than(cent).is_zero());
        assert_eq!(fine.minus(cent).unwrap().to_string(), "12.3356");
    }

    #[test]
    fn floats_print_as_the_amount() {
        for (cents, digits, text) in [
            (1_999, 2, "19.99"),
            (10, 2, "0.1"),
            (1_234, 0, "1234.0"),
            (100_000_000_000_001, 2, "1000000000000.01"),
        ] {
            assert_eq!(money(cents, digits).amount().to_float().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn the_text_of_an_amount_is_exact(cents: i64, digits in 0..=20_u8) {
            let (units, shown) = read(&money(cents, digits).amount().to_string());
            prop_assert_eq!((units, shown), (i128::from(cents), usize::from(digits)));
        }

        #[test]
        fn a_sum_is_exact_whatever_the_digits(
            amounts in prop::collection::vec((-1_000_000_000_000_i64..1_000_000_000_000, prop::sample::select(vec![0_u8, 2, 3, 6])), 0..50)
        ) {
            let all: Vec<_> = amounts.iter().map(|(cents, digits)| money(*cents, *digits)).collect();
            let expected: i128 = amounts.iter().map(|(cents, digits)| i128::from(*cents) * 10_i128.pow(u32::from(6 - digits))).sum();
            let (units, digits) = read(&Money::sum(&all).unwrap().to_string());
            prop_assert_eq!(units * 10_i128.pow(u32::try_from(6 - digits).unwrap()), expected);
        }

        #[test]
        fn a_product_is_the_sum_of_its_pieces(cents in -1_000_000..1_000_000_i64, digits in 0..=3_u8, quantity in 1..50_usize) {
            let price = money(cents, digits);
            let pieces = vec![price.clone(); quantity];
            prop_assert_eq!(price.times(i64::try_from(quantity).unwrap()), Money::sum(&pieces));
        }

        #[test]
        fn a_float_of_up_to_fifteen_digits_is_the_amount_again(cents in -999_999_999_999_999..=999_999_999_999_999_i64, digits in prop::sample::select(vec![0_u8, 2, 3])) {
            let amount = money(cents, digits).amount();
            let Value::Number(float) = amount.to_float() else { panic!("a number") };
            let printed = float.as_f64().unwrap();
            prop_assert_eq!(format!("{printed:.*}", usize::from(digits)).replace("-0.000", "0.000"), amount.to_string().replace("-0.000", "0.000"));
        }
    }
}
