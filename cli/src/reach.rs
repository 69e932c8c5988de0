//! Whether deliveries can reach an endpoint, as far as names and the address policy tell. Nothing is sent.

use std::net::IpAddr;

use connector::endpoint::Endpoint;
use outbound::AddressPolicy;
use url::Host;

use crate::diagnosis::Check;

/// Whether the endpoint's name resolves, and to what the guard lets through; nothing is sent.
pub(crate) async fn reachable(name: &str, endpoint: &Endpoint, policy: &AddressPolicy) -> Check {
    let what = format!("endpoint {name}");
    let url = endpoint.url.place().as_url();
    let reach = policy.reach(url);
    if policy.forbids_all(reach) {
        return Check::fail(
            what,
            "not https on port 443, and no network is allowed",
            "use https, or allow its network: deliveries are refused",
        );
    }
    let addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
        Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
        Some(Host::Domain(host)) => match tokio::net::lookup_host((host, 0)).await {
            Ok(addresses) => addresses.map(|address| address.ip()).collect(),
            Err(_) => {
                return Check::fail(
                    what,
                    format!("{host} does not resolve from here"),
                    "mend its URL: deliveries are retried, then held as exhausted",
                );
            }
        },
        None => Vec::new(),
    };
    match addresses.iter().find_map(|address| policy.check(reach, *address).err().map(|rule| (address, rule)))
    {
        Some((address, rule)) => Check::fail(
            what,
            format!("{address} is {rule}"),
            "deliveries are refused: mend its URL, or allow its network",
        ),
        None => match addresses.first() {
            Some(address) => {
                Check::ok(what, format!("{address}{}", if endpoint.paused { ", paused" } else { "" }))
            }
            None => Check::fail(what, "its name has no address", "mend its URL"),
        },
    }
}

#[cfg(test)]
mod tests {
    use connector::endpoint::Endpoint;
    use outbound::{AddressPolicy, Networks};

    use super::reachable;
    use crate::diagnosis::State;

    async fn state(url: &str, networks: &str) -> State {
        let policy = AddressPolicy::new(Networks::parse(networks).unwrap());
        reachable("x", &Endpoint::parse(url).unwrap(), &policy).await.state
    }

    #[tokio::test]
    async fn the_guard_of_deliveries_judges() {
        assert_eq!(state("http://127.0.0.1:8080", "127.0.0.0/8").await, State::Ok);
        assert_eq!(state("http://localhost:8080", "127.0.0.0/8, ::1").await, State::Ok);
        assert_eq!(state("http://127.0.0.1:8080", "").await, State::Fail, "http needs an allowed network");
        assert_eq!(state("https://127.0.0.1", "").await, State::Fail, "loopback is not public");
        assert_eq!(state("https://169.254.169.254", "127.0.0.0/8").await, State::Fail);
    }
}
