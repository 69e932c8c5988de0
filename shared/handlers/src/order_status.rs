//! Many-to-one maps from Fluent's statuses to what commercetools knows of an order: four kinds of state, and custom fields.

use std::collections::BTreeMap;

use commercetools::{Order, OrderAction, OrderState, PaymentState, ResourceIdentifier, ShipmentState};
use connector::handler::{Context, HandlerError};
use serde_json::Value;

use crate::mapped::unmapped;

/// What a status asks of an order; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    order: Option<OrderState>,
    shipment: Option<ShipmentState>,
    payment: Option<PaymentState>,
    /// Id of a state of the project's own workflow: an order tells nothing else of it.
    state: Option<String>,
    fields: BTreeMap<String, Value>,
}

/// The key that an entry sets which is a text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    OrderState,
    ShipmentState,
}

impl Wanted {
    /// What `props.statuses` says of this status; none where it says nothing.
    pub(crate) fn of(
        context: &Context<'_>,
        status: &str,
        plain: Plain,
    ) -> Result<Option<Self>, HandlerError> {
        let Some(Value::Object(statuses)) = context.props().get("statuses") else {
            return Err(unmapped("props.statuses is missing or no map: it says what each status becomes"));
        };
        let entry = match (statuses.get(status), plain) {
            (None | Some(Value::Null), _) => return Ok(None),
            (Some(Value::Object(entry)), _) => entry.clone(),
            (Some(text), Plain::OrderState) => {
                [("orderState".to_owned(), text.clone())].into_iter().collect()
            }
            (Some(text), Plain::ShipmentState) => {
                [("shipmentState".to_owned(), text.clone())].into_iter().collect()
            }
        };
        let mut wanted = Self::default();
        for (key, value) in &entry {
            wanted
                .set(key, value)
                .map_err(|problem| unmapped(format!("props.statuses.{status}: {key:?} {problem}")))?;
        }
        Ok(Some(wanted))
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), &'static str> {
        match key {
            "orderState" => self.order = Some(order_state(value)?),
            "shipmentState" => self.shipment = Some(shipment_state(value)?),
            "paymentState" => self.payment = Some(payment_state(value)?),
            "state" => {
                let id = value.as_str().filter(|id| !id.is_empty());
                self.state = Some(id.ok_or("must be the id of a state")?.to_owned());
            }
            "fields" => {
                let fields = value.as_object().ok_or("must be a map of custom fields")?;
                self.fields = fields.clone().into_iter().collect();
            }
            _ => {
                return Err(
                    "is unknown: there are orderState, shipmentState, paymentState, state and fields",
                );
            }
        }
        Ok(())
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

fn order_state(value: &Value) -> Result<OrderState, &'static str> {
    match serde_json::from_value(value.clone()) {
        Ok(state) if state != OrderState::Unknown => Ok(state),
        _ => Err("must be Open, Confirmed, Complete or Cancelled"),
    }
}

fn shipment_state(value: &Value) -> Result<ShipmentState, &'static str> {
    match serde_json::from_value(value.clone()) {
        Ok(state) if state != ShipmentState::Unknown => Ok(state),
        _ => Err("must be Pending, Ready, Shipped, Delivered, Delayed, Partial, Backorder or Canceled"),
    }
}

fn payment_state(value: &Value) -> Result<PaymentState, &'static str> {
    match serde_json::from_value(value.clone()) {
        Ok(state) if state != PaymentState::Unknown => Ok(state),
        _ => Err("must be BalanceDue, Failed, Pending, CreditOwed or Paid"),
    }
}
