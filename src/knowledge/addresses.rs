//! What an address says about where a call came from.
//!
//! In: `sourceIPAddress` and what is known of networks: the user's own names, addresses that the log shows as ours, ranges
//! that providers publish, MaxMind's databases. Out: an [`AddressClass`]. Promise: what is nearer to the user wins over what
//! somebody published; what an answer rests on is said by [`AddressBook::sources`].

use super::{Coordinates, GeoIp, GeoRecord, KnowledgeError, Networks, OwnNetworks};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

/// What kind of place an address is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressClass {
    /// In a network that the user named.
    Own(String),
    /// An address that the log shows as ours, and what it is.
    Ours(String),
    /// Through a VPC endpoint.
    VpcEndpoint,
    /// A private address.
    Private,
    /// In AWS, by service and region as AWS publishes them.
    Aws {
        /// E.g. `EC2`, `CODEBUILD`; `AMAZON` when AWS says no more.
        service: String,
        /// E.g. `eu-west-1`.
        region: String,
    },
    /// In GitHub's ranges, which are mostly those of Actions' hosted runners.
    GitHub,
    /// In another cloud or content network.
    Cloud(String),
    /// The name of an AWS service in the place of an address.
    AwsService(String),
    /// `AWS Internal` in the place of an address.
    AwsInternal,
    /// In no range that is known: an office, a home, a data centre, a small provider.
    Public,
    /// No address.
    Unknown,
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressClass::Own(name) => f.write_str(name),
            AddressClass::Ours(what) => write!(f, "ours: {what}"),
            AddressClass::VpcEndpoint => f.write_str("VPC endpoint"),
            AddressClass::Private => f.write_str("private address"),
            AddressClass::Aws { service, region } => write!(f, "AWS {service} {region}"),
            AddressClass::GitHub => f.write_str("GitHub"),
            AddressClass::Cloud(provider) => f.write_str(cloud_title(provider)),
            AddressClass::AwsService(name) => f.write_str(name),
            AddressClass::AwsInternal => f.write_str("AWS Internal"),
            AddressClass::Public => f.write_str("public address"),
            AddressClass::Unknown => f.write_str("no address"),
        }
    }
}

/// Clouds as they write themselves.
const CLOUDS: &[(&str, &str)] = &[
    ("google", "Google"),
    ("microsoft", "Microsoft"),
    ("oracle", "Oracle"),
    ("digitalocean", "DigitalOcean"),
    ("linode", "Linode"),
    ("vultr", "Vultr"),
    ("cloudflare", "Cloudflare"),
];

fn cloud_title(provider: &str) -> &str {
    let known = CLOUDS.iter().find(|(name, _)| *name == provider);
    known.map_or(provider, |(_, title)| *title)
}

/// Everything that is known of networks.
#[derive(Debug)]
pub struct AddressBook {
    networks: Networks,
    own: OwnNetworks,
    geoip: Option<GeoIp>,
}

impl AddressBook {
    /// What the program itself knows.
    pub fn built_in() -> Result<Self, KnowledgeError> {
        Ok(Self::new(Networks::built_in()?))
    }

    /// A book on these ranges.
    pub fn new(networks: Networks) -> Self {
        Self {
            networks,
            own: OwnNetworks::default(),
            geoip: None,
        }
    }

    /// Adds networks that the user named.
    #[must_use]
    pub fn with_own(mut self, own: OwnNetworks) -> Self {
        self.own = own;
        self
    }

    /// Adds MaxMind's databases.
    #[must_use]
    pub fn with_geoip(mut self, geoip: GeoIp) -> Self {
        self.geoip = Some(geoip);
        self
    }

    /// What the answers rest on, with dates.
    pub fn sources(&self) -> Vec<String> {
        let ranges = format!("address ranges of {}", self.networks.date());
        let geoip = self.geoip.iter().flat_map(GeoIp::kinds);
        std::iter::once(ranges).chain(geoip).collect()
    }

    /// The class of an address; `ours` are addresses that the log shows as ours, and what they are.
    pub fn classify(&self, address: &str, ours: &HashMap<IpAddr, String>) -> AddressClass {
        let Ok(ip) = address.parse::<IpAddr>() else {
            return match address {
                "AWS Internal" => AddressClass::AwsInternal,
                name if name.ends_with(".amazonaws.com") => {
                    AddressClass::AwsService(name.to_owned())
                }
                name if name.starts_with("AWS Internal/") => AddressClass::AwsInternal,
                _ => AddressClass::Unknown,
            };
        };
        let ip = ip.to_canonical();
        if let Some(name) = self.own.lookup(ip) {
            return AddressClass::Own(name.to_owned());
        }
        if let Some(what) = ours.get(&ip) {
            return AddressClass::Ours(what.clone());
        }
        if is_private(ip) {
            return AddressClass::Private;
        }
        let Some(network) = self.networks.lookup(ip) else {
            return AddressClass::Public;
        };
        match network.provider.as_str() {
            "aws" => AddressClass::Aws {
                service: network.service.clone().unwrap_or_default(),
                region: network.region.clone().unwrap_or_default(),
            },
            "github" => AddressClass::GitHub,
            provider => AddressClass::Cloud(provider.to_owned()),
        }
    }

    /// An address's class and, where there are databases, its operator, city and country, in words.
    pub fn describe(&self, address: &str, class: &AddressClass) -> String {
        match self.place(address) {
            Some(place) => format!("{class}, {place}"),
            None => class.to_string(),
        }
    }

    /// Whether an address is in a network that the user named.
    pub fn is_own(&self, address: IpAddr) -> bool {
        self.own.lookup(address).is_some()
    }

    /// Where an address is, where there are databases that know it.
    pub fn coordinates(&self, address: &str) -> Option<Coordinates> {
        self.geoip.as_ref()?.coordinates(address.parse().ok()?)
    }

    fn place(&self, address: &str) -> Option<GeoRecord> {
        self.geoip.as_ref()?.lookup(address.parse().ok()?)
    }
}

/// Addresses that are not routed in the Internet.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let carrier = a == 100 && (64..128).contains(&b);
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || carrier
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let book = AddressBook::built_in().unwrap();
        let ours = HashMap::from([("198.51.100.7".parse().unwrap(), "elastic IP".to_owned())]);
        let class = |address: &str| book.classify(address, &ours).to_string();
        let cases = [
            ("10.1.2.3", "private address"),
            ("100.64.0.1", "private address"),
            ("fd00::1", "private address"),
            ("::ffff:10.1.2.3", "private address"),
            ("198.51.100.7", "ours: elastic IP"),
            ("198.51.100.8", "public address"),
            ("2001:db8::1", "public address"),
            ("AWS Internal", "AWS Internal"),
            ("kms.amazonaws.com", "kms.amazonaws.com"),
            ("nonsense", "no address"),
            ("", "no address"),
            ("3.5.140.1", "AWS S3 ap-northeast-2"),
            ("34.86.77.9", "Google"),
        ];
        for (address, expected) in cases {
            assert_eq!(class(address), expected, "{address}");
        }
    }
}
