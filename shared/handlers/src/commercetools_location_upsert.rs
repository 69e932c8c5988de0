//! Tells commercetools of a location: stock and orders name it as a channel (`LocationUpsert` of Fluent's Connect SDK).

use commercetools::{
    Address, Channel, ChannelAction, ChannelDraft, ChannelRole, Client, CommercetoolsContext as _, GeoPoint,
    LocalizedString,
};
use connector::document::{Document, DocumentError};
use connector::failure::Code;
use connector::handler::{Context, Handler, HandlerError};
use serde_json::Value;

use crate::into_commercetools::entity::{self, Asking};
use crate::into_commercetools::key::key_of;
use crate::into_commercetools::reading::{field, required, text};
use crate::problem::unmappable;
use crate::props::{self, text_or};

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

const KEYS: [&str; 5] = [Asking::KEYS[0], Asking::KEYS[1], "locale", "roles", "countries"];
const ROLES: [(&str, ChannelRole); 5] = [
    ("InventorySupply", ChannelRole::InventorySupply),
    ("ProductDistribution", ChannelRole::ProductDistribution),
    ("OrderExport", ChannelRole::OrderExport),
    ("OrderImport", ChannelRole::OrderImport),
    ("Primary", ChannelRole::Primary),
];

/// What the props say.
struct Props {
    asking: Asking,
    locale: String,
    roles: Vec<ChannelRole>,
    /// What Fluent has for a country, and its two letters.
    countries: Vec<(String, String)>,
}

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

impl Props {
    fn read(props: &mut Document) -> Result<Self, DocumentError> {
        Ok(Self {
            asking: Asking::read(props)?,
            locale: text_or(props, "locale", DEFAULT_LOCALE)?,
            roles: roles(props)?,
            countries: props.text_by_name("countries")?,
        })
    }
}

fn roles(props: &mut Document) -> Result<Vec<ChannelRole>, DocumentError> {
    let Some(names) = props.texts("roles")? else { return Ok(vec![ChannelRole::InventorySupply]) };
    let role = |name: &String| ROLES.iter().find(|(known, _)| known == name).map(|(_, role)| *role);
    let roles: Option<Vec<_>> = names.iter().map(role).collect();
    roles.filter(|roles| !roles.is_empty()).ok_or_else(|| {
        let known = ROLES.map(|(name, _)| name).join(", ");
        props.unusable("roles", format!("must be a list of these: {known}"))
    })
}

impl Location {
    async fn of(context: &Context<'_>) -> Result<Self, HandlerError> {
        let props = props::read(context, &KEYS, Props::read)?;
        let id = entity::id(&entity::event_of(context, "LOCATION")?)?;
        let location = props.asking.fetched(context, QUERY, "locationById", &id, None).await?;
        let key = key_of(&required(&location, "/ref", "the location")?)?;
        let place = field(&location, "primaryAddress");
        let address = if place.is_object() { Some(address(&props, place)?) } else { None };
        let (name, point) = (text(&location, "/name"), point(place)?);
        Ok(Self { key, locale: props.locale, name, address, point, roles: props.roles })
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

fn address(props: &Props, place: &Value) -> Result<Address, HandlerError> {
    let told = required(place, "/country", "the location's address")?;
    let mapped = props.countries.iter().find(|(name, _)| *name == told);
    let country = mapped.map_or(&told, |(_, country)| country).trim().to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let reason =
            format!("country {told:?} is not of two letters (ISO 3166-1): map it in props.countries");
        return Err(unmappable(reason));
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
        _ => Err(unmappable("the location's longitude and latitude are no degrees on the earth")),
    }
}

fn gone(key: &str) -> HandlerError {
    let reason =
        format!("the channel of key {key} was made and taken away by others just now: replay the message");
    HandlerError::Misconfigured { code: Code::Conflict, reason }
}
