//! Puts a published product of commercetools into Fluent's product catalogue: a standard product, and a variant product for
//! each variant.

use std::collections::BTreeMap;

use commercetools::{CommercetoolsContext as _, Image, Money, Price, ProductProjection, Projection, Variant};
use connector::document::{Document, DocumentError};
use connector::handler::{Context, Handler, HandlerError};
use fluent::{Event, FluentContext as _};
use serde_json::{Value, json};

use crate::into_fluent::attributes::{self, Mapping, attribute};
use crate::into_fluent::catalogue::{KEYS, Settings, checked};
use crate::into_fluent::input::{cut, filled};
use crate::into_fluent::notification;
use crate::problem::unmappable;
use crate::props::{self, text_or};

/// Sends `UPSERT_PRODUCT` for the product as it is published now, then for each variant; one that is not published, or
/// gone, makes a note. Nothing is sent where any variant cannot be mapped. Fluent must know the categories first.
pub struct CommercetoolsProductUpsert;

/// The props that this handler knows besides those of the catalogue.
const OWN_KEYS: [&str; 4] = ["attributes", "gtin", "images", "prices"];
/// Attributes of the events.
const ATTRIBUTES: [&str; 12] = [
    "ref",
    "type",
    "status",
    "gtin",
    "name",
    "summary",
    "categoryRefs",
    "standardProductRef",
    "prices",
    "attributes",
    "commercetoolsId",
    "commercetoolsVersion",
];
/// Characters of a name.
const MOST_OF_NAME: usize = 255;
/// Characters of a GTIN, which Fluent demands.
const MOST_OF_GTIN: usize = 20;

/// What the props say.
struct Props {
    common: Settings,
    attributes: Vec<Mapping>,
    gtin: String,
    first_image: String,
    all_images: String,
    country: Option<String>,
    price_type: String,
    discounted_type: String,
}

/// A product that is being mapped, and what all its events say.
struct Mapped<'a> {
    props: &'a Props,
    product: &'a ProductProjection,
    reference: String,
    name: String,
    categories: Vec<String>,
}

impl Handler for CommercetoolsProductUpsert {
    const NAME: &'static str = "commercetools-product-upsert";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let shop = context.commercetools_of_sender()?;
        let known = [&KEYS[..], &OWN_KEYS].concat();
        let props = props::read(context, &known, |props| Props::read(props, shop.project().retailer()))?;
        let id = notification::resource_id(context, "product")?;
        let Some(product) = shop.product_projection(&id, Projection::Current).await? else {
            context.log(&format!("nothing is sent: product {id} is not published, or gone"));
            return Ok(());
        };
        let categories = props.common.category_references(&shop, &product.categories).await?;
        let events = Mapped::new(&props, &product, categories)?.events()?;
        let fluent = context.fluent()?;
        for event in &events {
            props.common.send(&fluent, event).await?;
        }
        Ok(())
    }
}

impl Props {
    fn read(props: &mut Document, retailer: &str) -> Result<Self, DocumentError> {
        let common = Settings::read(props, retailer, &ATTRIBUTES)?;
        let mut images = props.section("images", &["first", "all"])?;
        let mut prices = props.section("prices", &["type", "discountedType", "country"])?;
        let or = |section: &mut Option<Document>, key: &str, default: &str| {
            section.as_mut().map_or_else(|| Ok(default.to_owned()), |section| text_or(section, key, default))
        };
        Ok(Self {
            common,
            attributes: attributes::mappings(props)?.unwrap_or_default(),
            gtin: text_or(props, "gtin", "gtin")?,
            first_image: or(&mut images, "first", "imageUrlRef")?,
            all_images: or(&mut images, "all", "imageUrls")?,
            country: prices.as_mut().map_or(Ok(None), |prices| prices.text("country"))?,
            price_type: or(&mut prices, "type", "DEFAULT")?,
            discounted_type: or(&mut prices, "discountedType", "SPECIAL")?,
        })
    }
}

impl<'a> Mapped<'a> {
    fn new(
        props: &'a Props,
        product: &'a ProductProjection,
        categories: Vec<String>,
    ) -> Result<Self, HandlerError> {
        let reference = props.common.reference(&product.id, product.key.as_deref())?;
        let name = props.common.name(&format!("product {}", product.id), &product.name, MOST_OF_NAME)?;
        Ok(Self { props, product, reference, name, categories })
    }

    /// The standard product's, then one for each variant.
    fn events(&self) -> Result<Vec<Event>, HandlerError> {
        let mut events = vec![self.standard()?];
        for variant in self.product.all_variants() {
            events.push(self.variant(variant)?);
        }
        Ok(events)
    }

    fn standard(&self) -> Result<Event, HandlerError> {
        let master = &self.product.master_variant;
        let mut fields = self.common("STANDARD", &self.reference, master)?;
        let mut attributes = self.attributes(master)?;
        for variant in &self.product.variants {
            let others = self.attributes(variant)?;
            attributes.retain(|attribute| others.contains(attribute));
        }
        attributes.extend(self.images(&master.images));
        fields.push(("attributes", attributes.into()));
        Ok(self.props.common.event("UPSERT_PRODUCT", fields))
    }

    fn variant(&self, variant: &Variant) -> Result<Event, HandlerError> {
        let sku = checked(self.sku(variant)?, &self.product.id)?;
        if sku == self.reference {
            return Err(unmappable(format!(
                "product {}: variant {} has the product's key as its SKU, and a catalogue has one product of a reference: set props.reference to id",
                self.product.id, variant.id
            )));
        }
        let mut fields = self.common("VARIANT", &sku, variant)?;
        let mut attributes = self.attributes(variant)?;
        attributes.extend(self.images(&variant.images));
        fields.extend([
            ("standardProductRef", self.reference.as_str().into()),
            ("prices", self.prices(&variant.prices).into()),
            ("attributes", attributes.into()),
        ]);
        Ok(self.props.common.event("UPSERT_PRODUCT", fields))
    }

    /// What standard and variant products have.
    fn common(
        &self,
        kind: &str,
        reference: &str,
        variant: &Variant,
    ) -> Result<Vec<(&'static str, Value)>, HandlerError> {
        let settings = &self.props.common;
        let mut fields = vec![
            ("ref", reference.into()),
            ("type", kind.into()),
            ("status", settings.status.as_str().into()),
            ("gtin", self.gtin(variant)?.into()),
            ("name", self.name.as_str().into()),
            ("categoryRefs", self.categories.clone().into()),
            ("commercetoolsId", self.product.id.as_str().into()),
            ("commercetoolsVersion", self.product.version.into()),
        ];
        fields
            .extend(settings.summary(self.product.description.as_ref()).map(|text| ("summary", text.into())));
        Ok(fields)
    }

    fn sku<'v>(&self, variant: &'v Variant) -> Result<&'v str, HandlerError> {
        filled(variant.sku.as_deref()).ok_or_else(|| {
            unmappable(format!("product {}: variant {} has no SKU", self.product.id, variant.id))
        })
    }

    /// The attribute that the props name, else the SKU.
    fn gtin(&self, variant: &Variant) -> Result<String, HandlerError> {
        let text = match self.value(variant, &self.props.gtin) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Ok(cut(filled(Some(&text)).map_or_else(|| self.sku(variant), Ok)?, MOST_OF_GTIN))
    }

    /// The variant's attribute of this name, else the product's.
    fn value<'v>(&'v self, variant: &'v Variant, name: &str) -> Option<&'v Value> {
        let of_product = || self.product.attributes.iter().find(|attribute| attribute.name == name);
        variant.attribute(name).or_else(|| of_product().map(|attribute| &attribute.value))
    }

    fn attributes(&self, variant: &Variant) -> Result<Vec<Value>, HandlerError> {
        let mut attributes = vec![attribute("commercetoolsVersion", self.product.version)];
        for mapping in &self.props.attributes {
            let value = self.value(variant, &mapping.from);
            attributes.extend(mapping.apply(value, &self.props.common.languages())?);
        }
        Ok(attributes)
    }

    fn images(&self, images: &[Image]) -> Vec<Value> {
        let Some(first) = images.first() else { return Vec::new() };
        let all: Vec<_> = images.iter().map(|image| image.url.as_str()).collect();
        vec![attribute(&self.props.first_image, first.url.as_str()), attribute(&self.props.all_images, all)]
    }

    /// One price a currency, and its discounted one.
    fn prices(&self, prices: &[Price]) -> Vec<Value> {
        let mut best: BTreeMap<&str, (u8, &Price)> = BTreeMap::new();
        for price in prices {
            let Some(rank) = self.rank(price) else { continue };
            let chosen = best.entry(&price.value.currency_code).or_insert((rank, price));
            if rank < chosen.0 {
                *chosen = (rank, price);
            }
        }
        best.into_values().flat_map(|(_, price)| self.both(price)).collect()
    }

    /// Of the country that the props name, else of everywhere, else, where they name none, of any; none of a price that is
    /// not for every customer and channel at all times, for Fluent's prices cannot be told apart by these.
    fn rank(&self, price: &Price) -> Option<u8> {
        let timed = price.valid_from.is_some() || price.valid_until.is_some();
        if timed || price.channel.is_some() || price.customer_group.is_some() {
            return None;
        }
        match (&price.country, &self.props.country) {
            (Some(country), Some(wanted)) => country.eq_ignore_ascii_case(wanted).then_some(0),
            (None, _) => Some(1),
            (Some(_), None) => Some(2),
        }
    }

    fn both(&self, price: &Price) -> impl Iterator<Item = Value> {
        let told = |kind: &str, money: &Money| json!({"type": kind, "currency": money.currency_code, "value": money.amount().to_float()});
        let discounted = price.discounted.as_ref();
        let discounted = discounted.map(|price| told(&self.props.discounted_type, &price.value));
        [told(&self.props.price_type, &price.value)].into_iter().chain(discounted)
    }
}
