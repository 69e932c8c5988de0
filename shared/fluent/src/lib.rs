#![doc = include_str!("../README.md")]

mod client;
mod event;
mod graphql;
mod search;

use connector::failure::Code;
use connector::handler::{Context, HandlerError};

pub use client::{Client, EVENT_TIMEOUT, QUERY_TIMEOUT};
pub use event::{Event, EventAnswer, EventError, Key};
pub use search::{EventPage, EventSearch};

/// What a handler's context gives of Fluent.
pub trait FluentContext {
    /// The API of the message's account; of a message from commercetools, of the account that its project belongs to.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] with `E_ACCESS` where the message names no account, or none that is configured.
    fn fluent(&self) -> Result<Client<'_>, HandlerError>;

    /// The API of this account.
    ///
    /// # Errors
    /// [`HandlerError::Misconfigured`] with `E_ACCESS` where it is not configured.
    fn fluent_of(&self, account_id: &str) -> Result<Client<'_>, HandlerError>;
}

impl FluentContext for Context<'_> {
    fn fluent(&self) -> Result<Client<'_>, HandlerError> {
        if let Some(project) = self.sending_project() {
            return self.fluent_of(project.account_id());
        }
        match self.message.about().account_id {
            Some(id) => self.fluent_of(&id),
            None => Err(inaccessible("the message names no account".to_owned())),
        }
    }

    fn fluent_of(&self, account_id: &str) -> Result<Client<'_>, HandlerError> {
        match self.account(account_id) {
            Some(account) => Ok(Client::new(self, account)),
            None => Err(inaccessible(format!("there is no usable account accounts/{account_id}"))),
        }
    }
}

fn inaccessible(reason: String) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Access, reason }
}
