//! Owner and intruder, told apart by what they do.

use super::*;
use crate::analysis::findings::{Lists, Rules};
use chrono::DateTime;

const DAY: i64 = BASELINE;
const OWNERS: &str = "203.0.113.10";
const CLI: &str = "aws-cli/2.15.25 Python/3.11.8 Linux/6.1 exe/x86_64.amzn.2023 prompt/off";
const JAVA: &str = "aws-sdk-java/1.12.681 Linux/3.10.0-1160.el7.x86_64 OpenJDK_64-Bit_Server_VM/25.402-b06 java/1.8.0_402";
const KALI: &str =
    "aws-cli/2.15.10 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off";
const LAMBDA: &str = "Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.12.1 exec-env/AWS_Lambda_python3.12";

/// Uses: day, address, user agent, call, whether it is refused.
fn sources(uses: &[(i64, &str, &str, &str, bool)]) -> Vec<Source> {
    let deeds = uses.iter().map(|(day, address, agent, call, denied)| {
        let (service, name) = call.split_once(':').unwrap();
        Deed {
            time: day * DAY,
            operation: name.to_owned(),
            event: crate::report::trace::TimelineEvent {
                event_source: Some(format!("{service}.amazonaws.com")),
                event_name: name.to_owned(),
                source_ip_address: Some((*address).to_owned()),
                user_agent: Some((*agent).to_owned()),
                error_code: denied.then(|| "AccessDenied".to_owned()),
                ..Default::default()
            },
            ..Deed::default()
        }
    });
    let deeds: Vec<Deed> = deeds.collect();
    Sources::of(&deeds, &options()).unwrap().all
}

fn options() -> TraceOptions {
    TraceOptions {
        start: Start::new("AKIAIOSFODNN7EXAMPLE"),
        up: false,
        weakest: crate::report::trace::Confidence::Principal,
        follow_owner: false,
        known_networks: Vec::new(),
        incident_start: None,
        as_of: DateTime::UNIX_EPOCH,
        rules: Rules::default(),
        lists: Lists::default(),
    }
}

fn origin_of(sources: &[Source], address: &str, agent: &str) -> Origin {
    let mut found = sources
        .iter()
        .filter(|source| source.address == address && source.agents.contains(agent));
    found.next().unwrap().origin
}

#[test]
fn behind_one_address_there_may_be_two() {
    let found = sources(&[
        (0, OWNERS, CLI, "s3:PutObject", false),
        (3, OWNERS, KALI, "sts:GetCallerIdentity", false),
        (4, OWNERS, CLI, "s3:PutObject", false),
    ]);
    assert_eq!(origin_of(&found, OWNERS, CLI), Origin::Consumer);
    assert_eq!(origin_of(&found, OWNERS, KALI), Origin::Intruder);
}

#[test]
fn an_odd_program_at_the_owners_address_that_looks_around_is_the_intruders() {
    let mut uses = vec![(0, OWNERS, JAVA, "s3:PutObject", false)];
    for call in ["iam:ListUsers", "iam:ListRoles", "sts:GetCallerIdentity"] {
        uses.push((
            3,
            OWNERS,
            "Boto3/1.28.57 Python/3.11.8 Windows/10",
            call,
            true,
        ));
    }
    let found = sources(&uses);
    assert_eq!(
        origin_of(&found, OWNERS, "Boto3/1.28.57 Python/3.11.8 Windows/10"),
        Origin::Intruder
    );
    assert_eq!(origin_of(&found, OWNERS, JAVA), Origin::Consumer);
}

#[test]
fn a_program_whose_addresses_change_within_its_network_stays_the_owners() {
    // Both of EC2 in eu-west-1, by the table inside the program.
    let (before, after) = ("34.240.0.10", "34.250.77.9");
    let found = sources(&[
        (0, before, LAMBDA, "dynamodb:PutItem", false),
        (3, "198.51.100.7", KALI, "sts:GetCallerIdentity", false),
        (4, after, LAMBDA, "dynamodb:PutItem", false),
        (4, "198.51.100.99", LAMBDA, "dynamodb:PutItem", false),
    ]);
    assert_eq!(origin_of(&found, before, LAMBDA), Origin::Consumer);
    assert_eq!(origin_of(&found, after, LAMBDA), Origin::Consumer);
    // Elsewhere, and first seen after the intruder: nothing tells.
    assert_eq!(origin_of(&found, "198.51.100.99", LAMBDA), Origin::Unknown);
}

#[test]
fn a_second_program_of_the_owner_that_asks_who_it_is_is_no_intruder() {
    let found = sources(&[
        (0, OWNERS, CLI, "s3:PutObject", false),
        (2, "203.0.113.77", JAVA, "sts:GetCallerIdentity", false),
        (5, "198.51.100.7", KALI, "iam:ListUsers", false),
    ]);
    assert_eq!(origin_of(&found, "203.0.113.77", JAVA), Origin::Consumer);
}

#[test]
fn a_stranger_that_asks_and_is_refused_is_one() {
    let found = sources(&[
        (0, OWNERS, CLI, "s3:PutObject", false),
        (3, "198.51.100.7", JAVA, "iam:ListUsers", true),
    ]);
    let stranger = found.last().unwrap();
    assert_eq!(stranger.origin, Origin::Intruder);
    assert_eq!(stranger.why.len(), 3, "{:?}", stranger.why);
    // Only what it is told from becomes the owner's.
    assert_eq!(origin_of(&found, OWNERS, CLI), Origin::Consumer);
}

#[test]
fn without_an_intruder_nobody_is_told_apart() {
    let found = sources(&[
        (0, OWNERS, CLI, "s3:PutObject", false),
        (3, "203.0.113.77", CLI, "s3:PutObject", false),
    ]);
    assert!(found.iter().all(|source| source.origin == Origin::Unknown));
}

#[test]
fn a_library_that_speaks_http_is_odd_and_not_enough() {
    let found = sources(&[(0, OWNERS, "python-requests/2.31.0", "s3:GetObject", false)]);
    assert_eq!(found[0].origin, Origin::Unknown);
}
