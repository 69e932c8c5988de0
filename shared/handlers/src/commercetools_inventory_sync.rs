//! Brings all stock that has changed in Fluent to commercetools (`InventorySync` of Fluent's Connect SDK).

use connector::handler::{Context, Handler as _, HandlerError};
use connector::job::{Job, Progress, Step};
use serde_json::{Map, Value};

use crate::commercetools_inventory_upsert::CommercetoolsInventoryUpsert;
use crate::fluent_changes::{self, KEYS, List};
use crate::jobs::Props;

/// Hands each virtual position of the catalogue `props.catalogue` that was updated in Fluent within the run's time over to
/// `commercetools-inventory-upsert`, or to the route that `props.route` names; with `props.positions: inventory` each
/// inventory position.
pub struct CommercetoolsInventorySync;

const VIRTUAL: &str = "query ($catalogue: String!, $updatedOn: DateRange, $first: Int!, $after: String) { \
    virtualPositions(catalogue: { ref: $catalogue }, updatedOn: $updatedOn, first: $first, after: $after) { \
    edges { cursor node { id ref } } pageInfo { hasNextPage } } }";
const INVENTORY: &str = "query ($catalogue: String!, $updatedOn: DateRange, $first: Int!, $after: String) { \
    inventoryPositions(catalogue: { ref: $catalogue }, updatedOn: $updatedOn, first: $first, after: $after) { \
    edges { cursor node { id ref } } pageInfo { hasNextPage } } }";

/// What stock is taken from.
#[derive(Debug, Clone, Copy)]
enum Positions {
    Virtual,
    Inventory,
}

impl Job for CommercetoolsInventorySync {
    const NAME: &'static str = "commercetools-inventory-sync";
    type Cursor = String;

    async fn step(context: &Context<'_>, step: &Step<String>) -> Result<Progress<String>, HandlerError> {
        let mut props = Props::of(context, &[&KEYS[..], &["catalogue", "positions"]].concat())?;
        let has_query = context.props().get("query").is_some_and(|query| !query.is_null());
        let list = props.read(|props| {
            let words = [("virtual", Positions::Virtual), ("inventory", Positions::Inventory)];
            let positions = props.word("positions", &words)?.unwrap_or(Positions::Virtual);
            let catalogue = props.text("catalogue")?;
            if catalogue.is_none() && !has_query {
                return Err(props.missing("catalogue")); // those of several would overwrite each other's stock
            }
            let catalogue = catalogue.map(|reference| ("catalogue".to_owned(), reference.into()));
            Ok(list(positions, catalogue.into_iter().collect()))
        })?;
        fluent_changes::hand_over(context, step, &list, props).await
    }
}

fn list(positions: Positions, variables: Map<String, Value>) -> List<'static> {
    let (field, query, entity_type) = match positions {
        Positions::Virtual => ("virtualPositions", VIRTUAL, "VIRTUAL_POSITION"),
        Positions::Inventory => ("inventoryPositions", INVENTORY, "INVENTORY_POSITION"),
    };
    let route = CommercetoolsInventoryUpsert::NAME;
    List { field, query, variables, entity_type, event: "InventoryUpsert", route }
}
