//! The configuration as each function uses it, made of parameters; a broken one never harms another.

mod key_ring;
mod routes;
mod routing_table;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use key_ring::KeyRing;
pub use routes::{BrokenRoute, Found, Routes};
pub use routing_table::RoutingTable;
pub use sources::{FoundSource, Sources};

use crate::parameter::{Parameter, Problem, Section};

/// Parses a section's parameters; where one is broken its last good copy goes on serving.
fn parsed<T>(
    parameters: &[Parameter],
    section: Section,
    last: Option<&BTreeMap<String, Arc<T>>>,
    problems: &mut Vec<Problem>,
    parse: impl Fn(&str, &str) -> Result<T, String>,
) -> BTreeMap<String, Arc<T>> {
    let mut good = BTreeMap::new();
    for parameter in parameters.iter().filter(|parameter| parameter.section == section) {
        let last_good = last.and_then(|last| last.get(&parameter.name));
        match parse(&parameter.name, parameter.value.expose()) {
            Ok(value) => {
                good.insert(parameter.name.clone(), Arc::new(value));
            }
            Err(reason) => {
                problems.push(Problem {
                    parameter: format!("{section}/{}", parameter.name),
                    reason,
                    last_good_kept: last_good.is_some(),
                });
                if let Some(value) = last_good {
                    good.insert(parameter.name.clone(), Arc::clone(value));
                }
            }
        }
    }
    good
}
