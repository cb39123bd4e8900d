//! Where an address is.
//!
//! In: an address. Out: its [`Place`]: the network of a provider, or the neighbourhood of a site that no provider publishes.
//! Promise: two addresses of one office or one server room have one place; an address that is a name has none.

use crate::knowledge::Networks;
use std::net::IpAddr;

/// A place in the network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// A provider's network; AWS's by region.
    Provider {
        name: String,
        region: Option<String>,
    },
    /// A private network.
    Private,
    /// The neighbourhood of a public address.
    Site(String),
}

impl Place {
    /// Of an address, if it is one.
    pub(super) fn of(networks: &Networks, address: &str) -> Option<Self> {
        let ip: IpAddr = address.parse().ok()?;
        if is_private(ip) {
            return Some(Place::Private);
        }
        if let Some(network) = networks.lookup(ip) {
            return Some(Place::Provider {
                name: network.provider.clone(),
                region: network.region.clone(),
            });
        }
        Some(Place::Site(neighbourhood(ip)))
    }

    /// Whether it is in AWS, where workloads run.
    pub(super) fn is_aws(&self) -> bool {
        match self {
            Place::Provider { name, .. } => name == "aws",
            Place::Private => true,
            Place::Site(_) => false,
        }
    }

    /// The provider.
    pub(super) fn provider(&self) -> Option<&str> {
        match self {
            Place::Provider { name, .. } => Some(name),
            _ => None,
        }
    }

    /// For a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Place::Provider {
                name,
                region: Some(region),
            } => format!("{name} {region}"),
            Place::Provider { name, region: None } => name.clone(),
            Place::Private => "a private network".to_owned(),
            Place::Site(range) => range.clone(),
        }
    }
}

/// Addresses that no router of the Internet carries (RFC 1918, RFC 6598, RFC 4193).
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.segments()[0] & 0xfe00 == 0xfc00,
    }
}

/// A site seldom has more than this: 256 addresses, or the /48 that a site is given in IPv6 (RFC 6177).
fn neighbourhood(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_have_one_place() {
        let networks = Networks::built_in().unwrap();
        let place = |address| Place::of(&networks, address);
        assert_eq!(place("203.0.113.10"), place("203.0.113.99"));
        assert_ne!(place("203.0.113.10"), place("198.51.100.10"));
        assert_eq!(place("10.1.2.3"), Some(Place::Private));
        assert!(place("3.80.12.13").unwrap().is_aws());
        assert_eq!(place("ec2.amazonaws.com"), None);
        assert_eq!(place("2001:db8:1:2::3"), place("2001:db8:1:9::4"));
    }
}
