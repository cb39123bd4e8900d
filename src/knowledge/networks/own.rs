//! Networks that the user names.
//!
//! In: a file with lines `CIDR name`, the name left out or not. Out: the name of an address. Promise: the longest prefix wins; a line that is wrong is
//! an error that names it, and so is a range too wide to be anybody's own.

use super::{KnowledgeError, address_range, text};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;

/// The widest ranges that somebody may own: those that registries give out, `/8` of IPv4 and `/16` of IPv6. `0.0.0.0/0` would make
/// everybody the owner.
const WIDEST: (u8, u8) = (8, 16);

/// What a network is called that has no name.
const NAMELESS: &str = "own network";

/// Networks with the names that their owner gave them.
#[derive(Debug, Clone, Default)]
pub struct OwnNetworks(Vec<(IpNet, String)>);

impl OwnNetworks {
    /// Reads a file: `192.0.2.0/24 office Berlin`, one network per line, with a name or without; `#` begins a comment.
    pub fn open(path: &Path) -> Result<Self, KnowledgeError> {
        let bytes = std::fs::read(path).map_err(|source| KnowledgeError::Read {
            path: path.to_owned(),
            source,
        })?;
        let text = text(&bytes, path)?;
        let mut networks = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let wrong = |reason: String| KnowledgeError::Line {
                path: path.to_owned(),
                line: index + 1,
                reason,
            };
            let (prefix, name) = line
                .split_once(char::is_whitespace)
                .unwrap_or((line, NAMELESS));
            let range = address_range(prefix).ok_or_else(|| {
                wrong(format!("{prefix:?} is not a network such as 192.0.2.0/24"))
            })?;
            let widest = match range {
                IpNet::V4(_) => WIDEST.0,
                IpNet::V6(_) => WIDEST.1,
            };
            if range.prefix_len() < widest {
                return Err(wrong(format!(
                    "{prefix} is too wide for one owner: at most /{widest}"
                )));
            }
            networks.push((range.trunc(), name.trim().to_owned()));
        }
        Ok(Self(networks))
    }

    /// The networks.
    pub fn ranges(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().map(|(range, _)| *range)
    }

    /// The name of the network that an address is in.
    pub fn lookup(&self, address: IpAddr) -> Option<&str> {
        let holding = self
            .0
            .iter()
            .filter(|(prefix, _)| prefix.contains(&address));
        let narrowest = holding.max_by_key(|(prefix, _)| prefix.prefix_len());
        narrowest.map(|(_, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.txt");
        std::fs::write(
            &path,
            "# ours\n192.0.2.0/24\toffice Berlin\n192.0.2.7 printer # old\n\n2001:db8::/32 VPN\n",
        )
        .unwrap();
        let own = OwnNetworks::open(&path).unwrap();
        let name = |address: &str| own.lookup(address.parse().unwrap());
        assert_eq!(name("192.0.2.1"), Some("office Berlin"));
        assert_eq!(name("192.0.2.7"), Some("printer"));
        assert_eq!(name("2001:db8::1"), Some("VPN"));
        assert_eq!(name("192.0.3.1"), None);
        std::fs::write(&path, "192.0.2.0/24\n").unwrap();
        let own = OwnNetworks::open(&path).unwrap();
        assert_eq!(
            own.lookup("192.0.2.9".parse().unwrap()),
            Some("own network")
        );
        assert_eq!(own.ranges().count(), 1);
        for wrong in [
            "office 192.0.2.0/24",
            "192.0.2.0/33 office",
            "0.0.0.0/0",
            "192.0.2.7/2 office",
            "::/0 office",
        ] {
            std::fs::write(&path, format!("\n{wrong}\n")).unwrap();
            let error = OwnNetworks::open(&path).unwrap_err().to_string();
            assert!(error.contains("networks.txt, line 2"), "{error}");
        }
    }
}
