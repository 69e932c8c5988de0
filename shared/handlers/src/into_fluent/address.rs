//! An address of commercetools as Fluent has one.

use commercetools::Address;
use serde_json::{Map, Value};

use super::input::{joined, object, text};

/// Its fields, of which Fluent has fewer: what commercetools says of a street becomes one text. `reference` is what Fluent
/// calls it.
pub(crate) fn fields(address: &Address, reference: Option<Value>) -> Map<String, Value> {
    object([
        ("ref", reference),
        ("name", joined(&[&address.first_name, &address.last_name])),
        ("companyName", text(address.company.as_ref())),
        ("street", joined(&[&address.street_name, &address.street_number, &address.additional_street_info])),
        ("city", text(address.city.as_ref())),
        ("state", text(address.state.as_ref())),
        ("postcode", text(address.postal_code.as_ref())),
        ("region", text(address.region.as_ref())),
        ("country", text(Some(&address.country))),
    ])
}
