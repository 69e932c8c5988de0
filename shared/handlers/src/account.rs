//! The account of Fluent that a route works in, and how an event is sent there.

use connector::document::{Document, DocumentError};
use connector::failure::Code;
use connector::handler::{Context, HandlerError};
use fluent::{Client, Event, FluentContext as _};

use crate::props;

/// The account's id in `props.account`; the message's own account where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account(Option<String>);

/// Whether a handler waits for the workflow that its event starts: `props.sync`, false unless given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sync(bool);

/// What Fluent answers of a workflow that ended well.
const COMPLETE: &str = "COMPLETE";

impl Account {
    pub(crate) const KEY: &str = "account";

    pub(crate) fn read(props: &mut Document) -> Result<Self, DocumentError> {
        props.text(Self::KEY).map(Self)
    }

    /// That of a route whose handler has no code of its own.
    pub(crate) fn of_route(context: &Context<'_>) -> Result<Self, HandlerError> {
        props::read_open(context, Self::read)
    }

    /// Its API.
    pub(crate) fn client<'a>(&self, context: &'a Context<'_>) -> Result<Client<'a>, HandlerError> {
        self.0.as_deref().map_or_else(|| context.fluent(), |id| context.fluent_of(id))
    }
}

impl Sync {
    pub(crate) const KEY: &str = "sync";

    pub(crate) fn read(props: &mut Document) -> Result<Self, DocumentError> {
        Ok(Self(props.switch(Self::KEY)?.unwrap_or_default()))
    }

    /// Sends an event; where the props say so, waits for its workflow to end well.
    ///
    /// # Errors
    /// Those of the client, and `E_ANSWER` where the workflow ended otherwise.
    pub(crate) async fn send(self, fluent: &Client<'_>, event: &Event) -> Result<(), HandlerError> {
        if !self.0 {
            return fluent.event(event).await.map(drop);
        }
        match fluent.event_sync(event).await?.status.as_deref() {
            None | Some(COMPLETE) => Ok(()),
            Some(status) => Err(HandlerError::Misconfigured {
                code: Code::Answer,
                reason: format!("Fluent took the event, and its workflow ended as {status}"),
            }),
        }
    }
}
