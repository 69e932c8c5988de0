//! Why a request is not let out. Names host, port and address, never a path or a query.

use std::net::IpAddr;

use crate::policy::Rule;

/// A refusal of the address policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Blocked {
    /// A name resolves to an address that is forbidden.
    #[error("address {address} of {host} is {rule}")]
    Answer { host: String, address: IpAddr, rule: Rule },
    /// The URL names a forbidden address itself.
    #[error("address {address} is {rule}")]
    Literal { address: IpAddr, rule: Rule },
    /// Only allowed networks could be reached, and there is none.
    #[error("{scheme}://{host}:{port} is not https on port 443, and no network is allowed")]
    Plain { scheme: String, host: String, port: u16 },
}
