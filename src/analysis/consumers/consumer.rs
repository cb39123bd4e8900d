//! What a consumer is.
//!
//! In: nothing. Out: [`Consumer`] and the words it is described with. Promise: plain data; the ids stay the same when more of
//! the same consumer is seen.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// A program, machine or person that uses an access key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consumer {
    /// The key it uses.
    pub access_key_id: String,
    /// A stable id: of the key, the program and the place, not of counts.
    pub consumer_id: String,
    /// What it is, in words: `Lambda python3.12, eu-west-1, writes s3://acme-exports`.
    pub name: String,
    /// What kind of workload it is.
    pub workload: Workload,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why, in words; what speaks against it begins with `but`.
    pub evidence: Vec<String>,
    /// What a responder should look at: attack tools, penetration-test systems.
    pub warnings: Vec<String>,
    /// The addresses it calls from.
    pub source_ip_addresses: Vec<AddressUse>,
    /// Its user agents as they were logged.
    pub user_agents: Vec<Counted>,
    /// What it calls.
    pub api_calls: Vec<ApiUse>,
    /// What its calls are about: ARNs, objects by the first folder of their key.
    pub resources: Vec<Counted>,
    /// The regions it calls.
    pub regions: Vec<String>,
    /// Its calls.
    pub events: u64,
    /// Those with an error code.
    pub errors: u64,
    /// Its first call.
    pub first_seen: DateTime<Utc>,
    /// Its last call.
    pub last_seen: DateTime<Utc>,
    /// How regularly it calls.
    pub cadence: Cadence,
    /// Its activity per day (UTC).
    pub days: BTreeMap<NaiveDate, DayUse>,
    /// What it should use instead of the key.
    pub move_to: Target,
    /// The program, without what changes from version to version; consumers of one program have one text.
    pub program: String,
    /// Consumers of a key with the same addresses have the same id here: programs of one machine, network or job.
    pub site: String,
    /// Where the program found the key: `env-vars`, `profile`, `code`, …; empty where its user agent does not say.
    pub credential_sources: Vec<String>,
    /// Who may know it: names of users, sessions, applications, creators.
    pub owner_hints: Vec<String>,
    /// The key's user.
    pub user_name: Option<String>,
    /// The key's account.
    pub account_id: Option<String>,
}

/// Calls from an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddressUse {
    /// The address.
    pub source_ip_address: String,
    /// Whose it is.
    pub network: String,
    /// Calls from it.
    pub events: u64,
    /// The first.
    pub first_seen: DateTime<Utc>,
    /// The last.
    pub last_seen: DateTime<Utc>,
}

/// Something that was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// What.
    pub name: String,
    /// How many calls.
    pub events: u64,
}

/// Sums by name, the most first.
pub(super) fn counted<'a>(uses: impl Iterator<Item = (&'a str, u64)>) -> Vec<Counted> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, events) in uses {
        *sums.entry(name).or_default() += events;
    }
    let mut counted: Vec<Counted> = sums
        .into_iter()
        .map(|(name, events)| Counted {
            name: name.to_owned(),
            events,
        })
        .collect();
    counted.sort_by_key(|one| Reverse(one.events));
    counted
}

/// Calls of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiUse {
    /// The service, e.g. `s3.amazonaws.com`.
    pub event_source: String,
    /// The call without a date suffix, e.g. `CreateFunction`.
    pub operation: String,
    /// How many.
    pub events: u64,
    /// How many with an error code.
    pub errors: u64,
    /// Whether it changes nothing.
    pub read_only: bool,
}

/// Activity of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayUse {
    /// Calls.
    pub events: u64,
    /// Those with an error code.
    pub errors: u64,
    /// Hours (UTC) with calls, one bit each.
    pub hours: u32,
    /// The first call.
    pub first_seen: DateTime<Utc>,
    /// The last call.
    pub last_seen: DateTime<Utc>,
}

/// How regularly a consumer calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cadence {
    /// In a word: `daily`, `weekly`, …
    pub pattern: Pattern,
    /// The usual time between two bursts of calls, in seconds.
    pub typical_gap_seconds: Option<i64>,
    /// The longest time without a call between two calls, in seconds.
    pub longest_gap_seconds: i64,
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $id:ident $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $id,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// As reports write it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// Kinds of workload.
    Workload {
        /// A virtual machine in AWS.
        Ec2 "ec2",
        /// A Lambda function.
        Lambda "lambda",
        /// A container of ECS.
        Ecs "ecs",
        /// A pod of EKS.
        Eks "eks",
        /// A build of CodeBuild.
        CodeBuild "codebuild",
        /// A shell in the AWS console.
        CloudShell "cloudshell",
        /// A job of GitHub Actions.
        GitHubActions "github-actions",
        /// A job of another build service.
        Ci "ci",
        /// A machine in a data centre or office.
        OnPremises "on-premises",
        /// A machine in another cloud.
        OtherCloud "other-cloud",
        /// Somebody at a keyboard.
        Person "person",
        /// A service that somebody else runs.
        ThirdParty "third-party",
        /// Not to be told from the log.
        Unknown "unknown",
    }
}

words! {
    /// How sure something is.
    Confidence {
        /// One weak sign, or signs that contradict each other.
        Low "low",
        /// Several signs, or one that is hard to have by accident.
        Medium "medium",
        /// Said by the program itself, or many signs that agree.
        High "high",
    }
}

words! {
    /// How regularly something happens.
    Pattern {
        /// On one day only.
        Once "once",
        /// Around the clock.
        Continuous "continuous",
        /// Every day, at most hours of some.
        SeveralTimesADay "several times a day",
        /// Every day.
        Daily "daily",
        /// Every day but weekends.
        Weekdays "weekdays",
        /// Every week.
        Weekly "weekly",
        /// Every month.
        Monthly "monthly",
        /// In no such rhythm.
        Irregular "irregular",
    }
}

words! {
    /// What a consumer should use instead of a long-term key.
    Target {
        /// The role of an instance.
        InstanceProfile "instance profile",
        /// The role of a Lambda function.
        ExecutionRole "Lambda execution role",
        /// The role of an ECS task.
        TaskRole "ECS task role",
        /// The role of a service such as CodeBuild.
        ServiceRole "service role",
        /// The role of a pod.
        PodIdentity "EKS Pod Identity",
        /// A role for GitHub's identity provider.
        GitHubOidc "GitHub OIDC role",
        /// A role for the build service's identity provider.
        Oidc "OIDC role",
        /// A role for an X.509 certificate.
        RolesAnywhere "IAM Roles Anywhere",
        /// A role for the identity provider of another cloud, or a certificate.
        OidcOrRolesAnywhere "OIDC of that cloud, or IAM Roles Anywhere",
        /// Sign-in of people.
        IdentityCenter "IAM Identity Center",
        /// A role in this account for the vendor's.
        CrossAccountRole "cross-account role with external ID",
        /// A program that may not support anything but keys.
        IdentityCenterOrException "IAM Identity Center, or a limited key",
        /// Somebody has to find out what it is first.
        Investigate "find out first",
    }
}
