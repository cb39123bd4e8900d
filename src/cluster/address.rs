//! Where a cluster is.
//!
//! In: `df://host:port`. Out: the host and port of its scheduler. Promise: nothing is asked of the network.

use std::fmt;
use std::str::FromStr;
use url::Url;

/// The scheduler's port unless another one is given.
const PORT: u16 = 50050;

/// The scheduler of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its name or address; an address of IPv6 in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// A text that names no cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not name a cluster: write df://HOST:PORT")]
pub struct InvalidAddress(String);

impl Address {
    /// The address for gRPC.
    pub(super) fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "df://{}:{}", self.host, self.port)
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAddress(text.to_owned());
        let url = Url::parse(text).map_err(|_| invalid())?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        match url.host_str() {
            Some(host) if url.scheme() == "df" && bare && !host.is_empty() => Ok(Self {
                host: host.to_owned(),
                port: url.port().unwrap_or(PORT),
            }),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.url());
        assert_eq!(
            read("df://scheduler.internal:4000").unwrap(),
            "http://scheduler.internal:4000"
        );
        assert_eq!(read("df://10.0.0.7").unwrap(), "http://10.0.0.7:50050");
        assert_eq!(read("df://[::1]:50050/").unwrap(), "http://[::1]:50050");
        for wrong in [
            "",
            "localhost:50050",
            "http://localhost:50050",
            "df://",
            "df://user:secret@host:1",
            "df://host:1/path",
            "df://host:1?a=b",
            "df://host:99999",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
