//! Many-to-one maps from Fluent's statuses to what commercetools knows of an order: four kinds of state, and custom fields.

use std::collections::BTreeMap;

use commercetools::{Order, OrderAction, OrderState, PaymentState, ResourceIdentifier, ShipmentState};
use connector::document::{Document, DocumentError};
use connector::handler::Context;
use serde_json::{Map, Value};

use super::entity::Asking;
use super::placed_order::Naming;
use crate::order_reference;

/// What the props of every handler say that tells commercetools how an order goes on.
pub(crate) struct Settings {
    pub(crate) asking: Asking,
    pub(crate) naming: Naming,
    statuses: BTreeMap<String, Wanted>,
}

/// What a status asks of an order; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    order: Option<OrderState>,
    shipment: Option<ShipmentState>,
    payment: Option<PaymentState>,
    /// Id of a state of the project's own workflow: an order tells nothing else of it.
    state: Option<String>,
    fields: Map<String, Value>,
}

/// The key that an entry sets which is a text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    OrderState,
    ShipmentState,
}

/// The keys that the props of each know.
pub(crate) const KEYS: [&str; 4] = [Asking::KEYS[0], Asking::KEYS[1], order_reference::KEY, STATUSES];
const STATUSES: &str = "statuses";
/// The keys of an entry.
const ENTRY: [&str; 5] = [ORDER_STATE, SHIPMENT_STATE, "paymentState", "state", "fields"];
const ORDER_STATE: &str = "orderState";
const SHIPMENT_STATE: &str = "shipmentState";

const ORDER_STATES: [(&str, OrderState); 4] = [
    ("Open", OrderState::Open),
    ("Confirmed", OrderState::Confirmed),
    ("Complete", OrderState::Complete),
    ("Cancelled", OrderState::Cancelled),
];
const SHIPMENT_STATES: [(&str, ShipmentState); 8] = [
    ("Pending", ShipmentState::Pending),
    ("Ready", ShipmentState::Ready),
    ("Shipped", ShipmentState::Shipped),
    ("Delivered", ShipmentState::Delivered),
    ("Delayed", ShipmentState::Delayed),
    ("Partial", ShipmentState::Partial),
    ("Backorder", ShipmentState::Backorder),
    ("Canceled", ShipmentState::Canceled),
];
const PAYMENT_STATES: [(&str, PaymentState); 5] = [
    ("BalanceDue", PaymentState::BalanceDue),
    ("Failed", PaymentState::Failed),
    ("Pending", PaymentState::Pending),
    ("CreditOwed", PaymentState::CreditOwed),
    ("Paid", PaymentState::Paid),
];

impl Settings {
    /// Takes them out of the props. Every entry of `statuses` is read, so that a slip in one shows with the first message
    /// and not with the first order that gets there.
    pub(crate) fn read(
        props: &mut Document,
        context: &Context<'_>,
        plain: Plain,
    ) -> Result<Self, DocumentError> {
        let none = Map::new();
        let raw = context.props().get(STATUSES).and_then(Value::as_object).unwrap_or(&none);
        let names: Vec<_> = raw.keys().map(String::as_str).collect();
        let Some(mut entries) = props.section(STATUSES, &names)? else {
            return Err(props.unusable(STATUSES, "is missing: it says what each status becomes"));
        };
        let mut statuses = BTreeMap::new();
        for (name, entry) in raw.iter().filter(|(_, entry)| !entry.is_null()) {
            let map = if entry.is_object() { entries.section(name, &ENTRY)? } else { None };
            let wanted = map.map_or_else(|| Wanted::plain(&mut entries, name, plain), Wanted::read)?;
            statuses.insert(name.clone(), wanted);
        }
        Ok(Self { asking: Asking::read(props)?, naming: Naming::read(props, context)?, statuses })
    }

    /// What this status asks of an order; where the route says nothing of it a note tells.
    pub(crate) fn wanted(&self, context: &Context<'_>, status: &str) -> Option<&Wanted> {
        let wanted = self.statuses.get(status);
        if wanted.is_none() {
            context.log(&format!("nothing to do: props.statuses does not have status {status}"));
        }
        wanted
    }
}

impl Wanted {
    /// An entry that is a map.
    fn read(mut entry: Document) -> Result<Self, DocumentError> {
        Ok(Self {
            order: entry.word(ORDER_STATE, &ORDER_STATES)?,
            shipment: entry.word(SHIPMENT_STATE, &SHIPMENT_STATES)?,
            payment: entry.word("paymentState", &PAYMENT_STATES)?,
            state: entry.text("state")?,
            fields: entry.mapping("fields")?.unwrap_or_default(),
        })
    }

    /// An entry that is a text alone.
    fn plain(entries: &mut Document, status: &str, plain: Plain) -> Result<Self, DocumentError> {
        let mut wanted = Self::default();
        match plain {
            Plain::OrderState => wanted.order = entries.word(status, &ORDER_STATES)?,
            Plain::ShipmentState => wanted.shipment = entries.word(status, &SHIPMENT_STATES)?,
        }
        Ok(wanted)
    }

    /// What is left to do to this order.
    pub(crate) fn actions(&self, order: &Order) -> Vec<OrderAction> {
        let mut actions = Vec::new();
        if let Some(order_state) = self.order.filter(|wanted| *wanted != order.order_state) {
            actions.push(OrderAction::ChangeOrderState { order_state });
        }
        if let Some(shipment_state) = self.shipment.filter(|wanted| Some(*wanted) != order.shipment_state) {
            actions.push(OrderAction::ChangeShipmentState { shipment_state });
        }
        if let Some(payment_state) = self.payment.filter(|wanted| Some(*wanted) != order.payment_state) {
            actions.push(OrderAction::ChangePaymentState { payment_state });
        }
        let stands = order.state.as_ref().map(|state| state.id.as_str());
        if let Some(id) = self.state.as_deref().filter(|wanted| Some(*wanted) != stands) {
            actions.push(OrderAction::TransitionState { state: ResourceIdentifier::state(id) });
        }
        let holds = |name: &str| order.custom.as_ref().and_then(|custom| custom.fields.get(name));
        let differing =
            self.fields.iter().filter(|(name, value)| holds(name).unwrap_or(&Value::Null) != *value);
        actions.extend(
            differing.map(|(name, value)| OrderAction::SetCustomField {
                name: name.clone(),
                value: value.clone(),
            }),
        );
        actions
    }
}
