//! Vendors and their AWS accounts.
//!
//! In: an account id, or a program's name. Out: whose it is. Promise: a dated copy of `fwdcloudsec/known_aws_accounts`, made by
//! `data/vendors.py`; see `data/NOTICE.md`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The day of the copy.
pub const VENDORS_DATE: &str = "2026-08-22";

/// Lines of account, name, and `aws` where AWS itself is the vendor.
const TABLE: &str = include_str!("data/vendors.tsv");

/// Names of vendors shorter than this are found in too many other words.
const SHORTEST_NAME: usize = 5;

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// The vendor's name, or AWS's service's.
    pub name: &'static str,
    /// Whether it is a service of AWS.
    pub aws: bool,
}

static ACCOUNTS: LazyLock<HashMap<&'static str, Vendor>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (account, name) = (fields.next()?, fields.next()?);
        let aws = fields.next() == Some("aws");
        Some((account, Vendor { name, aws }))
    });
    rows.collect()
});

/// Whose account it is, if it is a vendor's.
pub fn vendor(account: &str) -> Option<Vendor> {
    ACCOUNTS.get(account).copied()
}

/// The vendor whose name a program's name begins with, e.g. Datadog in `Datadog-Crawler`.
pub fn vendor_named_in(program: &str) -> Option<Vendor> {
    let program = plain(program);
    let named = ACCOUNTS.values().filter(|vendor| !vendor.aws);
    let fitting = named.filter(|vendor| {
        let name = plain(vendor.name);
        name.len() >= SHORTEST_NAME && program.starts_with(&name)
    });
    // The longest name, and the first of those, so that the order of the table does not matter.
    fitting.copied().max_by(|a, b| {
        let length = a.name.len().cmp(&b.name.len());
        length.then_with(|| b.name.cmp(a.name))
    })
}

/// Letters and digits only, small.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_by_account_and_name() {
        assert!(ACCOUNTS.len() > 400, "{}", ACCOUNTS.len());
        assert_eq!(vendor("464622532012").unwrap().name, "Datadog");
        assert_eq!(vendor("123456789012"), None);
        assert_eq!(vendor_named_in("Datadog-Crawler").unwrap().name, "Datadog");
        assert_eq!(vendor_named_in("nightly-report"), None);
    }
}
