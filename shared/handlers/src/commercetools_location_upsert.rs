//! Tells commercetools of a location: stock and orders name it as a channel (`LocationUpsert` of Fluent's Connect SDK).

use commercetools::{
    Address, Channel, ChannelAction, ChannelDraft, ChannelRole, Client, CommercetoolsContext as _, GeoPoint,
    LocalizedString,
};
use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use serde_json::Value;

use crate::mapped::{event, fetched, field, key_of, required, text, unmapped};

/// Creates or updates the channel whose key is the location's reference: its name in the language `props.locale` (`en`),
/// address, point on the earth, and the roles `props.roles` (`[InventorySupply]`).
///
/// What else the channel has stays: other languages, roles and parts of the address; and its address and point where the
/// location has none. Countries are two letters (ISO 3166-1); `props.countries` maps what else Fluent has to them.
pub struct CommercetoolsLocationUpsert;

const QUERY: &str = "query ($id: ID!) { locationById(id: $id) { ref name primaryAddress { companyName street city state \
    postcode region country latitude longitude } } }";
const DEFAULT_LOCALE: &str = "en";
/// How far two points may be apart, in degrees, to be one: below a centimetre.
const SAME_POINT: f64 = 1e-8;

/// A location as a channel has to be.
struct Location {
    key: String,
    locale: String,
    name: Option<String>,
    address: Option<Address>,
    point: Option<GeoPoint>,
    roles: Vec<ChannelRole>,
}

impl Handler for CommercetoolsLocationUpsert {
    const NAME: &'static str = "commercetools-location-upsert";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let location = Location::of(context).await?;
        let shop = context.commercetools_of_account()?;
        let channel = match shop.channel_by_key(&location.key).await? {
            Some(channel) => channel,
            None => match location.created(&shop).await? {
                Some(channel) => channel,
                None => return Ok(()),
            },
        };
        if location.actions(&channel).is_empty() {
            return Ok(());
        }
        let changed = shop.update(&channel.id, |channel: &Channel| location.actions(channel)).await?;
        changed.map(drop).ok_or_else(|| gone(&location.key))
    }
}

impl Location {
    async fn of(context: &Context<'_>) -> Result<Self, HandlerError> {
        let event = event(context)?;
        if text(&event, "/entityType").as_deref() != Some("LOCATION") {
            return Err(unmapped("the event is not of a LOCATION"));
        }
        let id = required(&event, "/entityId", "the event")?;
        let location = fetched(context, QUERY, "locationById", &id, None).await?;
        let key = key_of(&required(&location, "/ref", "the location")?)?;
        let place = field(&location, "primaryAddress");
        let address = if place.is_object() { Some(address(context, place)?) } else { None };
        let locale = match context.props().get("locale") {
            None => DEFAULT_LOCALE.to_owned(),
            Some(Value::String(locale)) if !locale.is_empty() => locale.clone(),
            Some(_) => return Err(unmapped("props.locale must be a language such as en: put it in quotes")),
        };
        let (name, point) = (text(&location, "/name"), point(place)?);
        Ok(Self { key, locale, name, address, point, roles: roles(context)? })
    }

    /// The channel that somebody else has created meanwhile; none where it is created now.
    async fn created(&self, shop: &Client<'_>) -> Result<Option<Channel>, HandlerError> {
        let draft = ChannelDraft {
            key: self.key.clone(),
            roles: self.roles.clone(),
            name: self.name.as_ref().map(|name| [(&*self.locale, &**name)].into_iter().collect()),
            description: None,
            address: self.address.clone(),
            geo_location: self.point,
        };
        if shop.create_channel(&draft).await?.is_some() {
            return Ok(None);
        }
        shop.channel_by_key(&self.key).await?.map(Some).ok_or_else(|| gone(&self.key))
    }

    /// What is left to do to this channel.
    fn actions(&self, channel: &Channel) -> Vec<ChannelAction> {
        let mut actions = Vec::new();
        if let Some(name) = &self.name {
            let stands = channel.name.clone().unwrap_or_default();
            let others = stands.texts().filter(|(locale, _)| *locale != self.locale);
            let wanted: LocalizedString = others.chain([(&*self.locale, &**name)]).collect();
            actions.extend((wanted != stands).then_some(ChannelAction::ChangeName { name: wanted }));
        }
        if let Some(wanted) = &self.address {
            let stands = channel.address.clone().unwrap_or_default();
            let wanted = over(wanted.clone(), stands);
            let differs = channel.address.as_ref() != Some(&wanted);
            actions.extend(differs.then(|| ChannelAction::SetAddress { address: Some(Box::new(wanted)) }));
        }
        if let Some(point) = self.point {
            let is_there = channel.geo_location.is_some_and(|stands| is_same(stands, point));
            let action = ChannelAction::SetGeoLocation { geo_location: Some(point) };
            actions.extend((!is_there).then_some(action));
        }
        let missing = self.roles.iter().filter(|role| !channel.roles.contains(role));
        let missing: Vec<_> = missing.copied().collect();
        actions.extend((!missing.is_empty()).then_some(ChannelAction::AddRoles { roles: missing }));
        actions
    }
}

fn is_same(one: GeoPoint, other: GeoPoint) -> bool {
    one.coordinates.iter().zip(other.coordinates).all(|(one, other)| (one - other).abs() < SAME_POINT)
}

/// The parts that Fluent knows, over an address that may have others.
fn over(wanted: Address, stands: Address) -> Address {
    Address {
        country: wanted.country,
        street_name: wanted.street_name,
        city: wanted.city,
        postal_code: wanted.postal_code,
        state: wanted.state,
        region: wanted.region,
        company: wanted.company,
        ..stands
    }
}

fn address(context: &Context<'_>, place: &Value) -> Result<Address, HandlerError> {
    let told = required(place, "/country", "the location's address")?;
    let mapped = context.props().get("countries").and_then(|countries| countries.get(&told)?.as_str());
    let country = mapped.unwrap_or(&told).trim().to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let reason =
            format!("country {told:?} is not of two letters (ISO 3166-1): map it in props.countries");
        return Err(unmapped(reason));
    }
    Ok(Address {
        country,
        street_name: text(place, "/street"),
        city: text(place, "/city"),
        postal_code: text(place, "/postcode"),
        state: text(place, "/state"),
        region: text(place, "/region"),
        company: text(place, "/companyName"),
        ..Address::default()
    })
}

/// None where the address has no coordinates.
fn point(place: &Value) -> Result<Option<GeoPoint>, HandlerError> {
    let (Some(longitude), Some(latitude)) = (text(place, "/longitude"), text(place, "/latitude")) else {
        return Ok(None);
    };
    match (longitude.trim().parse::<f64>(), latitude.trim().parse::<f64>()) {
        (Ok(longitude), Ok(latitude)) if longitude.abs() <= 180.0 && latitude.abs() <= 90.0 => {
            Ok(Some(GeoPoint { coordinates: [longitude, latitude] }))
        }
        _ => Err(unmapped("the location's longitude and latitude are no degrees on the earth")),
    }
}

fn roles(context: &Context<'_>) -> Result<Vec<ChannelRole>, HandlerError> {
    let told = match context.props().get("roles") {
        None | Some(Value::Null) => return Ok(vec![ChannelRole::InventorySupply]),
        Some(told) => told.clone(),
    };
    let roles: Vec<ChannelRole> = serde_json::from_value(told).unwrap_or_default();
    if roles.is_empty() || roles.contains(&ChannelRole::Unknown) {
        return Err(unmapped(
            "props.roles must be a list of InventorySupply, ProductDistribution, OrderExport, OrderImport and Primary",
        ));
    }
    Ok(roles)
}

fn gone(key: &str) -> HandlerError {
    let reason =
        format!("the channel of key {key} was made and taken away by others just now: replay the message");
    HandlerError::Misconfigured { code: Code::Conflict, reason }
}
