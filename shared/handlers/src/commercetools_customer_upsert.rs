//! Makes a customer of commercetools one of Fluent, or changes the one that there is.

use commercetools::{Address, CommercetoolsContext as _, Customer};
use connector::document::{Document, DocumentError};
use connector::handler::{Context, Handler, HandlerError};
use fluent::FluentContext as _;
use serde_json::{Map, Value, json};

use crate::into_fluent::attributes::{self, Mapping};
use crate::into_fluent::input::{cut, filled, text};
use crate::into_fluent::{address, notification};
use crate::problem::unmappable;
use crate::props::{self, text_or};

/// Asks Fluent for the customer whose username is the e-mail in lower case, creates one where there is none, changes what
/// differs, and sends nothing where nothing does. A customer that is gone in commercetools makes a note.
///
/// What commercetools does not say stays as it is in Fluent. An e-mail that changes makes another customer there, for
/// Fluent's usernames cannot be changed.
pub struct CommercetoolsCustomerUpsert;

const KEYS: [&str; 5] = ["timezone", "promotionOptIn", "promotionOptInField", "title", "attributes"];
const FIND: &str = "query($ref: String!) { customer(ref: $ref) { id ref title country firstName lastName primaryEmail primaryPhone promotionOptIn attributes { name type value } } }";
const CREATE: &str = "mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { id ref } }";
const UPDATE: &str = "mutation($input: UpdateCustomerInput!) { updateCustomer(input: $input) { id ref } }";

/// What attributes may be made of, besides custom fields.
const FIELDS: [&str; 11] = [
    "id",
    "key",
    "customerNumber",
    "externalId",
    "middleName",
    "salutation",
    "companyName",
    "dateOfBirth",
    "locale",
    "defaultShippingAddress",
    "defaultBillingAddress",
];

/// Of new customers; commercetools knows none.
pub(crate) const DEFAULT_TIMEZONE: &str = "UTC";
/// Characters of a name or title (Fluent's `CreateCustomerInput`), which are cut.
const MOST_OF_NAME: usize = 50;
/// Characters of a username or e-mail.
const MOST_OF_EMAIL: usize = 250;
/// Characters of a telephone number; a longer one is left out, for a part of it is another number.
const MOST_OF_PHONE: usize = 20;

/// What the props say.
struct Props {
    timezone: String,
    promotion_opt_in: bool,
    promotion_opt_in_field: Option<String>,
    titles: Vec<String>,
    attributes: Vec<Mapping>,
}

/// A customer as Fluent has one.
#[derive(Debug)]
struct Mapped {
    username: String,
    /// What commercetools says.
    said: Map<String, Value>,
    /// What Fluent demands and commercetools does not say: of new customers alone.
    presumed: Map<String, Value>,
    attributes: Vec<Value>,
}

impl Handler for CommercetoolsCustomerUpsert {
    const NAME: &'static str = "commercetools-customer-upsert";

    async fn handle(context: &Context<'_>) -> Result<(), HandlerError> {
        let shop = context.commercetools_of_sender()?;
        let props = props::read(context, &KEYS, Props::read)?;
        let id = notification::resource_id(context, "customer")?;
        let Some(customer) = shop.customer(&id).await? else {
            context.log(&format!("nothing is sent: customer {id} is gone"));
            return Ok(());
        };
        let mapped = props.map(&customer)?;
        let fluent = context.fluent()?;
        let found = fluent.graphql(FIND, &json!({"ref": mapped.username})).await?;
        let (query, input) = match found.get("customer") {
            None | Some(Value::Null) => (CREATE, Some(mapped.creation(shop.project().retailer()))),
            Some(known) => (UPDATE, mapped.change(known)),
        };
        let Some(input) = input else { return Ok(()) };
        fluent.graphql(query, &json!({"input": input})).await.map(drop)
    }
}

/// Under which Fluent knows a customer: the e-mail in lower case.
pub(crate) fn username(email: &str) -> String {
    email.to_lowercase()
}

impl Props {
    fn read(props: &mut Document) -> Result<Self, DocumentError> {
        let titles = props.text_or_texts("title")?;
        let sources = ["title", "salutation"];
        if titles.iter().flatten().any(|title| !sources.contains(&title.as_str())) {
            return Err(props.unusable("title", "must be a list of title and salutation, or one of them"));
        }
        let attributes = attributes::mappings(props)?;
        let is_known = |from: &str| FIELDS.contains(&from) || from.starts_with("custom.");
        if let Some(mapping) = attributes.iter().flatten().find(|mapping| !is_known(&mapping.from)) {
            let fields = FIELDS.join(", ");
            let problem = format!("name the field {:?}; there are {fields} and custom.<field>", mapping.from);
            return Err(props.unusable("attributes", problem));
        }
        Ok(Self {
            timezone: text_or(props, "timezone", DEFAULT_TIMEZONE)?,
            promotion_opt_in: props.switch("promotionOptIn")?.unwrap_or_default(),
            promotion_opt_in_field: props.text("promotionOptInField")?,
            titles: titles.unwrap_or_else(|| sources.map(str::to_owned).to_vec()),
            attributes: attributes.unwrap_or_else(|| {
                let ours = [("id", "commercetoolsId"), ("customerNumber", "customerNumber")];
                ours.map(|(from, name)| Mapping::text(from, name)).to_vec()
            }),
        })
    }

    fn map(&self, customer: &Customer) -> Result<Mapped, HandlerError> {
        let missing = |what: &str| unmappable(format!("customer {} {what}", customer.id));
        let email = filled(Some(&customer.email)).ok_or_else(|| missing("has no e-mail"))?;
        let username = username(email);
        if username.chars().count() > MOST_OF_EMAIL || email.chars().count() > MOST_OF_EMAIL {
            return Err(missing(&format!("has an e-mail of more than {MOST_OF_EMAIL} characters")));
        }
        let (first, last) = names(customer);
        let title = self.titles.iter().find_map(|source| match source.as_str() {
            "title" => filled(customer.title.as_deref()),
            _ => filled(customer.salutation.as_deref()),
        });
        let opted = self.promotion_opt_in_field.as_deref();
        let opted = opted.and_then(|name| customer.custom.as_ref()?.fields.get(name)?.as_bool());
        let text = |text: &str| Value::from(cut(text, MOST_OF_NAME));
        let said = [
            ("title", title.map(text)),
            ("country", country(customer).map(Value::from)),
            ("firstName", first.map(text)),
            ("lastName", last.map(text)),
            ("primaryEmail", Some(email.into())),
            ("primaryPhone", phone(customer).map(Value::from)),
            ("promotionOptIn", opted.map(Value::from)),
        ];
        let presumed = [
            ("firstName", text(called(customer, email))),
            ("timezone", self.timezone.as_str().into()),
            ("promotionOptIn", self.promotion_opt_in.into()),
        ];
        Ok(Mapped {
            username,
            said: said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect(),
            presumed: presumed.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            attributes: self.attributes(customer)?,
        })
    }

    fn attributes(&self, customer: &Customer) -> Result<Vec<Value>, HandlerError> {
        let mut attributes = Vec::new();
        for mapping in &self.attributes {
            attributes.extend(mapping.apply(field(customer, &mapping.from).as_ref(), &[])?);
        }
        Ok(attributes)
    }
}

impl Mapped {
    /// The input of `createCustomer`.
    fn creation(&self, retailer: &str) -> Value {
        let mut input = self.presumed.clone();
        input.extend(self.said.clone());
        input.insert("username".to_owned(), self.username.as_str().into());
        input.insert("retailer".to_owned(), json!({"id": retailer}));
        if !self.attributes.is_empty() {
            input.insert("attributes".to_owned(), self.attributes.clone().into());
        }
        input.into()
    }

    /// The input of `updateCustomer`: what differs, if anything does. Attributes that it does not name stay.
    fn change(&self, known: &Value) -> Option<Value> {
        let differs = |(key, value): &(&String, &Value)| known.get(*key) != Some(*value);
        let changed = self.said.iter().filter(differs);
        let mut input: Map<_, _> = changed.map(|(key, value)| (key.clone(), value.clone())).collect();
        let has = |attribute: &Value, key: &str, other: &Value| attribute.get(key) == other.get(key);
        let is_known = |attribute: &&Value| {
            let mut attributes = known.get("attributes").and_then(Value::as_array).into_iter().flatten();
            attributes.any(|other| has(attribute, "name", other) && has(attribute, "value", other))
        };
        let attributes: Vec<_> =
            self.attributes.iter().filter(|attribute| !is_known(attribute)).cloned().collect();
        if !attributes.is_empty() {
            input.insert("attributes".to_owned(), attributes.into());
        }
        if input.is_empty() {
            return None;
        }
        input.insert("username".to_owned(), self.username.as_str().into());
        Some(input.into())
    }
}

/// A customer's addresses, those for orders and for bills first.
fn addresses(customer: &Customer) -> impl Iterator<Item = &Address> {
    let first = [customer.default_shipping_address(), customer.default_billing_address()];
    first.into_iter().flatten().chain(&customer.addresses)
}

/// First and last name: the customer's own, else those of the first address that has a first name.
fn names(customer: &Customer) -> (Option<&str>, Option<&str>) {
    let last = filled(customer.last_name.as_deref());
    if let Some(first) = filled(customer.first_name.as_deref()) {
        return (Some(first), last);
    }
    let named = addresses(customer).find_map(|address| {
        Some((filled(address.first_name.as_deref())?, filled(address.last_name.as_deref())))
    });
    named.map_or((None, last), |(first, of_address)| (Some(first), last.or(of_address)))
}

/// What somebody without a first name is called: by the company, else what stands before the e-mail's `@`.
fn called<'a>(customer: &'a Customer, email: &'a str) -> &'a str {
    let company = filled(customer.company_name.as_deref());
    company.or_else(|| filled(email.split('@').next())).unwrap_or(email)
}

fn country(customer: &Customer) -> Option<&str> {
    addresses(customer).find_map(|address| filled(Some(&address.country)))
}

fn phone(customer: &Customer) -> Option<&str> {
    let numbers = addresses(customer).flat_map(|address| [&address.phone, &address.mobile]);
    let mut numbers = numbers.filter_map(|number| filled(number.as_deref()));
    numbers.find(|number| number.chars().count() <= MOST_OF_PHONE)
}

/// What the customer has in a field: one of [`FIELDS`], or a custom one.
fn field(customer: &Customer, name: &str) -> Option<Value> {
    let text = |text: &Option<String>| text.clone().map(Value::from);
    match name {
        "id" => Some(customer.id.as_str().into()),
        "key" => text(&customer.key),
        "customerNumber" => text(&customer.customer_number),
        "externalId" => text(&customer.external_id),
        "middleName" => text(&customer.middle_name),
        "salutation" => text(&customer.salutation),
        "companyName" => text(&customer.company_name),
        "dateOfBirth" => text(&customer.date_of_birth),
        "locale" => text(&customer.locale),
        "defaultShippingAddress" => customer.default_shipping_address().map(address),
        "defaultBillingAddress" => customer.default_billing_address().map(address),
        _ => customer.custom.as_ref()?.fields.get(name.strip_prefix("custom.")?).cloned(),
    }
}

/// An address as Fluent has one, under its id here.
fn address(address: &Address) -> Value {
    address::fields(address, text(address.id.as_ref())).into()
}

#[cfg(test)]
mod tests {
    use commercetools::{Address, Customer};
    use connector::document::Document;
    use connector::failure::Code;
    use connector::handler::HandlerError;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{KEYS, Props, address};

    fn text() -> impl Strategy<Value = Option<String>> {
        prop::option::of("[ \u{a0}\t]{0,2}\\PC{0,60}[ ]?")
    }

    fn any_address() -> impl Strategy<Value = Address> {
        let texts = (text(), text(), text(), text(), text(), text());
        (texts, prop::option::of(0..3_u8), "[A-Z]{0,2}").prop_map(|(texts, id, country)| {
            let (first_name, last_name, street_name, street_number, phone, mobile) = texts;
            let id = id.map(|id| id.to_string());
            Address {
                id,
                country,
                first_name,
                last_name,
                street_name,
                street_number,
                phone,
                mobile,
                ..Address::default()
            }
        })
    }

    fn any_customer() -> impl Strategy<Value = Customer> {
        let texts = (text(), text(), text(), text());
        (texts, prop::collection::vec(any_address(), 0..4), "[ ]?\\PC{0,260}").prop_map(
            |((first, last, company, title), addresses, email)| {
                let customer = json!({
                    "id": "x", "version": 1, "email": email, "firstName": first, "lastName": last,
                    "companyName": company, "title": title, "addresses": addresses,
                    "defaultShippingAddressId": "1", "defaultBillingAddressId": "2",
                });
                serde_json::from_value(customer).unwrap()
            },
        )
    }

    fn props() -> Props {
        Props::read(&mut Document::of_value(json!({}), &KEYS).unwrap()).unwrap()
    }

    /// All texts in it, at any depth.
    fn texts(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().flat_map(texts).collect(),
            Value::Object(fields) => fields.values().flat_map(texts).collect(),
            _ => Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn any_customer_has_all_that_fluent_demands_or_is_refused_by_its_email(customer in any_customer()) {
            let mapped = match props().map(&customer) {
                Ok(mapped) => mapped.creation("1"),
                Err(error) => {
                    let refused = matches!(error, HandlerError::Misconfigured { code: Code::Mapping, .. });
                    prop_assert!(refused, "{:?}", error);
                    let email = customer.email.trim();
                    prop_assert!(email.is_empty() || email.to_lowercase().chars().count() > 250 || email.chars().count() > 250);
                    return Ok(());
                }
            };
            for key in ["username", "firstName", "primaryEmail", "timezone", "promotionOptIn", "retailer"] {
                prop_assert!(mapped.get(key).is_some(), "{}", key);
            }
            prop_assert!(texts(&mapped).iter().all(|text| !text.trim().is_empty()), "{}", mapped);
            for (key, most) in [("firstName", 50), ("lastName", 50), ("title", 50), ("primaryPhone", 20)] {
                let text = mapped.get(key).and_then(Value::as_str).unwrap_or_default();
                prop_assert!(text.chars().count() <= most);
            }
        }

        #[test]
        fn a_customer_as_it_was_pushed_needs_no_change(customer in any_customer()) {
            if let Ok(mapped) = props().map(&customer) {
                prop_assert_eq!(mapped.change(&mapped.creation("1")), None);
            }
        }

        #[test]
        fn an_address_holds_no_empty_text(of in any_address()) {
            let mapped = address(&of);
            prop_assert!(texts(&mapped).iter().all(|text| !text.trim().is_empty()), "{}", mapped);
        }
    }
}
