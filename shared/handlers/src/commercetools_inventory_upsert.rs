//! Tells commercetools what stock there is of a product in a place (`InventoryUpsert` of Fluent's Connect SDK).

use commercetools::{
    Client, CommercetoolsContext as _, InventoryAction, InventoryEntry, InventoryEntryDraft,
    ResourceIdentifier,
};
use connector::document::{Document, DocumentError};
use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use serde_json::Value;

use crate::into_commercetools::entity::{self, Asking};
use crate::into_commercetools::key::key_of;
use crate::into_commercetools::reading::{required, text, whole};
use crate::problem::unmappable;
use crate::props;

/// Makes the stock of a SKU in a supply channel what the position in Fluent says: the product's reference is the SKU, and
/// the channel's key the reference of the group of a virtual position, or of the location of an inventory position.
/// `props.channel` names one channel for all, and `null` stock without a channel.
///
/// The position is asked of Fluent each time, so that an old event does no harm, and the quantity is absolute. One below
/// zero counts as zero: there is nothing to sell. The channel has to exist: `commercetools-location-upsert` makes it.
pub struct CommercetoolsInventoryUpsert;

const VIRTUAL: &str =
    "query ($id: ID!) { virtualPositionById(id: $id) { ref productRef groupRef quantity } }";
const PHYSICAL: &str =
    "query ($id: ID!) { inventoryPositionById(id: $id) { ref productRef locationRef onHand } }";

const KEYS: [&str; 3] = [Asking::KEYS[0], Asking::KEYS[1], CHANNEL];
const CHANNEL: &str = "channel";

/// What the props say.
struct Props {
    asking: Asking,
    channel: SupplyChannel,
}

/// In which channel of commercetools the stock is.
enum SupplyChannel {
    /// That of the position's place.
    OfPlace,
    /// That of this key.
    Of(String),
    /// In none.
    None,
}

/// How much of what is where.
struct Stock {
    sku: String,
    /// Reference of the place in Fluent.
    place: Option<String>,
    quantity: i64,
}

impl Handler for CommercetoolsInventoryUpsert {
    const NAME: &'static str = "commercetools-inventory-upsert";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let props = props::read(context, &KEYS, |props| Props::read(props, context))?;
        let stock = stock(context, &props.asking).await?;
        let shop = context.commercetools_of_account()?;
        let channel = match channel_key(props.channel, &stock)? {
            Some(key) => Some(channel(&shop, &key).await?),
            None => None,
        };
        let entry = match shop.inventory_entry_of(&stock.sku, channel.as_deref()).await? {
            Some(entry) => entry,
            None => match created(&shop, &stock, channel.as_deref()).await? {
                Some(entry) => entry,
                None => return Ok(()),
            },
        };
        if entry.quantity_on_stock == stock.quantity {
            return Ok(());
        }
        let quantity = stock.quantity;
        let change = |entry: &InventoryEntry| {
            let differs = entry.quantity_on_stock != quantity;
            Vec::from_iter(differs.then_some(InventoryAction::ChangeQuantity { quantity }))
        };
        let changed = shop.update(&entry.id, change).await?;
        changed.map(drop).ok_or_else(|| gone(&stock.sku))
    }
}

impl Props {
    fn read(props: &mut Document, context: &Context<'_>) -> Result<Self, DocumentError> {
        let is_none = context.props().get(CHANNEL) == Some(&Value::Null);
        let presumed = if is_none { SupplyChannel::None } else { SupplyChannel::OfPlace };
        let told = props.text(CHANNEL)?;
        Ok(Self { asking: Asking::read(props)?, channel: told.map_or(presumed, SupplyChannel::Of) })
    }
}

async fn stock(context: &Context<'_>, asking: &Asking) -> Result<Stock, HandlerError> {
    let event = entity::event(context)?;
    let kind = text(&event, "/entityType").unwrap_or_default();
    let (query, field, place, quantity) = match kind.as_str() {
        "VIRTUAL_POSITION" => (VIRTUAL, "virtualPositionById", "/groupRef", "/quantity"),
        "INVENTORY_POSITION" => (PHYSICAL, "inventoryPositionById", "/locationRef", "/onHand"),
        _ => return Err(unmappable("the event is not of a VIRTUAL_POSITION or INVENTORY_POSITION")),
    };
    let id = entity::id(&event)?;
    let position = asking.fetched(context, query, field, &id, None).await?;
    Ok(Stock {
        sku: required(&position, "/productRef", "the position")?,
        place: text(&position, place),
        quantity: whole(&position, quantity, "the position")?.max(0),
    })
}

/// None for stock without a channel.
fn channel_key(channel: SupplyChannel, stock: &Stock) -> Result<Option<String>, HandlerError> {
    match (channel, &stock.place) {
        (SupplyChannel::None, _) => Ok(None),
        (SupplyChannel::Of(key), _) => Ok(Some(key)),
        (SupplyChannel::OfPlace, Some(place)) => key_of(place).map(Some),
        (SupplyChannel::OfPlace, None) => {
            Err(unmappable("the position names no place, and props.channel none for it"))
        }
    }
}

async fn channel(shop: &Client<'_>, key: &str) -> Result<String, HandlerError> {
    let channel = shop.channel_by_key(key).await?;
    let project = shop.project().key();
    channel
        .map(|channel| channel.id)
        .ok_or_else(|| unmappable(format!("project {project} has no channel of key {key}")))
}

/// The entry that somebody else has created meanwhile; none where it is created now.
async fn created(
    shop: &Client<'_>,
    stock: &Stock,
    channel: Option<&str>,
) -> Result<Option<InventoryEntry>, HandlerError> {
    let draft = InventoryEntryDraft {
        sku: stock.sku.clone(),
        key: None,
        supply_channel: channel.map(ResourceIdentifier::channel),
        quantity_on_stock: stock.quantity,
    };
    if shop.create_inventory_entry(&draft).await?.is_some() {
        return Ok(None);
    }
    let entry = shop.inventory_entry_of(&stock.sku, channel).await?;
    entry.map(Some).ok_or_else(|| gone(&stock.sku))
}

fn gone(sku: &str) -> HandlerError {
    let reason =
        format!("the stock of SKU {sku} was made and taken away by others just now: replay the message");
    HandlerError::Misconfigured { code: Code::Conflict, reason }
}
