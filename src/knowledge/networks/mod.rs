//! Address ranges and whose they are.
//!
//! In: prefixes with their owners. Out: the owner of an address. Promise: the longest prefix wins; a look-up is a binary
//! search in intervals that do not overlap.

mod build;
mod own;
mod table;

pub use own::OwnNetworks;

/// A range of addresses, `192.0.2.0/24`, or a single one.
pub fn address_range(text: &str) -> Option<IpNet> {
    let range = text.parse::<IpNet>().ok();
    range.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

use super::KnowledgeError;
use flate2::read::GzDecoder;
use ipnet::IpNet;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

/// Whose an address range is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    /// `aws`, `github`, `google`, `microsoft`, …
    pub provider: String,
    /// AWS's name of the service, e.g. `EC2`.
    pub service: Option<String>,
    /// AWS's region.
    pub region: Option<String>,
}

/// Address ranges of providers, at a date.
#[derive(Debug, Clone)]
pub struct Networks {
    date: String,
    owners: Vec<Network>,
    /// Sorted, without overlap.
    intervals: Vec<Interval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    first: u128,
    last: u128,
    owner: u32,
}

/// The table inside the program: made by `keytrail networks build`.
const BUILT_IN: &[u8] = include_bytes!("../data/networks.txt.gz");

impl Networks {
    /// The table inside the program.
    pub fn built_in() -> Result<Self, KnowledgeError> {
        Self::read(BUILT_IN, Path::new("the table of networks inside keytrail"))
    }

    /// A table of `keytrail networks build`, or AWS's `ip-ranges.json`; either may be compressed with gzip.
    pub fn open(path: &Path) -> Result<Self, KnowledgeError> {
        let bytes = std::fs::read(path).map_err(|source| KnowledgeError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::read(&bytes, path)
    }

    fn read(bytes: &[u8], path: &Path) -> Result<Self, KnowledgeError> {
        let text = text(bytes, path)?;
        if text.trim_start().starts_with('{') {
            let (date, prefixes) = build::aws(&text, path)?;
            return Ok(Self::new(&date, prefixes));
        }
        let (date, prefixes) = table::read(&text, path)?;
        Ok(Self::new(&date, prefixes))
    }

    /// The day the ranges were published, `YYYY-MM-DD`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Whose address it is.
    pub fn lookup(&self, address: IpAddr) -> Option<&Network> {
        let address = number(address);
        let after = self
            .intervals
            .partition_point(|interval| interval.first <= address);
        let interval = self.intervals.get(after.checked_sub(1)?)?;
        (address <= interval.last).then(|| &self.owners[interval.owner as usize])
    }

    fn new(date: &str, mut prefixes: Vec<(IpNet, Network)>) -> Self {
        table::sort(&mut prefixes);
        let mut owners: Vec<Network> = prefixes.iter().map(|(_, owner)| owner.clone()).collect();
        owners.sort();
        owners.dedup();
        let ranges = prefixes.iter().filter_map(|(prefix, owner)| {
            let owner = owners.binary_search(owner).ok()?;
            let (first, last) = bounds(prefix);
            Some(Interval {
                first,
                last,
                owner: u32::try_from(owner).ok()?,
            })
        });
        let intervals = apart(ranges);
        Self {
            date: date.to_owned(),
            owners,
            intervals,
        }
    }
}

/// The text of a file that may be compressed.
fn text(bytes: &[u8], path: &Path) -> Result<String, KnowledgeError> {
    let read = |source| KnowledgeError::Read {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(bytes)
            .read_to_string(&mut text)
            .map_err(read)?;
    } else {
        let mut bytes = bytes;
        bytes.read_to_string(&mut text).map_err(read)?;
    }
    Ok(text)
}

/// IPv4 in the place that IPv6 has for it.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn bounds(prefix: &IpNet) -> (u128, u128) {
    (number(prefix.network()), number(prefix.broadcast()))
}

/// Cuts nested ranges, which come sorted and the wider first, into ranges that do not overlap.
fn apart(ranges: impl Iterator<Item = Interval>) -> Vec<Interval> {
    let mut cut: Vec<Interval> = Vec::new();
    let mut emit = |first: u128, last: u128, owner: u32| match cut.last_mut() {
        _ if first > last => {}
        Some(before) if before.owner == owner && before.last.checked_add(1) == Some(first) => {
            before.last = last;
        }
        _ => cut.push(Interval { first, last, owner }),
    };
    // The ranges that hold the current place, the widest first.
    let mut open: Vec<Interval> = Vec::new();
    let mut at = 0_u128;
    for range in ranges {
        while let Some(&top) = open.last()
            && top.last < range.first
        {
            emit(at, top.last, top.owner);
            at = at.max(top.last.saturating_add(1));
            open.pop();
        }
        if let (Some(top), Some(before)) = (open.last(), range.first.checked_sub(1)) {
            emit(at, before, top.owner);
        }
        at = range.first;
        open.push(range);
    }
    while let Some(top) = open.pop() {
        emit(at, top.last, top.owner);
        at = at.max(top.last.saturating_add(1));
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(provider: &str) -> Network {
        Network {
            provider: provider.to_owned(),
            service: None,
            region: None,
        }
    }

    fn networks(prefixes: &[(&str, &str)]) -> Networks {
        let prefixes = prefixes
            .iter()
            .map(|(prefix, owner)| (prefix.parse().unwrap(), network(owner)));
        Networks::new("2026-08-22", prefixes.collect())
    }

    fn owner<'a>(networks: &'a Networks, address: &str) -> &'a str {
        let found = networks.lookup(address.parse().unwrap());
        found.map_or("", |network| network.provider.as_str())
    }

    #[test]
    fn the_longest_prefix_wins() {
        let networks = networks(&[
            ("10.0.0.0/8", "wide"),
            ("10.1.0.0/16", "inner"),
            ("10.1.2.0/24", "innermost"),
            ("10.1.3.0/24", "neighbour"),
            ("10.255.255.0/24", "end"),
            ("11.0.0.0/32", "single"),
            ("0.0.0.0/32", "zero"),
            ("255.255.255.255/32", "last"),
            ("2a02::/16", "six"),
            ("2a02:1::/32", "inner six"),
        ]);
        let cases = [
            ("10.0.0.0", "wide"),
            ("10.0.255.255", "wide"),
            ("10.1.0.0", "inner"),
            ("10.1.2.255", "innermost"),
            ("10.1.3.0", "neighbour"),
            ("10.1.4.0", "inner"),
            ("10.2.0.0", "wide"),
            ("10.255.254.255", "wide"),
            ("10.255.255.255", "end"),
            ("11.0.0.0", "single"),
            ("11.0.0.1", ""),
            ("9.255.255.255", ""),
            ("0.0.0.0", "zero"),
            ("255.255.255.255", "last"),
            ("2a02:1::1", "inner six"),
            ("2a02:2::1", "six"),
            ("2a03::", ""),
            ("ffff::", ""),
        ];
        for (address, expected) in cases {
            assert_eq!(owner(&networks, address), expected, "{address}");
        }
    }

    #[test]
    fn intervals_agree_with_trying_every_prefix() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut prefixes = Vec::new();
        for index in 0..400 {
            let length = 4 + (next() % 29) as u8;
            let address = std::net::Ipv4Addr::from_bits((next() as u32) & 0x0fff_00ff);
            let prefix = IpNet::new(address.into(), length).unwrap().trunc();
            prefixes.push((prefix, network(&index.to_string())));
        }
        table::sort(&mut prefixes);
        let networks = Networks::new("2026-08-22", prefixes.clone());
        for _ in 0..20_000 {
            let address =
                IpAddr::from(std::net::Ipv4Addr::from_bits((next() as u32) & 0x0fff_00ff));
            let holding = prefixes
                .iter()
                .filter(|(prefix, _)| prefix.contains(&address));
            let expected = holding.max_by_key(|(prefix, _)| prefix.prefix_len());
            let expected = expected.map(|(_, network)| network);
            assert_eq!(networks.lookup(address), expected, "{address}");
        }
    }

    #[test]
    fn the_table_inside_knows_the_clouds() {
        let networks = Networks::built_in().unwrap();
        assert_eq!(networks.date(), "2026-08-22");
        let found = networks.lookup("52.94.76.1".parse().unwrap()).unwrap();
        assert_eq!(found.provider, "aws");
        let found = networks.lookup("3.5.140.1".parse().unwrap()).unwrap();
        assert_eq!(found.region.as_deref(), Some("ap-northeast-2"));
        assert_eq!(found.service.as_deref(), Some("S3"));
        assert_eq!(owner(&networks, "203.0.113.1"), "");
        assert!(BUILT_IN.len() < 300_000, "{} bytes", BUILT_IN.len());
    }
}
