//! The policy by itself: spellings with their verdicts, and what holds for every address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use outbound::{Reach, Rule};
use proptest::prelude::*;
use url::{Host, Url};

use crate::support::policy;

/// A spelling in a URL, and what its address is; empty where it is globally routable.
const SPELLINGS: &[(&str, &str)] = &[
    // Public.
    ("1.1.1.1", ""),
    ("8.8.8.8", ""),
    ("134744072", ""),
    ("9.255.255.255", ""),
    ("11.0.0.0", ""),
    ("100.63.255.255", ""),
    ("100.128.0.0", ""),
    ("126.255.255.255", ""),
    ("128.0.0.0", ""),
    ("169.253.255.255", ""),
    ("169.255.0.0", ""),
    ("172.15.255.255", ""),
    ("172.32.0.0", ""),
    ("192.0.1.0", ""),
    ("192.167.255.255", ""),
    ("192.169.0.0", ""),
    ("198.17.255.255", ""),
    ("198.20.0.0", ""),
    ("223.255.255.255", ""),
    ("[2606:4700:4700::1111]", ""),
    ("[2a00:1450:4001:80e::200e]", ""),
    ("[2001:200::1]", ""),
    ("[2003::1]", ""),
    ("[3fff:1000::1]", ""),
    ("[::ffff:8.8.8.8]", ""),
    ("[64:ff9b::8.8.8.8]", ""),
    // This host and this network.
    ("0.0.0.0", "unspecified (RFC 1122)"),
    ("0", "unspecified (RFC 1122)"),
    ("0.1.2.3", "of \"this network\" (RFC 791)"),
    ("[::]", "unspecified (RFC 4291)"),
    // Loopback, in every spelling.
    ("127.0.0.1", "loopback (RFC 1122)"),
    ("127.255.255.255", "loopback (RFC 1122)"),
    ("127.0.0.1.", "loopback (RFC 1122)"),
    ("127.1", "loopback (RFC 1122)"),
    ("127.0.1", "loopback (RFC 1122)"),
    ("2130706433", "loopback (RFC 1122)"),
    ("0177.0.0.1", "loopback (RFC 1122)"),
    ("017700000001", "loopback (RFC 1122)"),
    ("0x7f.1", "loopback (RFC 1122)"),
    ("0x7f000001", "loopback (RFC 1122)"),
    ("0X7F.0.0.0x1", "loopback (RFC 1122)"),
    ("%31%32%37.0.0.1", "loopback (RFC 1122)"),
    ("127%2e0%2e0%2e1", "loopback (RFC 1122)"),
    ("\u{ff11}\u{ff12}\u{ff17}.0.0.1", "loopback (RFC 1122)"),
    ("127\u{3002}0\u{3002}0\u{3002}1", "loopback (RFC 1122)"),
    ("\u{2460}\u{2461}\u{2466}.0.0.1", "loopback (RFC 1122)"),
    ("[::1]", "loopback (RFC 4291)"),
    ("[0:0:0:0:0:0:0:1]", "loopback (RFC 4291)"),
    // Inside.
    ("10.0.0.1", "private (RFC 1918)"),
    ("172.16.0.1", "private (RFC 1918)"),
    ("172.31.255.255", "private (RFC 1918)"),
    ("192.168.1.1", "private (RFC 1918)"),
    ("100.64.0.1", "shared by a carrier's NAT (RFC 6598)"),
    ("100.100.100.200", "shared by a carrier's NAT (RFC 6598)"),
    ("169.254.1.1", "link-local (RFC 3927)"),
    ("169.254.169.254", "the instance metadata service"),
    ("2852039166", "the instance metadata service"),
    ("0xa9fea9fe", "the instance metadata service"),
    ("169.254.170.2", "link-local (RFC 3927)"),
    ("[fd00:ec2::254]", "the instance metadata service"),
    ("[fd20:ce::254]", "the instance metadata service"),
    ("[fc00::1]", "unique local (RFC 4193)"),
    ("[fdff::1]", "unique local (RFC 4193)"),
    ("[fe80::1]", "link-local (RFC 4291)"),
    ("[fec0::1]", "site-local (RFC 3879)"),
    // Reserved.
    ("192.0.0.9", "reserved for IETF protocols (RFC 6890)"),
    ("192.0.2.1", "for documentation (RFC 5737)"),
    ("198.51.100.1", "for documentation (RFC 5737)"),
    ("203.0.113.1", "for documentation (RFC 5737)"),
    ("192.88.99.1", "a former 6to4 relay (RFC 7526)"),
    ("198.18.0.1", "for benchmarking (RFC 2544)"),
    ("198.19.255.255", "for benchmarking (RFC 2544)"),
    ("224.0.0.1", "multicast (RFC 5771)"),
    ("239.255.255.255", "multicast (RFC 5771)"),
    ("240.0.0.1", "reserved for future use (RFC 1112)"),
    ("255.255.255.255", "broadcast (RFC 919)"),
    ("4294967295", "broadcast (RFC 919)"),
    ("[100::1]", "discard-only (RFC 6666)"),
    ("[100:0:0:1::1]", "a dummy (RFC 9780)"),
    ("[2001:1::1]", "reserved for IETF protocols (RFC 2928)"),
    ("[2001:2::1]", "for benchmarking (RFC 5180)"),
    ("[2001:10::1]", "an ORCHID (RFC 4843)"),
    ("[2001:20::1]", "an ORCHID (RFC 7343)"),
    ("[2001:30::1]", "a drone's tag (RFC 9374)"),
    ("[2001:db8::1]", "for documentation (RFC 3849)"),
    ("[3fff::1]", "for documentation (RFC 9637)"),
    ("[3fff:fff:ffff::1]", "for documentation (RFC 9637)"),
    ("[5f00::1]", "a segment identifier (RFC 9602)"),
    ("[ff02::1]", "multicast (RFC 4291)"),
    ("[ff0e::1]", "multicast (RFC 4291)"),
    ("[1fff::1]", "not global unicast (RFC 4291)"),
    ("[4000::1]", "not global unicast (RFC 4291)"),
    ("[e000::1]", "not global unicast (RFC 4291)"),
    // Carriers of IPv4.
    ("[::ffff:127.0.0.1]", "loopback (RFC 1122)"),
    ("[::ffff:a9fe:a9fe]", "the instance metadata service"),
    ("[0:0:0:0:0:ffff:10.0.0.1]", "private (RFC 1918)"),
    ("[64:ff9b::7f00:1]", "loopback (RFC 1122)"),
    ("[64:ff9b::169.254.169.254]", "the instance metadata service"),
    ("[::127.0.0.1]", "an IPv4-compatible address (RFC 4291)"),
    ("[::8.8.8.8]", "an IPv4-compatible address (RFC 4291)"),
    ("[::ffff:0:8.8.8.8]", "an IPv4-translated address (RFC 2765)"),
    ("[64:ff9b:1::8.8.8.8]", "of a local NAT64 (RFC 8215)"),
    ("[2002:7f00:1::]", "a 6to4 tunnel (RFC 3056)"),
    ("[2002:808:808::]", "a 6to4 tunnel (RFC 3056)"),
    ("[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "a Teredo tunnel (RFC 4380)"),
    ("[2606:4700::5efe:127.0.0.1]", "an ISATAP tunnel (RFC 5214)"),
    ("[2606:4700::200:5efe:8.8.8.8]", "an ISATAP tunnel (RFC 5214)"),
];

fn address(spelling: &str) -> IpAddr {
    let address = match Url::parse(&format!("https://{spelling}/")).unwrap().host().unwrap() {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    };
    address.unwrap_or_else(|| unreachable!("{spelling} was read as a name"))
}

fn globally(address: IpAddr) -> Result<(), Rule> {
    policy("").check(Reach::Global, address)
}

#[test]
fn every_spelling_of_an_address_has_its_verdict() {
    assert!(SPELLINGS.len() >= 60);
    for (spelling, reason) in SPELLINGS {
        let verdict = globally(address(spelling)).err().map(|rule| rule.to_string());
        assert_eq!(verdict.as_deref().unwrap_or_default(), *reason, "{spelling}");
    }
}

#[test]
fn only_https_on_port_443_reaches_beyond_the_allowed_networks() {
    let policy = policy("127.0.0.0/8");
    for url in ["https://a.example/", "https://a.example:443/", "HTTPS://a.example:0443/"] {
        assert_eq!(policy.reach(&Url::parse(url).unwrap()), Reach::Global, "{url}");
    }
    for url in ["http://a.example/", "http://a.example:443/", "https://a.example:8443/", "ftp://a.example/"] {
        assert_eq!(policy.reach(&Url::parse(url).unwrap()), Reach::AllowedNetworks, "{url}");
    }
    assert_eq!(policy.check(Reach::AllowedNetworks, address("8.8.8.8")), Err(Rule::OutsideNetworks));
    assert_eq!(policy.check(Reach::AllowedNetworks, address("10.0.0.1")), Err(Rule::OutsideNetworks));
    assert_eq!(policy.check(Reach::AllowedNetworks, address("127.0.0.1")), Ok(()));
    assert!(!policy.forbids_all(Reach::AllowedNetworks) && !policy.forbids_all(Reach::Global));
}

#[test]
fn a_network_of_ipv6_opens_no_ipv4_that_is_written_as_ipv6() {
    let all = policy("::/0");
    assert_eq!(all.check(Reach::Global, address("[fe80::1]")), Ok(()));
    let mapped = all.check(Reach::Global, address("[::ffff:127.0.0.1]"));
    assert_eq!(mapped, Err(Rule::NotGlobal("loopback (RFC 1122)")));
}

/// IPv4 as each carrier writes it.
fn carriers(v4: Ipv4Addr, noise: u64) -> Vec<Ipv6Addr> {
    let v4 = u128::from(v4.to_bits());
    let noise = u128::from(noise);
    [
        0xffff << 32 | v4,                                           // mapped
        v4,                                                          // compatible
        0xffff << 48 | v4,                                           // translated
        0x0064_ff9b << 96 | v4,                                      // NAT64
        0x0064_ff9b_0001 << 80 | v4,                                 // local NAT64
        0x2002 << 112 | v4 << 80 | noise,                            // 6to4
        0x2001_0000 << 96 | v4 << 64 | noise,                        // Teredo, server
        0x2001_0000 << 96 | noise << 32 | (v4 ^ 0xffff_ffff),        // Teredo, client
        0x2606_4700 << 96 | (noise >> 32) << 64 | 0x5efe << 32 | v4, // ISATAP
        0x2606_4700 << 96 | (noise >> 32) << 64 | 0x0200_5efe << 32 | v4,
    ]
    .map(Ipv6Addr::from_bits)
    .to_vec()
}

/// Any address of IPv4, but often a forbidden one.
fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
    let forbidden = prop::sample::select(vec![
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "100.64.0.1",
    ]);
    prop_oneof![any::<u32>().prop_map(Ipv4Addr::from), forbidden.prop_map(|text| text.parse().unwrap())]
}

proptest! {
    #[test]
    fn every_address_carrier_inherits_its_verdict_or_is_refused(v4 in any_v4(), noise: u64) {
        let verdict = globally(v4.into());
        for (index, carrier) in carriers(v4, noise).into_iter().enumerate() {
            let carried = globally(carrier.into());
            prop_assert!(carried.is_err() || verdict.is_ok(), "{carrier} is looser than {v4}");
            if [0, 3].contains(&index) {
                prop_assert_eq!(carried, verdict, "{} inherits", carrier);
            } else {
                prop_assert!(carried.is_err(), "{carrier} is refused whole");
            }
        }
    }

    #[test]
    fn no_carrier_slips_through_a_network_that_is_allowed(v4 in any_v4(), noise: u64, other in any_v4()) {
        let policy = policy(&format!("{other}, 127.0.0.0/8"));
        for reach in [Reach::Global, Reach::AllowedNetworks] {
            for carrier in carriers(v4, noise) {
                let allowed = policy.check(reach, carrier.into()).is_ok();
                prop_assert!(!allowed || policy.check(reach, v4.into()).is_ok(), "{carrier} is looser than {v4}");
            }
        }
    }

    #[test]
    fn ipv6_outside_global_unicast_is_refused_unless_it_is_public_ipv4(bits: u128) {
        let address = Ipv6Addr::from_bits(bits);
        prop_assume!(bits >> 125 != 1);
        prop_assume!(bits >> 32 != 0xffff && bits >> 32 != 0x0064_ff9b << 64);
        prop_assert!(globally(address.into()).is_err());
        prop_assert!(policy(&address.to_string()).check(Reach::Global, address.into()).is_ok());
    }

    #[test]
    fn an_allowed_network_wins(bits: u128, v4: u32, prefix in 0..=32_u8) {
        let v6 = IpAddr::from(Ipv6Addr::from_bits(bits));
        prop_assume!(bits >> 32 != 0xffff);
        let network = ipnet::IpNet::new(Ipv4Addr::from(v4).into(), prefix).unwrap().trunc();
        let policy = policy(&format!("{v6}, {network}"));
        for address in [v6, network.network(), network.broadcast(), Ipv4Addr::from(v4).into()] {
            prop_assert_eq!(policy.check(Reach::Global, address), Ok(()));
            prop_assert_eq!(policy.check(Reach::AllowedNetworks, address), Ok(()));
        }
    }

    #[test]
    fn http_reaches_nothing_that_https_does_not(bits: u128, v4: u32) {
        let policy = policy("10.0.0.0/8, fd00::/8");
        for address in [IpAddr::from(Ipv6Addr::from_bits(bits)), Ipv4Addr::from(v4).into()] {
            let http = policy.check(Reach::AllowedNetworks, address);
            prop_assert!(http.is_err() || policy.check(Reach::Global, address).is_ok());
        }
    }
}
