//! Queries, page by page: sorted by id and each page from the last id on, so that what changes meanwhile moves no
//! resource from one page to another (commercetools' advice for iterating over all).

use std::marker::PhantomData;

use connector::call::Call;
use connector::failure::Code;
use connector::handler::HandlerError;

use crate::answer::{self, Page};
use crate::client::{Client, PAGE_TIMEOUT};
use crate::resource::Resource;

/// Resources of a page, unless a query says otherwise; commercetools' own default.
const DEFAULT_LIMIT: u16 = 20;
/// Most resources of a page (API reference, `limit`).
pub const MAX_LIMIT: u16 = 500;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Query {
    filter: Option<String>,
    limit: u16,
    staged: bool,
    after: Option<String>,
}

/// The pages of a query that are still to come.
pub struct Pages<'a, T> {
    client: &'a Client<'a>,
    query: Query,
    is_done: bool,
    resources: PhantomData<fn() -> T>,
}

/// A text as a predicate has it: in quotes, and harmless whatever it holds.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Query {
    /// All resources.
    #[must_use]
    pub fn all() -> Self {
        Self { filter: None, limit: DEFAULT_LIMIT, staged: false, after: None }
    }

    /// Those for which a predicate holds, such as `lastModifiedAt > "2026-11-20T00:00:00Z"`. Put values that come from
    /// elsewhere into it by [`quoted`].
    #[must_use]
    pub fn filtered(predicate: impl Into<String>) -> Self {
        Self { filter: Some(predicate.into()), ..Self::all() }
    }

    /// With at most so many resources a page, from 1 to [`MAX_LIMIT`]. Where a page would exceed the 2 MiB that are read
    /// of an answer, shorter ones are asked for.
    #[must_use]
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: limit.clamp(1, MAX_LIMIT), ..self }
    }

    /// Of products what is going to be published, not what is.
    #[must_use]
    pub fn staged(self) -> Self {
        Self { staged: true, ..self }
    }

    /// From behind the resource with this id on: the one that [`Pages::last_id`] told.
    #[must_use]
    pub fn after(self, id: impl Into<String>) -> Self {
        Self { after: Some(id.into()), ..self }
    }

    fn predicate(&self) -> Option<String> {
        let after = self.after.as_deref().map(|id| format!("id > {}", quoted(id)));
        match (&self.filter, after) {
            (Some(filter), Some(after)) => Some(format!("({filter}) and {after}")),
            (filter, after) => after.or_else(|| filter.clone()),
        }
    }
}

impl<'a, T: Resource> Pages<'a, T> {
    pub(crate) fn new(client: &'a Client<'a>, query: Query) -> Self {
        Self { client, query, is_done: false, resources: PhantomData }
    }

    /// The id of the last resource that was given: what [`Query::after`] goes on from, in another invocation too.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.query.after.as_deref()
    }

    /// Most resources of the next page: fewer than the query says where pages were too long to be read.
    #[must_use]
    pub fn limit(&self) -> u16 {
        self.query.limit
    }

    /// Whether the last page was given, as far as pages tell: after a full one there may be none.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next page, never an empty one; `None` at the end.
    ///
    /// # Errors
    /// [`HandlerError::Delivery`], or [`HandlerError::Deadline`] where the call could not end in time: the page can then be
    /// asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, HandlerError> {
        if self.is_done {
            return Ok(None);
        }
        let page = self.page().await?;
        let limit = page.limit.unwrap_or_default().min(self.query.limit.into());
        self.is_done = u64::try_from(page.results.len()).unwrap_or(u64::MAX) < limit.max(1);
        if let Some(last) = page.results.last() {
            self.query.after = Some(last.id().to_owned());
        }
        Ok((!page.results.is_empty()).then_some(page.results))
    }

    /// A page that can be read whole.
    async fn page(&mut self) -> Result<Page<T>, HandlerError> {
        loop {
            let response = self.client.ask(&self.call()?).await?;
            if !answer::is_cut_off(&response) {
                return answer::of_judged(&response);
            }
            if self.query.limit == 1 {
                let reason = format!("one of {} exceeds 2 MiB", T::PATH);
                return Err(HandlerError::Misconfigured { code: Code::Answer, reason });
            }
            self.query.limit /= 2;
        }
    }

    fn call(&self) -> Result<Call<'a>, HandlerError> {
        let (limit, predicate) = (self.query.limit.to_string(), self.query.predicate());
        let mut query = vec![("sort", "id asc"), ("limit", limit.as_str()), ("withTotal", "false")];
        query.extend(predicate.as_deref().map(|predicate| ("where", predicate)));
        query.extend(self.query.staged.then_some(("staged", "true")));
        let url = self.client.url(&[T::PATH], &query)?;
        let call = Call::get(self.client.project().grant(), url, PAGE_TIMEOUT, answer::judge_page::<T>);
        Ok(call.weighing(answer::told))
    }
}

#[cfg(test)]
mod tests {
    use super::{Query, quoted};

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(quoted("a"), r#""a""#);
        assert_eq!(quoted(r#"a" or sku != ""#), r#""a\" or sku != \"""#);
        assert_eq!(quoted(r#"a\" or 1"#), r#""a\\\" or 1""#);
    }

    #[test]
    fn a_filter_holds_on_every_page() {
        let query = Query::filtered("a = 1 or b = 2");
        assert_eq!(query.predicate().unwrap(), "a = 1 or b = 2");
        assert_eq!(query.after("x").predicate().unwrap(), r#"(a = 1 or b = 2) and id > "x""#);
        assert_eq!(Query::all().predicate(), None);
    }

    #[test]
    fn a_limit_is_within_bounds() {
        assert_eq!((Query::all().limit(0).limit, Query::all().limit(9_999).limit), (1, 500));
    }
}
