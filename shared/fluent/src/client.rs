//! The calls that a handler makes.

use std::time::Duration;

use connector::account::Account;
use connector::call::Call;
use connector::delivery::{Response, Unusable};
use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::event::{self, Event, EventAnswer};
use crate::graphql;
use crate::search::{self, EventPage, EventSearch};

/// Of one query or mutation, or of one page of a search.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Of one event: what Fluent recommends for asynchronous ones, and the longest that fits an invocation of the router.
pub const EVENT_TIMEOUT: Duration = Duration::from_secs(15);

/// The API of one account, within the handling of one message.
pub struct Client<'a> {
    context: &'a Context<'a>,
    account: &'a Account,
}

impl<'a> Client<'a> {
    pub(crate) fn new(context: &'a Context<'a>, account: &'a Account) -> Self {
        Self { context, account }
    }

    /// The id of the account's retailer.
    #[must_use]
    pub fn retailer(&self) -> &'a str {
        self.account.retailer()
    }

    /// The `data` of a query or mutation.
    ///
    /// # Errors
    /// [`HandlerError::Delivery`], with `E_GRAPHQL` where the answer holds errors, and with `E_ANSWER` where it is none;
    /// [`HandlerError::Deadline`] where the call could not end in time.
    pub async fn graphql(&self, query: &str, variables: &Value) -> Result<Value, HandlerError> {
        let body = json!({"query": query, "variables": variables});
        let response = self.queried(body.to_string().into_bytes()).await?;
        graphql::data(&response).map_err(|_judged| no_longer_usable())
    }

    /// The same with variables and data as JSON, every digit of every number kept.
    ///
    /// # Errors
    /// As [`graphql`](Self::graphql).
    pub async fn graphql_json(
        &self,
        query: &str,
        variables: &RawValue,
    ) -> Result<Box<RawValue>, HandlerError> {
        let body = format!(r#"{{"query":{},"variables":{variables}}}"#, Value::from(query));
        let response = self.queried(body.into_bytes()).await?;
        graphql::raw_data(&response).ok_or_else(no_longer_usable)
    }

    async fn queried(&self, body: Vec<u8>) -> Result<Response, HandlerError> {
        self.post("/graphql", body, QUERY_TIMEOUT, |response| graphql::data(response).map(drop)).await
    }

    /// Queues an event in Fluent.
    ///
    /// # Errors
    /// [`HandlerError::Delivery`], or [`HandlerError::Deadline`] where the call could not end in time.
    pub async fn event(&self, event: &Event) -> Result<EventAnswer, HandlerError> {
        self.sent("/api/v4.1/event/async", event).await
    }

    /// Runs an event in Fluent and waits for its end, for at most [`EVENT_TIMEOUT`]; what came of it is in
    /// [`EventAnswer::status`].
    ///
    /// # Errors
    /// [`HandlerError::Delivery`], or [`HandlerError::Deadline`] where the call could not end in time.
    pub async fn event_sync(&self, event: &Event) -> Result<EventAnswer, HandlerError> {
        self.sent("/api/v4.1/event/sync", event).await
    }

    /// A page of a search in Fluent's log of events.
    ///
    /// # Errors
    /// [`HandlerError::Delivery`], with `E_ANSWER` where the answer is none, or a single event exceeds what is read of an
    /// answer; [`HandlerError::Deadline`] where the call could not end in time.
    pub async fn events(&self, search: EventSearch<'_>) -> Result<EventPage, HandlerError> {
        let mut search = search;
        loop {
            let response = self.searched(&search).await?;
            match search.page(&response).map_err(|_judged| no_longer_usable())? {
                Some(page) => return Ok(page),
                None if search.count > 1 => search.count /= 2,
                None => return Err(unreadable("one event exceeds 2 MiB")),
            }
        }
    }

    async fn searched(&self, search: &EventSearch<'_>) -> Result<Response, HandlerError> {
        let query = search.query();
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = self.account.url("/api/v4.1/event").at(&[], &query);
        let url = url.ok_or_else(|| unreadable("the account's baseUrl takes no query"))?;
        self.context.call(&Call::get(self.account.grant(), url, QUERY_TIMEOUT, search::judge)).await
    }

    async fn sent(&self, path: &str, event: &Event) -> Result<EventAnswer, HandlerError> {
        let body = event.body(self.account.retailer());
        let response = self.post(path, body.to_string().into_bytes(), EVENT_TIMEOUT, event::judge).await?;
        Ok(EventAnswer::of(&response.body))
    }

    async fn post(
        &self,
        path: &str,
        body: Vec<u8>,
        timeout: Duration,
        judge: fn(&Response) -> Result<(), Unusable>,
    ) -> Result<Response, HandlerError> {
        let (grant, url) = (self.account.grant(), self.account.url(path));
        self.context.call(&Call::post(grant, url, body, timeout, judge)).await
    }
}

fn no_longer_usable() -> HandlerError {
    unreadable("an answer that was usable no longer is")
}

fn unreadable(reason: &str) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Answer, reason: reason.to_owned() }
}
