//! What is known beforehand.
//!
//! In: what people say of their networks and of the incident, and what else the log shows of the credential's owner. Out:
//! [`Known`]. Promise: what people say decides; the rest is weighed.

use crate::knowledge::AddressBook;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Sign-ins to the console by a user from an address.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct SignIn {
    pub(in crate::analysis) address: String,
    /// The first.
    pub(in crate::analysis) time: i64,
    /// The first with a second factor.
    pub(in crate::analysis) mfa: Option<i64>,
}

/// What is known.
#[derive(Debug, Clone, Default)]
pub(in crate::analysis) struct Known<'a> {
    /// All of the owner's networks; any other address is an intruder's.
    pub(in crate::analysis) networks: &'a [IpNet],
    /// When the incident began: what is first seen from then on is the intruder's.
    pub(in crate::analysis) incident_start: Option<i64>,
    /// The intruder's address.
    pub(in crate::analysis) address: Option<&'a str>,
    /// Addresses that other sessions of the same role use.
    pub(in crate::analysis) usual_addresses: BTreeSet<String>,
    /// Where the user signed in to the console.
    pub(in crate::analysis) sign_ins: Vec<SignIn>,
    /// Where other users of the account signed in.
    pub(in crate::analysis) colleagues: Vec<SignIn>,
    /// When the credential was made, if the log shows it.
    pub(in crate::analysis) made: Option<i64>,
    /// What is known of networks and places, the owner's own networks among them; of other addresses these say nothing.
    pub(in crate::analysis) book: Option<&'a AddressBook>,
    /// Whether the credential is one temporary session.
    pub(in crate::analysis) is_session: bool,
    /// Whether unusual use is expected of its principal.
    pub(in crate::analysis) is_break_glass: bool,
}

impl Known<'_> {
    /// Whether an address is in a network that people call the owner's.
    pub(super) fn is_owners(&self, address: &str) -> bool {
        let Ok(ip) = address.parse::<IpAddr>() else {
            return false;
        };
        self.networks.iter().any(|network| network.contains(&ip))
            || self.book.is_some_and(|book| book.is_own(ip))
    }
}
