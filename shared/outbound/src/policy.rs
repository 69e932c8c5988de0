//! Which addresses may be sent to: a pure value, which resolves nothing and connects to nothing.

use std::fmt;
use std::net::IpAddr;

use url::Url;

use crate::networks::Networks;
use crate::special;

/// The one port that may be sent to anywhere.
const HTTPS_PORT: u16 = 443;

/// What may be sent to: all that is globally routable by https on port 443, and the operator's networks by any means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    networks: Networks,
}

/// How far a URL's scheme and port let it reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// https on port 443: every globally routable address, and the allowed networks.
    Global,
    /// http, or another port: the allowed networks alone.
    AllowedNetworks,
}

/// The rule that forbids an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It is not globally routable, for this reason.
    NotGlobal(&'static str),
    /// It is in no allowed network, and the URL reaches no farther.
    OutsideNetworks,
}

impl AddressPolicy {
    /// With these networks allowed.
    #[must_use]
    pub fn new(networks: Networks) -> Self {
        Self { networks }
    }

    /// How far this URL reaches.
    #[must_use]
    pub fn reach(&self, url: &Url) -> Reach {
        match (url.scheme(), url.port_or_known_default()) {
            ("https", Some(HTTPS_PORT)) => Reach::Global,
            _ => Reach::AllowedNetworks,
        }
    }

    /// Whether no address at all can pass [`check`](Self::check) with this reach.
    #[must_use]
    pub fn forbids_all(&self, reach: Reach) -> bool {
        match reach {
            Reach::Global => false,
            Reach::AllowedNetworks => self.networks.is_empty(),
        }
    }

    /// Judges one address. An IPv4 address that IPv6 carries has the verdict that it has by itself, or a stricter one.
    ///
    /// # Errors
    /// The [`Rule`] that forbids it.
    pub fn check(&self, reach: Reach, address: IpAddr) -> Result<(), Rule> {
        let carried = special::carried(address);
        if self.networks.contain(address.to_canonical()) || self.networks.contain(carried) {
            return Ok(());
        }
        match reach {
            Reach::Global => special::reason(carried).map_or(Ok(()), |reason| Err(Rule::NotGlobal(reason))),
            Reach::AllowedNetworks => Err(Rule::OutsideNetworks),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGlobal(reason) => f.write_str(reason),
            Self::OutsideNetworks => {
                f.write_str("in no allowed network, and only https on port 443 goes elsewhere")
            }
        }
    }
}
