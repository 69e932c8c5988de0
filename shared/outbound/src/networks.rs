//! The networks that an operator opens by the stack parameter `DangerouslyAllowNetworks`.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::special;

/// Networks that may be sent to although they are not globally routable, by any scheme and port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Why a text names no networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworksError {
    /// An item is neither an address nor a network.
    #[error("{item:?} is neither an address nor a network such as 10.0.0.0/8")]
    NotANetwork {
        /// The item as it was written.
        item: String,
    },
    /// An item has bits beyond its prefix, so its author meant less or another network.
    #[error("{item:?} reaches beyond its address: write {network} for the whole network")]
    HostBits {
        /// The item as it was written.
        item: String,
        /// The network that its prefix makes.
        network: IpNet,
    },
    /// IPv4 is judged as IPv4, however it is written.
    #[error("{item:?} is IPv4 written as IPv6: write it as IPv4")]
    Mapped {
        /// The item as it was written.
        item: String,
    },
}

impl Networks {
    /// Reads a comma-separated list such as `127.0.0.0/8, ::1`. An empty text names none; a bare address is one host.
    ///
    /// # Errors
    /// [`NetworksError`] names the first bad item.
    pub fn parse(text: &str) -> Result<Self, NetworksError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|item| network(item.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them holds this address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(item: &str) -> Result<IpNet, NetworksError> {
    let host = || item.parse().map(|address: IpAddr| IpNet::from(address));
    let Ok(network) = item.parse::<IpNet>().or_else(|_| host()) else {
        return Err(NetworksError::NotANetwork { item: item.to_owned() });
    };
    if special::is_mapped(network) {
        return Err(NetworksError::Mapped { item: item.to_owned() });
    }
    if network.trunc() != network {
        return Err(NetworksError::HostBits { item: item.to_owned(), network: network.trunc() });
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::{Networks, NetworksError};

    fn message(text: &str) -> String {
        Networks::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_list_of_networks_and_hosts_is_read() {
        let networks = Networks::parse(" 127.0.0.0/8, ::1/128 ,10.1.2.3").unwrap();
        for inside in ["127.0.0.1", "127.255.255.255", "::1", "10.1.2.3"] {
            assert!(networks.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["128.0.0.0", "::2", "10.1.2.4", "::7f00:1"] {
            assert!(!networks.contain(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn an_empty_text_names_none() {
        assert!(Networks::parse("").unwrap().is_empty() && Networks::parse("  ").unwrap().is_empty());
    }

    #[test]
    fn the_bad_item_is_named() {
        for item in ["10.0.0.0/33", "localhost", "10.0.0", "10.0.0.0/", "::1/129", ""] {
            let bad = NetworksError::NotANetwork { item: item.to_owned() };
            assert_eq!(Networks::parse(&format!("127.0.0.0/8,{item},::1")), Err(bad));
        }
        assert_eq!(
            message("10.1.2.3/8"),
            "\"10.1.2.3/8\" reaches beyond its address: write 10.0.0.0/8 for the whole network"
        );
        assert_eq!(
            message("::ffff:10.0.0.0/104"),
            "\"::ffff:10.0.0.0/104\" is IPv4 written as IPv6: write it as IPv4"
        );
    }
}
