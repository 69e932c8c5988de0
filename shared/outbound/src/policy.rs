//! Which addresses a delivery may reach: a pure rule, which asks nobody.
//!
//! Refuses whole blocks of the IANA special-purpose address registries. By hand over `ipnet`: of the crates that classify,
//! `ip_network` 0.4 and `ip_rfc` 0.1 call `::ffff:127.0.0.1` global, and `bogon` 0.3 lets `2001:db8::1` and Teredo through.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Url;

/// Networks that may be reached though they are not public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// An item of a list of networks is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{item:?} is not a network such as 10.1.0.0/16, nor an address")]
pub struct NetworksError {
    item: String,
}

/// Which addresses a delivery may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    allowed: Networks,
}

/// How far a request may go, by its scheme and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// https on port 443: any public address, and the allowed networks.
    Public,
    /// http, or any other port: the allowed networks alone.
    AllowedNetworks,
}

/// An address that must not be reached, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forbidden {
    address: IpAddr,
    why: &'static str,
}

impl Networks {
    /// Reads a comma-separated list of networks and single addresses; an empty text is none.
    ///
    /// # Errors
    /// [`NetworksError`] names the item.
    pub fn parse(text: &str) -> Result<Self, NetworksError> {
        let items = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
        let network = |item: &str| {
            let address = || item.parse::<IpAddr>().map(IpNet::from);
            item.parse::<IpNet>().or_else(|_| address()).map_err(|_| NetworksError { item: item.to_owned() })
        };
        items.map(network).collect::<Result<_, _>>().map(Self)
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl Reach {
    /// Of a request to this URL.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        if url.scheme() == "https" && url.port_or_known_default() == Some(443) {
            Self::Public
        } else {
            Self::AllowedNetworks
        }
    }
}

impl AddressPolicy {
    /// Public addresses, and these networks.
    #[must_use]
    pub fn new(allowed: Networks) -> Self {
        Self { allowed }
    }

    /// Whether anything may be reached that far.
    #[must_use]
    pub fn reaches(&self, reach: Reach) -> bool {
        reach == Reach::Public || !self.allowed.0.is_empty()
    }

    /// Whether this address may be reached.
    ///
    /// # Errors
    /// [`Forbidden`] says why not.
    pub fn check(&self, address: IpAddr, reach: Reach) -> Result<(), Forbidden> {
        let carried = carried(address);
        if self.allowed.contain(address) || self.allowed.contain(carried) {
            return Ok(());
        }
        let why = match reach {
            Reach::Public => special(carried),
            Reach::AllowedNetworks => {
                Some("http and ports other than 443 are for networks in DangerouslyAllowNetworks alone")
            }
        };
        why.map_or(Ok(()), |why| Err(Forbidden { address, why }))
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must not be reached: {}", self.address, self.why)
    }
}

/// The IPv4 address that is reached in the end: of an IPv4-mapped address, and behind the well-known NAT64 prefix, which
/// an IPv6-only network with DNS64 needs for every IPv4 receiver. Other carriers are refused whole.
fn carried(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [.., high, low] = v6.segments();
    let is_nat64 = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96).contains(&v6);
    match v6.to_ipv4_mapped() {
        Some(v4) => v4.into(),
        None if is_nat64 => Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)).into(),
        None => address,
    }
}

/// What is special about an address; `None` where it is globally routable.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => SPECIAL_V4.iter().find(|(network, _)| network.contains(&v4)).map(|(_, why)| *why),
        IpAddr::V6(v6) if !GLOBAL_UNICAST_V6.contains(&v6) => Some(
            "not global unicast: loopback, link-local, unique local, multicast, metadata or a carrier (RFC 4291)",
        ),
        IpAddr::V6(v6) if is_isatap(v6) => Some("ISATAP, carries an IPv4 address (RFC 5214)"),
        IpAddr::V6(v6) => SPECIAL_V6.iter().find(|(network, _)| network.contains(&v6)).map(|(_, why)| *why),
    }
}

/// Interface identifiers `0:5efe:a.b.c.d` and `200:5efe:a.b.c.d`, in whatever network.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, flags, kind, _, _] = address.segments();
    matches!(flags, 0 | 0x200) && kind == 0x5efe
}

/// All that IANA has given out as global unicast.
const GLOBAL_UNICAST_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// IANA IPv4 Special-Purpose Address Registry, and multicast.
const SPECIAL_V4: [(Ipv4Net, &str); 15] = [
    (v4(0, 0, 0, 8), "this network (RFC 791)"),
    (v4(10, 0, 0, 8), "private (RFC 1918)"),
    (v4(100, 64, 0, 10), "shared by carriers (RFC 6598)"),
    (v4(127, 0, 0, 8), "loopback (RFC 1122)"),
    (v4(169, 254, 0, 16), "link-local, where metadata services are (RFC 3927)"),
    (v4(172, 16, 0, 12), "private (RFC 1918)"),
    (v4(192, 0, 0, 24), "protocol assignments (RFC 6890)"),
    (v4(192, 0, 2, 24), "documentation (RFC 5737)"),
    (v4(192, 88, 99, 24), "6to4 relays, deprecated (RFC 7526)"),
    (v4(192, 168, 0, 16), "private (RFC 1918)"),
    (v4(198, 18, 0, 15), "benchmarking (RFC 2544)"),
    (v4(198, 51, 100, 24), "documentation (RFC 5737)"),
    (v4(203, 0, 113, 24), "documentation (RFC 5737)"),
    (v4(224, 0, 0, 4), "multicast (RFC 5771)"),
    (v4(240, 0, 0, 4), "reserved, or broadcast (RFC 1112)"),
];

/// IANA IPv6 Special-Purpose Address Registry, as far as it lies within global unicast. Blocks that hold a few routable
/// assignments for protocols are refused whole: no receiver of webhooks is there.
const SPECIAL_V6: [(Ipv6Net, &str); 4] = [
    (v6(0x2001, 0, 23), "protocol assignments: Teredo, benchmarking, ORCHID (RFC 2928)"),
    (v6(0x2001, 0xdb8, 32), "documentation (RFC 3849)"),
    (v6(0x2002, 0, 16), "6to4, carries an IPv4 address (RFC 3056)"),
    (v6(0x3fff, 0, 20), "documentation (RFC 9637)"),
];

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;
    use url::{Host, Url};

    use super::{AddressPolicy, Networks, Reach};

    fn is_public(address: IpAddr) -> bool {
        AddressPolicy::default().check(address, Reach::Public).is_ok()
    }

    /// Addresses that must not be reached, in every spelling that a URL may hold.
    const FORBIDDEN: &str = "
        0.0.0.0 0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.1 127.0.1
        2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 127.0.0.1. %31%32%37.0.0.1 １２７.0.0.1
        127。0。0。1 127.255.255.254 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376
        169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1
        192.168.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
        255.255.255.255 4294967295 [::] [::1] [0:0:0:0:0:0:0:1] [::127.0.0.1] [::8.8.8.8]
        [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::ffff:0:8.8.8.8]
        [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::8.8.8.8] [100::1] [100:0:0:1::1] [2001::1]
        [2001:0:4136:e378:8000:63bf:3fff:fdd2] [2001:2::1] [2001:10::1] [2001:20::1] [2001:db8::1]
        [2002:7f00:1::] [2002:808:808::] [3fff::1] [5f00::1] [fc00::1] [fd00:ec2::254] [fe80::1]
        [fec0::1] [ff02::1] [2606:4700::5efe:7f00:1] [2606:4700::200:5efe:a00:1] [4000::1]
    ";

    /// Public ones, the neighbours of forbidden blocks among them.
    const PUBLIC: &str = "
        8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
        169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255
        198.20.0.0 223.255.255.255 134744072 [2606:4700::1111] [2a00:1450:4001::1] [2001:200::1]
        [::ffff:8.8.8.8] [64:ff9b::8.8.8.8] [2003::1]
    ";

    /// The verdict on the host of a URL, as the transport reads it.
    fn verdict(host: &str) -> bool {
        match Url::parse(&format!("https://{host}/")).unwrap().host().unwrap() {
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
            Host::Domain(name) => panic!("{name} is a name"),
        }
    }

    #[test]
    fn every_spelling_of_a_forbidden_address_is_refused() {
        for host in FORBIDDEN.split_whitespace() {
            assert!(!verdict(host), "{host}");
        }
    }

    #[test]
    fn public_addresses_may_be_reached() {
        for host in PUBLIC.split_whitespace() {
            assert!(verdict(host), "{host}");
        }
    }

    #[test]
    fn http_and_other_ports_reach_allowed_networks_alone() {
        for (url, reach) in [
            ("https://shop.example/", Reach::Public),
            ("https://shop.example:443/", Reach::Public),
            ("https://shop.example:8443/", Reach::AllowedNetworks),
            ("http://shop.example/", Reach::AllowedNetworks),
            ("http://shop.example:443/", Reach::AllowedNetworks),
        ] {
            assert_eq!(Reach::of(&Url::parse(url).unwrap()), reach, "{url}");
        }
        let policy = AddressPolicy::new(Networks::parse("127.0.0.0/8, fd00::/8, 10.1.2.3").unwrap());
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("fd00:ec2::254", true),
            ("10.1.2.4", false),
            ("::1", false),
        ] {
            let address = address.parse().unwrap();
            for reach in [Reach::Public, Reach::AllowedNetworks] {
                assert_eq!(policy.check(address, reach).is_ok(), allowed, "{address} {reach:?}");
            }
        }
        let public = "8.8.8.8".parse().unwrap();
        assert!(policy.check(public, Reach::Public).is_ok());
        assert!(policy.check(public, Reach::AllowedNetworks).is_err());
        assert!(!AddressPolicy::default().reaches(Reach::AllowedNetworks));
    }

    #[test]
    fn a_list_of_networks_names_the_item_that_is_none() {
        assert_eq!(Networks::parse(" ").unwrap(), Networks::default());
        for (text, item) in
            [("10.0.0.0/33", "10.0.0.0/33"), ("10.0.0.0/8,,::1", ""), ("localhost", "localhost")]
        {
            assert_eq!(Networks::parse(text).unwrap_err().item, item);
        }
    }

    proptest! {
        #[test]
        fn every_address_carrier_inherits_its_verdict(v4: [u8; 4], network: [u16; 4]) {
            let v4 = Ipv4Addr::from(v4);
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let [n0, n1, n2, n3] = network;
            let verdict = is_public(v4.into());
            prop_assert_eq!(is_public(v4.to_ipv6_mapped().into()), verdict);
            prop_assert_eq!(is_public(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into()), verdict);
            for refused in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
                Ipv6Addr::new(n0, n1, n2, n3, 0, 0x5efe, high, low),
                Ipv6Addr::new(n0, n1, n2, n3, 0x200, 0x5efe, high, low),
            ] {
                // Where the network's own bits make it a carrier of another kind, that one's verdict counts.
                prop_assert!(!is_public(refused.into()) || refused.to_ipv4_mapped().is_some(), "{}", refused);
            }
        }

        #[test]
        fn nothing_outside_global_unicast_is_public(segments: [u16; 8]) {
            let address = Ipv6Addr::from(segments);
            let global = segments[0] >> 13 == 1;
            prop_assert!(global || address.to_ipv4_mapped().is_some() || !is_public(address.into()));
        }
    }
}
