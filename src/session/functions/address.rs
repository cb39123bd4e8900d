//! Addresses and networks.
//!
//! In: addresses as text or as sixteen bytes, networks like `10.0.0.0/8`. Out: whether one is in the other. Promise: names
//! of services, which stand in `source_ip_address` too, are in no network (null); a network that is none is an error, since
//! it is a slip of the pen in the query.

use super::function::{ArgumentKind, Arguments, Function, of_texts, text, texts};
use arrow::array::{ArrayRef, BinaryArray, BooleanArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ScalarUDF;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

pub(super) fn all() -> Vec<ScalarUDF> {
    vec![
        Function::udf(
            "ip_in_cidr",
            Arguments::all(&[
                ("address", ArgumentKind::Text),
                ("network", ArgumentKind::Text),
            ]),
            |_| Ok(DataType::Boolean),
            |arrays, _| {
                let addresses = text(&arrays[0])?;
                let addresses = addresses.iter().map(|text| text?.parse().ok());
                in_networks(addresses, &texts(&arrays[1..])?[0])
            },
        ),
        // `IPADDRESS '…'` and `CAST(… AS IPADDRESS)` become this: see `dialect`.
        of_texts::<[u8; 16], BinaryArray>(
            IP_ADDRESS,
            Arguments::all(&[("address", ArgumentKind::Text)]),
            |_| Ok(DataType::Binary),
            |row| Some(bytes(row[0].parse().ok()?)),
        ),
    ]
}

/// The name of the function that makes an address of a text: the bytes of `source_ip`.
pub(crate) const IP_ADDRESS: &str = "ip_address";

fn bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The address that sixteen bytes are.
pub(super) fn of_bytes(bytes: &[u8]) -> Option<IpAddr> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some(Ipv6Addr::from(bytes).to_canonical())
}

/// Whether each address is in its network.
pub(super) fn in_networks(
    addresses: impl Iterator<Item = Option<IpAddr>>,
    networks: &StringArray,
) -> Result<ArrayRef> {
    let mut last: Option<(&str, IpNet)> = None;
    let within = addresses.zip(networks).map(|(address, network)| {
        let Some(network) = network else {
            return Ok(None);
        };
        let net = match last {
            Some((text, net)) if text == network => net,
            _ => parse(network)?,
        };
        last = Some((network, net));
        Ok(address.map(|address| net.contains(&address.to_canonical())))
    });
    Ok(Arc::new(within.collect::<Result<BooleanArray>>()?))
}

fn parse(network: &str) -> Result<IpNet> {
    let network = network.trim();
    network
        .parse()
        .or_else(|_| network.parse().map(|address: IpAddr| IpNet::from(address)))
        .map_err(|_| exec_datafusion_err!("{network:?} is not a network like 10.0.0.0/8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn addresses_in_networks() -> Result<()> {
        let within = |address: &str, network: &str| -> Result<Option<bool>> {
            let addresses = std::iter::once(address.parse().ok());
            let result = in_networks(addresses, &StringArray::from(vec![network]))?;
            Ok(result.as_boolean().iter().next().flatten())
        };
        assert_eq!(within("10.1.2.3", "10.0.0.0/8")?, Some(true));
        assert_eq!(within("11.1.2.3", "10.0.0.0/8")?, Some(false));
        assert_eq!(within("::ffff:10.1.2.3", "10.0.0.0/8")?, Some(true));
        assert_eq!(within("2001:db8::1", "2001:db8::/32")?, Some(true));
        assert_eq!(within("2001:db8::1", "10.0.0.0/8")?, Some(false));
        assert_eq!(within("10.1.2.3", "10.1.2.3")?, Some(true));
        assert_eq!(within("AWS Internal", "10.0.0.0/8")?, None);
        let error = within("10.1.2.3", "10.0.0.0/40")
            .err()
            .map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("10.0.0.0/40")));
        Ok(())
    }

    #[test]
    fn bytes_are_addresses_again() {
        for text in ["10.0.0.1", "2001:db8::1"] {
            let address: IpAddr = text.parse().expect("an address");
            assert_eq!(of_bytes(&bytes(address)), Some(address));
        }
        assert_eq!(of_bytes(b"x"), None);
    }
}
