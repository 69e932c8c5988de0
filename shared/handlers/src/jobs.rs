//! What the shipped jobs have in common: whose data they work on, as no message tells them, and how their props are read.

use connector::account::Account;
use connector::document::{Document, DocumentError};
use connector::failure::Code;
use connector::handler::{Context, HandlerError};

use crate::problem::unusable_props;

/// Things of a page, unless the props say otherwise.
const DEFAULT_PAGE: u16 = 100;
/// Most things of a page: what commercetools (API reference, `limit`) and Fluent (schema, `first`) take.
pub(crate) const LARGEST_PAGE: u16 = 500;

/// The props of a job's route.
pub(crate) struct Props(Document);

impl Props {
    /// Reads them, of which these are known.
    pub(crate) fn of(context: &Context<'_>, known: &[&str]) -> Result<Self, HandlerError> {
        Document::of_value(context.props().clone().into(), known)
            .map(Self)
            .map_err(|error| unusable_props(&error))
    }

    /// What `read` reads in them.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Document) -> Result<T, DocumentError>,
    ) -> Result<T, HandlerError> {
        read(&mut self.0).map_err(|error| unusable_props(&error))
    }

    /// `pageSize`: how many things a page has at most.
    pub(crate) fn page_size(&mut self) -> Result<u16, HandlerError> {
        self.read(|props| {
            let Some(text) = props.id("pageSize")? else { return Ok(DEFAULT_PAGE) };
            let size = text.parse().ok().filter(|size| (1..=LARGEST_PAGE).contains(size));
            size.ok_or_else(|| {
                props.unusable("pageSize", format!("must be a whole number from 1 to {LARGEST_PAGE}"))
            })
        })
    }

    /// `account`: the id of the account in Fluent, and access to it; the only one of the deployment where they do not say.
    pub(crate) fn account<'a>(
        &mut self,
        context: &'a Context<'_>,
    ) -> Result<(String, &'a Account), HandlerError> {
        if let Some(id) = self.read(|props| props.text("account"))? {
            let account = context.account(&id);
            let missing = || inaccessible(format!("there is no usable account accounts/{id}"));
            return account.map(|account| (id.clone(), account)).ok_or_else(missing);
        }
        let (id, account) = only(context.accounts(), "account below accounts/", "props.account")?;
        Ok((id.to_owned(), account))
    }

    /// `project`: the key of the project of commercetools; that of the only one of the deployment where they do not say.
    pub(crate) fn project(&mut self, context: &Context<'_>) -> Result<String, HandlerError> {
        match self.read(|props| props.text("project"))? {
            Some(key) => Ok(key),
            None => only(context.projects(), "project below commercetools/", "props.project")
                .map(|project| project.key().to_owned()),
        }
    }
}

fn only<T>(mut all: impl Iterator<Item = T>, what: &str, prop: &str) -> Result<T, HandlerError> {
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(inaccessible(format!("there is no usable {what}"))),
        (Some(_), Some(_)) => {
            Err(inaccessible(format!("there is more than one {what}: {prop} has to say which is meant")))
        }
    }
}

fn inaccessible(reason: String) -> HandlerError {
    HandlerError::Misconfigured { code: Code::Access, reason }
}
