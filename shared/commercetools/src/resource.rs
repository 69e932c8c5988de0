//! What every resource has, so that one client reads, pages and updates them all.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::action::{ChannelAction, InventoryAction, OrderAction};
use crate::catalog::{Category, Channel, Customer, InventoryEntry, ProductProjection};
use crate::message::Message;
use crate::order::Order;

/// Something that stands below a project. Implement it for a type of your own to read what this crate has no type for.
pub trait Resource: DeserializeOwned + Send + Sync {
    /// The path segment below the project, such as `orders`.
    const PATH: &'static str;

    /// Its id: pages are sorted by it.
    fn id(&self) -> &str;
}

/// A resource that can be changed.
pub trait Updatable: Resource {
    /// One change.
    type Action: Serialize + Send + Sync;

    /// The version that a change is made to.
    fn version(&self) -> i64;
}

macro_rules! resources {
    ($($resource:ty = $path:literal $(, $action:ty)?;)+) => {
        $(
            impl Resource for $resource {
                const PATH: &'static str = $path;

                fn id(&self) -> &str {
                    &self.id
                }
            }

            $(impl Updatable for $resource {
                type Action = $action;

                fn version(&self) -> i64 {
                    self.version
                }
            })?
        )+
    };
}

resources! {
    Order = "orders", OrderAction;
    Customer = "customers";
    Category = "categories";
    ProductProjection = "product-projections";
    InventoryEntry = "inventory", InventoryAction;
    Channel = "channels", ChannelAction;
    Message = "messages";
}
