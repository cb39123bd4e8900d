//! Guards: policies that deny, for a key that has to stay a while.
//!
//! In: what a key used. Out: [`PolicyDocument`]s, each with warnings that whoever puts it in place must have read. Promise: a
//! guard that would break what was observed is not made; the reason is given instead.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::answer;
use super::document::{Conditions, PolicyDocument, PolicyKind, Statement, packed};
use super::permissions::{Permissions, statements};
use super::uses::{Outcome, Use};
use crate::analysis::AnalysisError;
use crate::report::Report;

/// A guard on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// A permissions boundary of everything that the key used.
    Boundary,
    /// Deny from other addresses than the observed ones.
    SourceIp,
    /// Deny without MFA.
    Mfa,
    /// A service control policy against new keys and users.
    Scp,
}

impl Guard {
    /// Every guard, in the order of help texts.
    pub const ALL: [Guard; 4] = [Guard::Boundary, Guard::SourceIp, Guard::Mfa, Guard::Scp];

    /// The name people type.
    pub fn name(self) -> &'static str {
        match self {
            Guard::Boundary => "boundary",
            Guard::SourceIp => "source-ip",
            Guard::Mfa => "mfa",
            Guard::Scp => "scp",
        }
    }
}

/// A guard that was made, or the reason why not; and what its reader must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// The document, or the reason.
    pub document: Result<PolicyDocument, String>,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

/// Makes a guard: `uses` are all of the key's, `allowed` what they ask for.
pub(super) fn guard(
    guard: Guard,
    uses: &[Use],
    allowed: &Permissions,
    most_addresses: usize,
) -> Guarded {
    match guard {
        Guard::Boundary => boundary(allowed),
        Guard::SourceIp => source_ip(uses, most_addresses),
        Guard::Mfa => mfa(),
        Guard::Scp => scp(),
    }
}

fn document(name: &str, purpose: &str, statements: Vec<Statement>) -> PolicyDocument {
    PolicyDocument {
        name: format!("guard-{name}"),
        purpose: purpose.to_owned(),
        statements,
    }
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn condition(
    operator: &str,
    key: &str,
    values: &[&str],
) -> (String, BTreeMap<String, Vec<String>>) {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    (
        operator.to_owned(),
        BTreeMap::from([(key.to_owned(), values)]),
    )
}

/// A boundary is one managed policy: what does not fit with its resources is allowed by its actions alone.
fn boundary(allowed: &Permissions) -> Guarded {
    let purpose = "permissions boundary for the user: it limits the user to these permissions, whatever policies are attached later";
    let limit = PolicyKind::Managed.limit();
    let mut warnings =
        vec!["boundary: it grants nothing by itself; the user still needs its policies".to_owned()];
    let (mut groups, _) = packed(statements(allowed), limit);
    if groups.len() > 1 {
        let actions: BTreeSet<String> = allowed
            .keys()
            .map(|permission| permission.action.clone())
            .collect();
        let all = Statement {
            sid: "Observed".to_owned(),
            actions,
            resources: set(&["*"]),
            ..Statement::default()
        };
        (groups, _) = packed(vec![all], limit);
        warnings.push(
            "boundary: with resources it would be too long, so it names actions only".to_owned(),
        );
    }
    let document = match groups.len() {
        0 => Err("boundary: the key used nothing that a policy can allow".to_owned()),
        1 => Ok(document("boundary", purpose, groups.remove(0))),
        _ => Err(format!(
            "boundary: even the actions alone are more than {limit} characters"
        )),
    };
    Guarded { document, warnings }
}

fn source_ip(uses: &[Use], most: usize) -> Guarded {
    let direct = uses
        .iter()
        .filter(|of| of.via_service.is_none() && of.outcome == Outcome::Allowed);
    let (mut addresses, mut endpoints, mut hidden) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for of in direct {
        let address = of
            .source_ip_address
            .as_deref()
            .and_then(|text| text.parse::<IpAddr>().ok());
        match (&of.vpc_endpoint_id, address) {
            (Some(endpoint), _) if endpoint.starts_with("vpce-") => {
                endpoints.insert(endpoint.clone());
            }
            (_, Some(address)) if is_private(address) => {
                hidden.insert(address);
            }
            (_, Some(address)) => {
                addresses.insert(address);
            }
            _ => {}
        }
    }
    let refused = |reason: String| Guarded {
        document: Err(format!("source-ip: {reason}")),
        warnings: Vec::new(),
    };
    if !hidden.is_empty() {
        let first = hidden
            .iter()
            .next()
            .map(ToString::to_string)
            .unwrap_or_default();
        return refused(format!(
            "not created: {} private addresses ({first}, …) and no VPC endpoint to name",
            hidden.len()
        ));
    }
    if addresses.len() > most {
        return refused(format!(
            "not created: {} addresses are not a stable set (more than {most})",
            addresses.len()
        ));
    }
    if addresses.is_empty() && endpoints.is_empty() {
        return refused("not created: no address of a direct call is known".to_owned());
    }
    let cidrs: Vec<String> = addresses
        .iter()
        .map(|ip| format!("{ip}/{}", if ip.is_ipv4() { 32 } else { 128 }))
        .collect();
    let cidrs: Vec<&str> = cidrs.iter().map(String::as_str).collect();
    let vpces: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let mut conditions =
        Conditions::from([condition("BoolIfExists", "aws:ViaAWSService", &["false"])]);
    match (cidrs.is_empty(), vpces.is_empty()) {
        (false, true) => conditions.extend([condition("NotIpAddress", "aws:SourceIp", &cidrs)]),
        (true, false) => {
            conditions.extend([condition("StringNotEquals", "aws:SourceVpce", &vpces)])
        }
        // A call has an address or an endpoint, never both: each condition must let the other kind pass.
        _ => conditions.extend([
            condition("NotIpAddressIfExists", "aws:SourceIp", &cidrs),
            condition("StringNotEqualsIfExists", "aws:SourceVpce", &vpces),
        ]),
    }
    let deny = Statement {
        sid: "DenyElsewhere".to_owned(),
        deny: true,
        actions: set(&["*"]),
        resources: set(&["*"]),
        conditions,
        ..Statement::default()
    };
    let purpose = "policy for the user: the key works only from the observed addresses";
    let mut warnings = vec![
        "source-ip: calls that AWS services make on the user's behalf are allowed (aws:ViaAWSService)".to_owned(),
        "source-ip: a program's new address (another NAT gateway, another office) is denied until it is added".to_owned(),
    ];
    if vpces.is_empty() {
        warnings.push(
            "source-ip: calls through a VPC endpoint carry no public address, and are denied"
                .to_owned(),
        );
    }
    Guarded {
        document: Ok(document("source-ip", purpose, vec![deny])),
        warnings,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// What a person without MFA needs to get it, and to sign in with it.
const WITHOUT_MFA: [&str; 10] = [
    "iam:ChangePassword",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetAccountPasswordPolicy",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetSessionToken",
];

fn mfa() -> Guarded {
    let deny = Statement {
        sid: "DenyWithoutMfa".to_owned(),
        deny: true,
        actions: set(&WITHOUT_MFA),
        all_but: true,
        resources: set(&["*"]),
        conditions: Conditions::from([condition(
            "BoolIfExists",
            "aws:MultiFactorAuthPresent",
            &["false"],
        )]),
        ..Statement::default()
    };
    Guarded {
        document: Ok(document("mfa", "policy for a person's user: without MFA, only setting up MFA works", vec![deny])),
        warnings: vec![
            "mfa: calls signed with a long-term key never carry MFA and are denied: the person first calls sts:GetSessionToken with a code. Not for programs"
                .to_owned(),
        ],
    }
}

/// A report with the service control policy alone, which needs no key.
pub fn scp_report() -> Result<Report, AnalysisError> {
    let warnings = SCP_WARNINGS.map(str::to_owned).to_vec();
    answer::documents_report("Service control policy", &[scp_document()], warnings)
}

const SCP_WARNINGS: [&str; 2] = [
    "scp: it also blocks key rotation; use it for accounts that no longer have keys",
    "scp: a service control policy does not apply to the management account",
];

/// The service control policy: no new keys, no new users.
pub fn scp_document() -> PolicyDocument {
    let deny = Statement {
        sid: "DenyNewKeysAndUsers".to_owned(),
        deny: true,
        actions: set(&["iam:CreateAccessKey", "iam:CreateUser"]),
        resources: set(&["*"]),
        ..Statement::default()
    };
    let purpose =
        "service control policy for an account or organizational unit: no new keys, no new users";
    document("scp", purpose, vec![deny])
}

fn scp() -> Guarded {
    Guarded {
        document: Ok(scp_document()),
        warnings: SCP_WARNINGS.map(str::to_owned).to_vec(),
    }
}
