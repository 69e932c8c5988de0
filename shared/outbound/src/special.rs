//! The addresses that are not globally routable, and why each block is not.
//!
//! From the IANA IPv4 and IPv6 Special-Purpose Address Registries and the RFCs named beside each block. Where a registry
//! lists reachable islands in a reserved block (192.0.0.9, `2001:3::/32`), the block is refused whole: no receiver lives there.
//!
//! Own tables, because no crate is right. Judged public: `127.0.0.1` in every carrier by `ip_network` and `ip_rfc`, Teredo and
//! `2001:db8::/32` by `bogon`, all that is not assigned in IPv6 by `ssrf-guard`, a first release like `antissrf`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A block of addresses, and what it is for.
type Block<N> = (N, &'static str);

/// All of IPv6 that is global unicast (RFC 4291, section 2.4, and IANA's IPv6 Address Space registry).
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// The well-known prefix of NAT64 (RFC 6052, section 2.1), which carries a public IPv4 address.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// The smaller block stands before the one that holds it: it says more.
const BLOCKS_V4: [Block<Ipv4Net>; 18] = [
    (v4([0, 0, 0, 0], 32), "unspecified (RFC 1122)"),
    (v4([0, 0, 0, 0], 8), "of \"this network\" (RFC 791)"),
    (v4([10, 0, 0, 0], 8), "private (RFC 1918)"),
    (v4([100, 64, 0, 0], 10), "shared by a carrier's NAT (RFC 6598)"),
    (v4([127, 0, 0, 0], 8), "loopback (RFC 1122)"),
    (v4([169, 254, 169, 254], 32), "the instance metadata service"),
    (v4([169, 254, 0, 0], 16), "link-local (RFC 3927)"),
    (v4([172, 16, 0, 0], 12), "private (RFC 1918)"),
    (v4([192, 0, 0, 0], 24), "reserved for IETF protocols (RFC 6890)"),
    (v4([192, 0, 2, 0], 24), "for documentation (RFC 5737)"),
    (v4([192, 88, 99, 0], 24), "a former 6to4 relay (RFC 7526)"),
    (v4([192, 168, 0, 0], 16), "private (RFC 1918)"),
    (v4([198, 18, 0, 0], 15), "for benchmarking (RFC 2544)"),
    (v4([198, 51, 100, 0], 24), "for documentation (RFC 5737)"),
    (v4([203, 0, 113, 0], 24), "for documentation (RFC 5737)"),
    (v4([224, 0, 0, 0], 4), "multicast (RFC 5771)"),
    (v4([255, 255, 255, 255], 32), "broadcast (RFC 919)"),
    (v4([240, 0, 0, 0], 4), "reserved for future use (RFC 1112)"),
];

/// Blocks outside [`GLOBAL_UNICAST`] stand here for their reason alone: they are refused anyway.
const BLOCKS_V6: [Block<Ipv6Net>; 23] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified (RFC 4291)"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback (RFC 4291)"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "an IPv4-compatible address (RFC 4291)"),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), "an IPv4-translated address (RFC 2765)"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "of a local NAT64 (RFC 8215)"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "discard-only (RFC 6666)"),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "a dummy (RFC 9780)"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "a Teredo tunnel (RFC 4380)"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "for benchmarking (RFC 5180)"),
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), "an ORCHID (RFC 4843)"),
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), "an ORCHID (RFC 7343)"),
    (v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), "a drone's tag (RFC 9374)"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "reserved for IETF protocols (RFC 2928)"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "for documentation (RFC 3849)"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "a 6to4 tunnel (RFC 3056)"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documentation (RFC 9637)"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "a segment identifier (RFC 9602)"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32), "the instance metadata service"),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0], 32), "the instance metadata service"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "unique local (RFC 4193)"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local (RFC 4291)"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site-local (RFC 3879)"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast (RFC 4291)"),
];

/// Why an address is not globally routable; `None` where it is.
pub(crate) fn reason(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => first(&BLOCKS_V4, |block| block.contains(&address)),
        IpAddr::V6(address) => first(&BLOCKS_V6, |block| block.contains(&address))
            .or_else(|| is_isatap(address).then_some("an ISATAP tunnel (RFC 5214)"))
            .or_else(|| {
                let outside = !GLOBAL_UNICAST.contains(&address);
                outside.then_some("not global unicast (RFC 4291)")
            }),
    }
}

/// The IPv4 address that stands for an IPv6 one, where the two mean the same host: IPv4-mapped, to which the operating
/// system itself connects by IPv4, and the well-known NAT64, which is how a subnet without IPv4 reaches a public host.
///
/// What other carriers mean is up to a relay or a tunnel that nobody here knows, so [`reason`] refuses them whole.
pub(crate) fn carried(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if NAT64.contains(&v6) => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        canonical @ (IpAddr::V4(_) | IpAddr::V6(_)) => canonical,
    }
}

/// Whether a network lies among the IPv4-mapped addresses, which are judged as IPv4.
pub(crate) fn is_mapped(network: IpNet) -> bool {
    match network {
        IpNet::V4(_) => false,
        IpNet::V6(network) => network.prefix_len() >= 96 && network.addr().to_ipv4_mapped().is_some(),
    }
}

fn first<N>(blocks: &[Block<N>], holds: impl Fn(&N) -> bool) -> Option<&'static str> {
    blocks.iter().find(|(block, _)| holds(block)).map(|(_, reason)| *reason)
}

/// An interface identifier that ends in an IPv4 address (RFC 5214, section 6.1), under any prefix.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., scope, mark, _, _] = address.segments();
    matches!((scope, mark), (0x0000 | 0x0200, 0x5efe))
}

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), prefix)
}
