//! Brings every location that has changed in Fluent to commercetools (`LocationSync` of Fluent's Connect SDK).

use connector::handler::{Context, Handler as _, HandlerError};
use connector::job::{Job, Progress, Step};
use serde_json::Map;

use crate::commercetools_location_upsert::CommercetoolsLocationUpsert;
use crate::fluent_changes::{self, KEYS, List};
use crate::jobs::Props;

/// Hands each location that was updated in Fluent within the run's time over to `commercetools-location-upsert`, or to the
/// route that `props.route` names.
pub struct CommercetoolsLocationSync;

const QUERY: &str = "query ($updatedOn: DateRange, $first: Int!, $after: String) { locations(updatedOn: $updatedOn, \
    first: $first, after: $after) { edges { cursor node { id ref } } pageInfo { hasNextPage } } }";

impl Job for CommercetoolsLocationSync {
    const NAME: &'static str = "commercetools-location-sync";
    type Cursor = String;

    async fn step(context: &Context<'_>, step: &Step<String>) -> Result<Progress<String>, HandlerError> {
        let list = List {
            field: "locations",
            query: QUERY,
            variables: Map::new(),
            entity_type: "LOCATION",
            event: "LocationUpsert",
            route: CommercetoolsLocationUpsert::NAME,
        };
        fluent_changes::hand_over(context, step, &list, Props::of(context, &KEYS)?).await
    }
}
