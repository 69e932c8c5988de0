//! What was taken off: commercetools tells prices before and totals after it, so that it is their exact difference.

use commercetools::{Decimal, Money, Order, ShippingInfo};
use connector::handler::HandlerError;

use super::amounts::exact;

/// What an item got off; `None` of nothing.
pub(super) fn of_item(
    field: &str,
    price: &Money,
    quantity: i64,
    total: &Money,
) -> Result<Option<Decimal>, HandlerError> {
    difference(field, exact(field, price.times(quantity))?, total)
}

/// What the whole order got off: items, shipping and the total price together.
pub(super) fn of_order(order: &Order) -> Result<Option<Decimal>, HandlerError> {
    let field = "totalPrice";
    let lines = order.line_items.iter().map(|line| line.price.value.times(line.quantity));
    let custom = order.custom_line_items.iter().map(|line| line.money.times(line.quantity));
    let shipping = shipping(order).map(|info| Ok(info.price.amount()));
    let before = lines
        .chain(custom)
        .chain(shipping)
        .try_fold(Decimal::default(), |sum, amount| amount.and_then(|amount| sum.plus(amount)));
    difference(field, exact(field, before)?, &order.total_price)
}

/// Every way in which an order is sent, in either shipping mode.
pub(super) fn shipping(order: &Order) -> impl Iterator<Item = &ShippingInfo> {
    order.shipping_info.iter().chain(order.shipping.iter().map(|shipping| &shipping.shipping_info))
}

/// To the digits of the total: what is finer, of prices of high precision, was rounded and not taken off.
fn difference(field: &str, before: Decimal, total: &Money) -> Result<Option<Decimal>, HandlerError> {
    let difference = exact(field, before.minus(total.amount()))?.no_finer_than(total.amount());
    Ok(Some(difference).filter(|difference| !difference.is_zero()))
}
