//! Tells commercetools what parcels are on their way, and how they are followed (`ConsignmentStatusChanged` of Fluent's
//! Connect SDK).

use std::collections::BTreeMap;

use commercetools::{
    Delivery, DeliveryDraft, DeliveryItem, Order, OrderAction, Parcel, ParcelDraft, ShippingMode,
    TrackingData,
};
use connector::document::{Document, DocumentError};
use connector::handler::{Context, Handler, HandlerError};
use serde_json::Value;

use crate::into_commercetools::entity::{self, Asking};
use crate::into_commercetools::key::key_of;
use crate::into_commercetools::placed_order;
use crate::into_commercetools::reading::{field, has_more, nodes, required, text, whole};
use crate::into_commercetools::statuses::{KEYS, Plain, Settings};
use crate::problem::unmappable;
use crate::props;

/// Sees to it that the order has a delivery for the consignment, with a parcel for each of its articles, and the
/// consignment's tracking number on each; and sets states as `props.statuses` says of the consignment's status. A status
/// that is not in `props.statuses` is nothing to do; one with an entry `{}` makes the delivery alone.
///
/// A delivery is known by its key, the consignment's reference, and a parcel by the article's: what is there already is
/// not added again, and a tracking number that changed is set. What is in a parcel is told by the barcodes of the
/// article's items, which have to be SKUs of the order; `props.items: false` leaves it out.
///
/// In shipping mode Multiple `props.shippingKey` says which way the delivery goes, unless there is but one.
pub struct CommercetoolsConsignmentStatus;

/// Articles are asked for ten at a time: their items multiply what a query costs.
const QUERY: &str = "query ($id: ID!, $after: String) { consignmentById(id: $id) { ref status consignmentReference \
    trackingLabel carrier { ref name } consignmentArticles(first: 10, after: $after) { edges { cursor node { article { \
    ref items(first: 100) { edges { node { quantity barcode } } pageInfo { hasNextPage } } \
    fulfilments(first: 1) { edges { node { order { ref } } } } } } } pageInfo { hasNextPage } } } }";

/// Most pages of a consignment's articles: an invocation has time for no more.
const MOST_PAGES: usize = 20;

/// The props that this handler knows besides those of all statuses.
const OWN_KEYS: [&str; 2] = ["items", "shippingKey"];

/// What the props say.
struct Props {
    common: Settings,
    /// Whether commercetools is told what is in a parcel.
    with_items: bool,
    shipping_key: Option<String>,
}

/// The consignment and all its articles.
struct Consignment {
    value: Value,
    articles: Vec<Value>,
}

impl Handler for CommercetoolsConsignmentStatus {
    const NAME: &'static str = "commercetools-consignment-status";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let known = [&KEYS[..], &OWN_KEYS].concat();
        let props = props::read(context, &known, |props| Props::read(props, context))?;
        let event = entity::event_of(context, "CONSIGNMENT")?;
        let told = text(&event, "/entityStatus");
        if let Some(status) = &told
            && props.common.wanted(context, status).is_none()
        {
            return Ok(());
        }
        let consignment = consignment(context, &props.common.asking, &entity::id(&event)?).await?;
        let status = match told {
            Some(status) => status,
            None => required(&consignment.value, "/status", "the consignment")?,
        };
        let Some(wanted) = props.common.wanted(context, &status) else { return Ok(()) };
        let reference = placed_order::reference(&event).or_else(|| consignment.order());
        let reference =
            reference.ok_or_else(|| unmappable("neither the event nor the consignment names an order"))?;
        let change = |order: &Order| {
            let mut actions = delivered(order, consignment.draft(order, &props)?);
            actions.extend(wanted.actions(order));
            Ok(actions)
        };
        props.common.naming.change(context, &reference, change).await
    }
}

impl Props {
    fn read(props: &mut Document, context: &Context<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            common: Settings::read(props, context, Plain::ShipmentState)?,
            with_items: props.switch("items")?.unwrap_or(true),
            shipping_key: props.text("shippingKey")?,
        })
    }
}

/// All pages.
async fn consignment(context: &Context<'_>, asking: &Asking, id: &str) -> Result<Consignment, HandlerError> {
    let (mut articles, mut after) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let mut value = asking.fetched(context, QUERY, "consignmentById", id, after.as_deref()).await?;
        let page = value.get_mut("consignmentArticles").map(Value::take).unwrap_or_default();
        articles.extend(
            nodes(&page).map(|node| field(node, "article").clone()).filter(|article| !article.is_null()),
        );
        if !has_more(&page) {
            return Ok(Consignment { value, articles });
        }
        let edges = field(&page, "edges").as_array();
        after = edges.and_then(|edges| text(edges.last()?, "/cursor"));
        if after.is_none() {
            return Err(unmappable(format!("consignment {id} has more articles, and no cursor to them")));
        }
    }
    Err(unmappable(format!("consignment {id} has more than {} articles", MOST_PAGES * 10)))
}

impl Consignment {
    /// The reference of the order that the first of its articles is for.
    fn order(&self) -> Option<String> {
        let mut fulfilments = self.articles.iter().flat_map(|article| nodes(field(article, "fulfilments")));
        fulfilments.find_map(|fulfilment| text(fulfilment, "/order/ref"))
    }

    fn tracking(&self) -> Option<TrackingData> {
        let tracking_id =
            text(&self.value, "/trackingLabel").or_else(|| text(&self.value, "/consignmentReference"))?;
        let carrier = text(&self.value, "/carrier/name").or_else(|| text(&self.value, "/carrier/ref"));
        Some(TrackingData { tracking_id: Some(tracking_id), carrier, ..TrackingData::default() })
    }

    /// The delivery as it has to be, all parcels included.
    fn draft(&self, order: &Order, props: &Props) -> Result<DeliveryDraft, HandlerError> {
        let reference = required(&self.value, "/ref", "the consignment")?;
        let mut parcels = Vec::new();
        for article in &self.articles {
            let items = if props.with_items { items(article, order)? } else { Vec::new() };
            let key = key_of(&required(article, "/ref", "an article of the consignment")?)?;
            if !parcels.iter().any(|parcel: &ParcelDraft| parcel.key.as_deref() == Some(&key)) {
                parcels.push(ParcelDraft {
                    key: Some(key),
                    tracking_data: self.tracking(),
                    items,
                    measurements: None,
                });
            }
        }
        Ok(DeliveryDraft {
            delivery_key: Some(key_of(&reference)?),
            shipping_key: shipping(order, props.shipping_key.as_deref())?,
            items: summed(parcels.iter().flat_map(|parcel| &parcel.items)),
            parcels,
            address: None,
        })
    }
}

/// Which way it goes, where an order has several.
fn shipping(order: &Order, told: Option<&str>) -> Result<Option<String>, HandlerError> {
    match (order.shipping_mode, told, &order.shipping[..]) {
        (ShippingMode::Single | ShippingMode::Unknown, _, _) => Ok(None),
        (_, Some(key), _) => Ok(Some(key.to_owned())),
        (_, None, [only]) => Ok(Some(only.shipping_key.clone())),
        _ => Err(unmappable(format!(
            "order {} goes several ways, and props.shippingKey does not say which",
            order.id
        ))),
    }
}

/// What is in an article, as line items of the order. A query of the route's own may tell `orderItem.ref`, which then
/// goes before the barcode.
fn items(article: &Value, order: &Order) -> Result<Vec<DeliveryItem>, HandlerError> {
    if has_more(field(article, "items")) {
        return Err(unmappable("an article has more than 100 items: set props.items to false"));
    }
    let mut items = Vec::new();
    for item in nodes(field(article, "items")) {
        let sku = text(item, "/orderItem/ref").or_else(|| text(item, "/barcode"));
        let sku =
            sku.ok_or_else(|| unmappable("an article's item has no barcode: set props.items to false"))?;
        let line = order.line_items.iter().find(|line| line.variant.sku.as_deref() == Some(&sku));
        let line =
            line.ok_or_else(|| unmappable(format!("order {} has no line item of SKU {sku}", order.id)))?;
        items.push(DeliveryItem {
            id: line.id.clone(),
            quantity: whole(item, "/quantity", "an article's item")?,
        });
    }
    Ok(summed(&items))
}

/// One entry a line item.
fn summed<'i>(items: impl IntoIterator<Item = &'i DeliveryItem>) -> Vec<DeliveryItem> {
    let mut quantities = BTreeMap::<&str, i64>::new();
    for item in items {
        let sum = quantities.entry(&item.id).or_default();
        *sum = sum.saturating_add(item.quantity);
    }
    quantities.into_iter().map(|(id, quantity)| DeliveryItem { id: id.to_owned(), quantity }).collect()
}

/// What is left to do to have this delivery and all its parcels.
fn delivered(order: &Order, mut draft: DeliveryDraft) -> Vec<OrderAction> {
    let mut actions = Vec::new();
    let parcels = || order.deliveries().flat_map(|delivery| &delivery.parcels);
    draft.parcels.retain(|wanted| match parcels().find(|parcel| parcel.key == wanted.key) {
        None => true,
        Some(parcel) => {
            actions.extend(retracked(parcel, wanted));
            false
        }
    });
    match order.deliveries().find(|delivery| delivery.key == draft.delivery_key) {
        None => actions.push(OrderAction::AddDelivery(draft)),
        Some(Delivery { id, .. }) => {
            actions.extend(draft.parcels.into_iter().map(|parcel| OrderAction::AddParcelToDelivery {
                delivery_id: id.clone(),
                parcel_key: parcel.key,
                tracking_data: parcel.tracking_data,
                items: parcel.items,
            }));
        }
    }
    actions
}

/// The tracking that a parcel has to get, where it does not have it; what else is known of how it is followed stays.
fn retracked(parcel: &Parcel, wanted: &ParcelDraft) -> Option<OrderAction> {
    let (wanted, stands) = (wanted.tracking_data.clone()?, parcel.tracking_data.clone().unwrap_or_default());
    let carrier = wanted.carrier.or_else(|| stands.carrier.clone());
    let tracking_data = TrackingData { tracking_id: wanted.tracking_id, carrier, ..stands };
    let differs = parcel.tracking_data.as_ref() != Some(&tracking_data);
    differs.then(|| OrderAction::SetParcelTrackingData {
        parcel_id: parcel.id.clone(),
        tracking_data: Some(tracking_data),
    })
}
