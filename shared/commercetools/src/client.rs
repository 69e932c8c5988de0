//! The calls that a handler makes.

use std::time::Duration;

use connector::call::Call;
use connector::delivery::Response;
use connector::endpoint_url::EndpointUrl;
use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use connector::project::Project;
use serde::Serialize;

use crate::answer;
use crate::catalog::{
    Category, Channel, ChannelDraft, Customer, InventoryEntry, InventoryEntryDraft, ProductProjection,
};
use crate::message::Message;
use crate::order::Order;
use crate::query::{Pages, Query, quoted};
use crate::resource::{Resource, Updatable};

/// Of one read: an invocation of the router has time for several.
pub const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Of one page of a query.
pub const PAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Of one write: extensions of the project may take part in it, 2 s each unless they are allowed more.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often an update is applied again to a resource that has changed meanwhile.
pub const MAX_REAPPLIED: u32 = 3;

/// Which form of a product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Projection {
    /// As customers see it.
    #[default]
    Current,
    /// As it is going to be published.
    Staged,
}

/// The API of one project, within the handling of one message.
pub struct Client<'a> {
    context: &'a Context<'a>,
    project: &'a Project,
}

/// A change in the request's form.
#[derive(Serialize)]
struct Update<'a, A> {
    version: i64,
    actions: &'a [A],
}

impl<'a> Client<'a> {
    pub(crate) fn new(context: &'a Context<'a>, project: &'a Project) -> Self {
        Self { context, project }
    }

    /// The project: its key, and its account and retailer in Fluent.
    #[must_use]
    pub fn project(&self) -> &'a Project {
        self.project
    }
}

/// Reads; a resource that does not exist is `None`.
impl Client<'_> {
    /// The order with this id.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn order(&self, id: &str) -> Result<Option<Order>, HandlerError> {
        self.read(id).await
    }

    /// The order with this order number.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn order_by_number(&self, number: &str) -> Result<Option<Order>, HandlerError> {
        self.read_named("order-number", number).await
    }

    /// The customer with this id.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn customer(&self, id: &str) -> Result<Option<Customer>, HandlerError> {
        self.read(id).await
    }

    /// The category with this id.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn category(&self, id: &str) -> Result<Option<Category>, HandlerError> {
        self.read(id).await
    }

    /// The product with this id. One that is not published has no current projection: `None`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn product_projection(
        &self,
        id: &str,
        projection: Projection,
    ) -> Result<Option<ProductProjection>, HandlerError> {
        let staged = if projection == Projection::Staged { "true" } else { "false" };
        self.read_at(&[ProductProjection::PATH, id], &[("staged", staged)]).await
    }

    /// The inventory entry with this id.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn inventory_entry(&self, id: &str) -> Result<Option<InventoryEntry>, HandlerError> {
        self.read(id).await
    }

    /// The stock of a variant in the channel with this id, or the stock without a channel.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn inventory_entry_of(
        &self,
        sku: &str,
        channel_id: Option<&str>,
    ) -> Result<Option<InventoryEntry>, HandlerError> {
        let place = match channel_id {
            Some(id) => format!("supplyChannel(id = {})", quoted(id)),
            None => "supplyChannel is not defined".to_owned(),
        };
        let query = Query::filtered(format!("sku = {} and {place}", quoted(sku))).limit(1);
        let page = self.pages(query).next().await?;
        Ok(page.and_then(|entries| entries.into_iter().next()))
    }

    /// The channel with this key.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn channel_by_key(&self, key: &str) -> Result<Option<Channel>, HandlerError> {
        self.read_named("key", key).await
    }

    /// The stored message with this id.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn message(&self, id: &str) -> Result<Option<Message>, HandlerError> {
        self.read(id).await
    }

    /// The resource with this id.
    ///
    /// # Errors
    /// [`HandlerError::Delivery`], with `E_ANSWER` where the answer is none; [`HandlerError::Deadline`] where the call could
    /// not end in time.
    pub async fn read<T: Resource>(&self, id: &str) -> Result<Option<T>, HandlerError> {
        self.read_at(&[T::PATH, id], &[]).await
    }

    /// All resources of a query, page by page: for jobs.
    #[must_use]
    pub fn pages<T: Resource>(&self, query: Query) -> Pages<'_, T> {
        Pages::new(self, query)
    }

    async fn read_named<T: Resource>(&self, name: &str, value: &str) -> Result<Option<T>, HandlerError> {
        match value {
            "" => Ok(None),
            value => self.read_at(&[T::PATH, &format!("{name}={value}")], &[]).await,
        }
    }

    async fn read_at<T: Resource>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, HandlerError> {
        let Some(url) = self.project.url(path, query) else { return Ok(None) };
        let call = Call::get(self.project.grant(), url, READ_TIMEOUT, answer::judge::<T>);
        let response = self.ask(&call.weighing(answer::missing_is_an_answer)).await?;
        if response.status == 404 { Ok(None) } else { answer::of_judged(&response).map(Some) }
    }
}

/// Writes.
impl Client<'_> {
    /// Changes the resource with this id: reads it, lets `change` say what to do, and does it. Where somebody else was
    /// faster, all of that again, at most [`MAX_REAPPLIED`] times. Where there is nothing to do nothing is sent.
    ///
    /// An answer may be lost, and the message then comes again: let `change` look whether its work is done already. The
    /// resource as it then is, `None` where it does not exist.
    ///
    /// # Errors
    /// As [`read`](Self::read); `E_CONFLICT` where somebody else was faster each time.
    pub async fn update<T: Updatable>(
        &self,
        id: &str,
        mut change: impl FnMut(&T) -> Vec<T::Action> + Send,
    ) -> Result<Option<T>, HandlerError> {
        let mut left = MAX_REAPPLIED;
        loop {
            let Some(resource) = self.read::<T>(id).await? else { return Ok(None) };
            let actions = change(&resource);
            if actions.is_empty() {
                return Ok(Some(resource));
            }
            let response = self.updated(&resource, &actions, left == 0).await?;
            match response.status {
                404 => return Ok(None),
                409 => left = left.saturating_sub(1),
                _ => return answer::of_judged(&response).map(Some),
            }
        }
    }

    /// Creates stock; `None` where the variant has stock in this channel already, or the key is taken.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn create_inventory_entry(
        &self,
        draft: &InventoryEntryDraft,
    ) -> Result<Option<InventoryEntry>, HandlerError> {
        self.created(draft).await
    }

    /// Creates a channel; `None` where its key is taken.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn create_channel(&self, draft: &ChannelDraft) -> Result<Option<Channel>, HandlerError> {
        self.created(draft).await
    }

    async fn updated<T: Updatable>(
        &self,
        resource: &T,
        actions: &[T::Action],
        is_last: bool,
    ) -> Result<Response, HandlerError> {
        let url = self.url(&[T::PATH, resource.id()], &[])?;
        let call = self.post::<T>(url, &Update { version: resource.version(), actions })?;
        let other = if is_last { answer::conflict_is_a_failure } else { answer::conflict_is_an_answer };
        self.ask(&call.weighing(other)).await
    }

    async fn created<T: Resource>(&self, draft: &impl Serialize) -> Result<Option<T>, HandlerError> {
        let call = self.post::<T>(self.url(&[T::PATH], &[])?, draft)?;
        let response = self.ask(&call.weighing(answer::duplicate_is_an_answer)).await?;
        if response.status == 400 { Ok(None) } else { answer::of_judged(&response).map(Some) }
    }

    fn post<T: Resource>(&self, url: EndpointUrl, body: &impl Serialize) -> Result<Call<'_>, HandlerError> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| unsendable(format!("{} cannot be written: {error}", T::PATH)))?;
        Ok(Call::post(self.project.grant(), url, body, WRITE_TIMEOUT, answer::judge::<T>))
    }
}

impl Client<'_> {
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<Response, HandlerError> {
        self.context.call(call).await
    }

    pub(crate) fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<EndpointUrl, HandlerError> {
        self.project.url(path, query).ok_or_else(|| unsendable("a part of the path names nothing".to_owned()))
    }
}

fn unsendable(reason: String) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Request, reason }
}
