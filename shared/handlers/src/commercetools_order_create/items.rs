//! Line items, and custom line items in either form.

use std::collections::BTreeSet;

use commercetools::{CustomLineItem, Decimal, LineItem, Money, Order, TaxRate};
use connector::handler::HandlerError;
use serde_json::{Value, json};

use super::amounts::{Amount, between};
use super::delivery::Choices;
use super::discounts;
use super::rules::{CustomItems, Rules};
use super::ways::Part;
use crate::into_fluent::attributes::attribute;
use crate::into_fluent::input::{float, object};
use crate::problem::unmappable;

/// What both kinds of items have in common.
struct Item<'a> {
    /// Its place in the order.
    field: String,
    product: &'a str,
    quantity: i64,
    /// Of one piece, before discounts of the cart.
    price: &'a Money,
    /// Of all pieces, after all discounts.
    all: Amount,
    /// What all discounts took off all pieces.
    discount: Option<Decimal>,
    currency: &'a str,
    rate: Option<&'a TaxRate>,
    /// The fulfilment choice, where the order has several.
    choice: Option<&'a str>,
}

/// Every item; one that goes several ways once for each of them.
pub(super) fn of(
    order: &Order,
    rules: &Rules,
    choices: Option<&Choices<'_>>,
) -> Result<Vec<Value>, HandlerError> {
    let lines = order.line_items.iter().enumerate().map(|(index, line)| of_line(index, line, rules));
    let custom: &[_] = if rules.custom_items == CustomItems::Items { &order.custom_line_items } else { &[] };
    let custom = custom.iter().enumerate().map(|(index, line)| of_custom(index, line, rules));
    let mut all = lines.chain(custom).collect::<Result<Vec<_>, _>>()?;
    if let Some(choices) = choices {
        let parts = choices.ways.parts.iter();
        let split = all.iter().zip(parts).map(|(item, parts)| item.split(parts, &choices.references));
        all = split.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    }
    if all.is_empty() {
        return Err(unmappable("lineItems hold nothing that Fluent could deliver"));
    }
    let references = references(&all);
    all.iter().zip(&references).map(|(item, reference)| item.input(reference, rules)).collect()
}

/// The products, with numbers where one comes again: references are unique within an order, and commercetools has a product
/// on two lines where they differ elsewhere.
fn references(items: &[Item<'_>]) -> Vec<String> {
    let products: BTreeSet<_> = items.iter().map(|item| item.product).collect();
    let mut used = BTreeSet::new();
    let mut of = |item: &Item<'_>| {
        let (mut reference, mut number) = (item.product.to_owned(), 1_u32);
        while used.contains(&reference) || (number > 1 && products.contains(reference.as_str())) {
            number += 1;
            reference = format!("{}-{number}", item.product);
        }
        used.insert(reference.clone());
        reference
    };
    items.iter().map(&mut of).collect()
}

/// The custom line items as the value of one attribute: amounts as exact texts.
pub(super) fn custom_attribute(order: &Order, rules: &Rules) -> Option<Value> {
    if rules.custom_items == CustomItems::Items || order.custom_line_items.is_empty() {
        return None;
    }
    let languages: Vec<_> = order.locale.as_deref().into_iter().collect();
    let told = |line: &CustomLineItem| {
        json!({
            "ref": product(line), "name": line.name.text(&languages), "quantity": line.quantity,
            "price": line.money.amount().to_string(), "totalPrice": line.total_price.amount().to_string(),
            "currency": line.money.currency_code,
        })
    };
    Some(attribute("customLineItems", order.custom_line_items.iter().map(told).collect::<Vec<_>>()))
}

fn of_line<'a>(index: usize, line: &'a LineItem, rules: &Rules) -> Result<Item<'a>, HandlerError> {
    let field = format!("lineItems[{index}]");
    let sku = line.variant.sku.as_deref().filter(|sku| !sku.trim().is_empty());
    Ok(Item {
        product: sku.ok_or_else(|| unmappable(format!("{field}.variant.sku is missing")))?,
        quantity: line.quantity,
        price: line.price.current(),
        all: Amount::of(&field, &line.total_price, line.taxed_price.as_ref(), rules.totals)?,
        discount: discounts::of_item(&field, &line.price.value, line.quantity, &line.total_price)?,
        currency: &line.total_price.currency_code,
        rate: line.tax_rate.as_ref(),
        choice: None,
        field,
    })
}

fn of_custom<'a>(index: usize, line: &'a CustomLineItem, rules: &Rules) -> Result<Item<'a>, HandlerError> {
    let field = format!("customLineItems[{index}]");
    Ok(Item {
        product: product(line)
            .ok_or_else(|| unmappable(format!("{field}.slug is missing, and so is its key")))?,
        quantity: line.quantity,
        price: &line.money,
        all: Amount::of(&field, &line.total_price, line.taxed_price.as_ref(), rules.totals)?,
        discount: discounts::of_item(&field, &line.money, line.quantity, &line.total_price)?,
        currency: &line.total_price.currency_code,
        rate: line.tax_rate.as_ref(),
        choice: None,
        field,
    })
}

/// What stands for the product that a custom line item has none of.
fn product(line: &CustomLineItem) -> Option<&str> {
    let is_there = |text: &&str| !text.trim().is_empty();
    line.key.as_deref().filter(is_there).or_else(|| line.slug.as_deref().filter(is_there))
}

impl<'a> Item<'a> {
    /// The same as one item for each way, whose amounts together are those of the whole.
    fn split(&self, parts: &[Part], references: &'a [String]) -> Result<Vec<Self>, HandlerError> {
        let mut upto = 0;
        let mut each = |part: &Part| {
            let pieces = upto..upto + part.quantity;
            upto = pieces.end;
            let discount = self.discount.map(|off| between(&self.field, off, &pieces, self.quantity));
            Ok(Self {
                field: self.field.clone(),
                quantity: part.quantity,
                all: self.all.of_pieces(&self.field, pieces, self.quantity)?,
                discount: discount.transpose()?.filter(|off| !off.is_zero()),
                choice: references.get(part.way).map(String::as_str),
                ..*self
            })
        };
        parts.iter().map(&mut each).collect()
    }

    fn input(&self, reference: &str, rules: &Rules) -> Result<Value, HandlerError> {
        let all = self.all;
        let one = all.of_one(&self.field, self.quantity)?;
        let attributes = self.discount.map(|off| json!([attribute("discount", off.to_string())]));
        let input = object([
            ("ref", Some(reference.into())),
            ("productRef", Some(self.product.into())),
            ("productCatalogueRef", Some(rules.catalogue.as_str().into())),
            ("quantity", Some(self.quantity.into())),
            ("price", float(Some(self.price.amount()))),
            ("paidPrice", float(Some(one.total))),
            ("taxPrice", float(one.tax)),
            ("taxType", self.rate.map(|rate| rate.name.as_str().into())),
            ("totalPrice", float(Some(all.total))),
            ("totalTaxPrice", float(all.tax)),
            ("currency", Some(self.currency.into())),
            ("fulfilmentChoiceRef", self.choice.map(Value::from)),
            ("attributes", attributes),
        ]);
        Ok(input.into())
    }
}
