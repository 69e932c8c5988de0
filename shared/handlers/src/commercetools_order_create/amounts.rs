//! Totals with or without taxes, and the taxes alone.

use commercetools::{Decimal, Money, MoneyError, TaxedPrice};
use connector::handler::HandlerError;

use super::rules::Totals;
use crate::problem::unmappable;

/// An amount as Fluent is told it. `None` of the tax: commercetools does not know it.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    /// With or without taxes, as the route says.
    pub(super) total: Decimal,
    /// The tax of it.
    pub(super) tax: Option<Decimal>,
}

impl Amount {
    /// What commercetools tells of something: its price, and the same with taxes where it knows them.
    pub(super) fn of(
        field: &str,
        price: &Money,
        taxed: Option<&TaxedPrice>,
        totals: Totals,
    ) -> Result<Self, HandlerError> {
        let tax = match taxed {
            Some(TaxedPrice { total_tax: Some(tax), .. }) => Some(tax.amount()),
            Some(taxed) => Some(exact(field, taxed.total_gross.amount().minus(taxed.total_net.amount()))?),
            None => None,
        };
        let total = match (totals, taxed) {
            (Totals::Priced, _) => price.amount(),
            (Totals::Net, Some(taxed)) => taxed.total_net.amount(),
            (Totals::Gross, Some(taxed)) => taxed.total_gross.amount(),
            (Totals::Net | Totals::Gross, None) => {
                return Err(unmappable(format!("{field}.taxedPrice is missing, and props.totals needs it")));
            }
        };
        Ok(Self { total, tax })
    }

    /// Both together; the tax where it is known of both.
    pub(super) fn plus(self, field: &str, other: Self) -> Result<Self, HandlerError> {
        let tax = self.tax.zip(other.tax).map(|(one, other)| exact(field, one.plus(other)));
        Ok(Self { total: exact(field, self.total.plus(other.total))?, tax: tax.transpose()? })
    }

    /// Of the pieces from one to another of so many. All parts together are the whole, to the last digit.
    pub(super) fn of_pieces(
        self,
        field: &str,
        pieces: std::ops::Range<i64>,
        of: i64,
    ) -> Result<Self, HandlerError> {
        let tax = self.tax.map(|tax| between(field, tax, &pieces, of));
        Ok(Self { total: between(field, self.total, &pieces, of)?, tax: tax.transpose()? })
    }

    /// Of one of so many pieces.
    pub(super) fn of_one(self, field: &str, pieces: i64) -> Result<Self, HandlerError> {
        let share = |amount: Decimal| {
            let none = || unmappable(format!("{field}.quantity is not positive"));
            amount.share(pieces).ok_or_else(none)
        };
        Ok(Self { total: share(self.total)?, tax: self.tax.map(share).transpose()? })
    }
}

/// What falls to the pieces from one to another of so many.
pub(super) fn between(
    field: &str,
    amount: Decimal,
    pieces: &std::ops::Range<i64>,
    of: i64,
) -> Result<Decimal, HandlerError> {
    let part = |upto| {
        amount
            .part(upto, of)
            .ok_or_else(|| unmappable(format!("{field}.quantity is not positive, or too large")))
    };
    exact(field, part(pieces.end)?.minus(part(pieces.start)?))
}

/// What has been reckoned, or which field it failed at.
pub(super) fn exact(field: &str, amount: Result<Decimal, MoneyError>) -> Result<Decimal, HandlerError> {
    amount.map_err(|error| unmappable(format!("{field} cannot be reckoned: {error}")))
}
