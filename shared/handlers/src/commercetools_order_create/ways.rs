//! The ways that an order goes: by several shipping methods, or to several addresses.
//!
//! commercetools says of each item how many pieces go where (API reference, `ItemShippingDetails`): to one of the order's
//! `itemShippingAddresses` and, in shipping mode Multiple, by one of its `shipping`. Does not know what Fluent makes of it.

use commercetools::{Address, ItemShippingDetails, ItemShippingTarget, Order, ShippingInfo};
use connector::handler::HandlerError;

use super::rules::{CustomItems, Rules};
use crate::problem::unmappable;

/// Every way, and which pieces go it.
pub(super) struct Ways<'a> {
    order: &'a Order,
    pub(super) all: Vec<Way<'a>>,
    /// Of each item, in the order of line items and custom line items.
    pub(super) parts: Vec<Vec<Part>>,
}

/// How pieces are sent, and where to.
pub(super) struct Way<'a> {
    /// Place in the order's `shipping`; none in shipping mode Single.
    shipping: Option<usize>,
    pub(super) info: Option<&'a ShippingInfo>,
    pub(super) address: &'a Address,
    /// Whether the price of its shipping is told here: of several addresses, the first has it.
    pub(super) is_first: bool,
}

/// Pieces of an item that go one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Place among all ways.
    pub(super) way: usize,
    pub(super) quantity: i64,
}

impl<'a> Ways<'a> {
    /// What the order says; none where all goes one way.
    ///
    /// # Errors
    /// `E_MAPPING` where it does not say of every piece which way it goes, or nothing goes one of the ways.
    pub(super) fn of(order: &'a Order, rules: &Rules) -> Result<Option<Self>, HandlerError> {
        let mut ways = Self { order, all: Vec::new(), parts: Vec::new() };
        for (index, line) in order.line_items.iter().enumerate() {
            let field = format!("lineItems[{index}]");
            ways.add(&field, line.shipping_details.as_ref(), line.quantity)?;
        }
        let custom =
            if rules.custom_items == CustomItems::Items { &order.custom_line_items[..] } else { &[] };
        for (index, line) in custom.iter().enumerate() {
            let field = format!("customLineItems[{index}]");
            ways.add(&field, line.shipping_details.as_ref(), line.quantity)?;
        }
        let is_used = |index: usize| ways.all.iter().any(|way| way.shipping == Some(index));
        if let Some(unused) = (0..order.shipping.len()).find(|index| !is_used(*index)) {
            return Err(unmappable(format!(
                "shipping[{unused}] is the way of no item, and Fluent would not know what goes it"
            )));
        }
        Ok((ways.all.len() > 1).then_some(ways))
    }

    fn add(
        &mut self,
        field: &str,
        details: Option<&ItemShippingDetails>,
        quantity: i64,
    ) -> Result<(), HandlerError> {
        let targets = details.map_or(&[][..], |details| &details.targets);
        let mut parts = Vec::new();
        for target in targets.iter().filter(|target| target.quantity != 0) {
            let way = self.target(field, target)?;
            parts.push(Part { way, quantity: target.quantity });
        }
        if targets.is_empty() {
            parts.push(Part { way: self.only(field)?, quantity });
        }
        let told = parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(part.quantity));
        if told != Some(quantity) || parts.iter().any(|part| part.quantity < 0) {
            let problem = "do not say of each piece which way it goes";
            return Err(unmappable(format!("{field}.shippingDetails.targets {problem}")));
        }
        self.parts.push(parts);
        Ok(())
    }

    /// The way of an item that says nothing of it: the order's only one.
    fn only(&mut self, field: &str) -> Result<usize, HandlerError> {
        let order = self.order;
        match &order.shipping[..] {
            [] => {
                let missing = || unmappable("shippingAddress is missing, and items do not say where they go");
                let address = order.shipping_address.as_ref().ok_or_else(missing)?;
                Ok(self.way(None, address))
            }
            [one] => Ok(self.way(Some(0), &one.shipping_address)),
            _ => {
                let missing = "shippingDetails is missing, and the order goes several ways";
                Err(unmappable(format!("{field}.{missing}")))
            }
        }
    }

    fn target(&mut self, field: &str, target: &ItemShippingTarget) -> Result<usize, HandlerError> {
        let order = self.order;
        let shipping = match (&target.shipping_method_key, &order.shipping[..]) {
            (_, []) => None,
            (None, [_]) => Some(0),
            (Some(key), all) => {
                Some(all.iter().position(|shipping| shipping.shipping_key == *key).ok_or_else(|| {
                    let problem = format!("shippingMethodKey {key:?} is none of the order's shipping");
                    unmappable(format!("{field}.shippingDetails.targets: {problem}"))
                })?)
            }
            (None, _) => {
                let problem = "shippingMethodKey is missing, and the order goes several ways";
                return Err(unmappable(format!("{field}.shippingDetails.targets: {problem}")));
            }
        };
        let address = named(order, &target.address_key).ok_or_else(|| {
            let problem = format!("addressKey {:?} is no address of the order", target.address_key);
            unmappable(format!("{field}.shippingDetails.targets: {problem}"))
        })?;
        Ok(self.way(shipping, address))
    }

    /// The place of this way among all.
    fn way(&mut self, shipping: Option<usize>, address: &'a Address) -> usize {
        let is_it = |way: &Way<'_>| way.shipping == shipping && is_one_place(way.address, address);
        if let Some(known) = self.all.iter().position(is_it) {
            return known;
        }
        let info = match shipping {
            None => self.order.shipping_info.as_ref(),
            Some(index) => self.order.shipping.get(index).map(|shipping| &shipping.shipping_info),
        };
        let is_first = self.all.iter().all(|way| way.shipping != shipping);
        self.all.push(Way { shipping, info, address, is_first });
        self.all.len() - 1
    }
}

/// Every address that something of the order goes to, in either shipping mode; those of the whole order first.
pub(super) fn addresses(order: &Order) -> impl Iterator<Item = &Address> {
    let whole = order.shipping.iter().map(|shipping| &shipping.shipping_address);
    let whole = whole.chain(order.shipping_address.iter().filter(|_| order.shipping.is_empty()));
    let lines = order.line_items.iter().map(|line| &line.shipping_details);
    let custom = order.custom_line_items.iter().map(|line| &line.shipping_details);
    let targets = lines.chain(custom).flatten().flat_map(|details| &details.targets);
    let aimed = targets.filter(|target| target.quantity != 0);
    whole.chain(aimed.filter_map(|target| named(order, &target.address_key)))
}

/// Whether two addresses are one: all but the id that commercetools gave them. The key counts, for it may name a location.
fn is_one_place(one: &Address, other: &Address) -> bool {
    let place = |address: &Address| Address { id: None, ..address.clone() };
    place(one) == place(other)
}

/// The address of this key.
fn named<'a>(order: &'a Order, key: &str) -> Option<&'a Address> {
    let shipping = order.shipping.iter().map(|shipping| &shipping.shipping_address);
    let mut all = order.item_shipping_addresses.iter().chain(shipping).chain(&order.shipping_address);
    all.find(|address| address.key.as_deref() == Some(key))
}
