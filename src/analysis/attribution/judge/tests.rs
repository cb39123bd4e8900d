//! Owner and intruder, told apart by what they do.

use super::*;
use crate::analysis::attribution::SignIn;

const OWNERS: &str = "203.0.113.10";
pub(super) const STRANGE: &str = "198.51.100.7";
pub(super) const CLI: &str =
    "aws-cli/2.15.25 Python/3.11.8 Linux/6.1 exe/x86_64.amzn.2023 prompt/off";
pub(super) const BOTO: &str =
    "Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10 lang/python#3.12.1";
const JAVA: &str = "aws-sdk-java/1.12.681 Linux/3.10.0-1160.el7.x86_64 OpenJDK_64-Bit_Server_VM/25.402-b06 java/1.8.0_402";
pub(super) const KALI: &str =
    "aws-cli/2.15.10 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off";
pub(super) const DESKTOP: &str =
    "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off";
const MINUTE: i64 = HOUR / 60;

/// A call: when, from where, with what, which; `!` at its end if it was denied, `*` if it is about the caller itself.
pub(super) fn call(time: i64, address: &str, agent: &str, name: &str) -> Use {
    let (service, operation) = name.trim_end_matches(['!', '*']).split_once(':').unwrap();
    Use {
        address: address.to_owned(),
        agent: agent.to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        region: "us-east-1".to_owned(),
        error_code: name.ends_with('!').then(|| "AccessDenied".to_owned()),
        about_itself: name.ends_with('*'),
        events: 1,
        first: time,
        last: time,
        ..Use::default()
    }
}

/// A job of the owner, many times a day from the first day to the fortieth.
fn job(address: &str, agent: &str) -> Use {
    Use {
        events: 400,
        last: 40 * DAY,
        ..call(0, address, agent, "s3:PutObject")
    }
}

/// Calls a minute apart from a moment on.
pub(super) fn calls(begin: i64, address: &str, agent: &str, names: &[&str]) -> Vec<Use> {
    let names = names.iter().enumerate();
    names
        .map(|(at, name)| call(begin + at as i64 * MINUTE, address, agent, name))
        .collect()
}

pub(super) fn judged(uses: &[Use]) -> Sources {
    judge(uses, &Known::default(), &Networks::built_in().unwrap())
}

/// The gravest verdict.
fn worst(sources: &Sources) -> Origin {
    let all = sources.all.iter().map(|source| source.origin);
    all.min().unwrap_or_default()
}

fn origin_of(sources: &Sources, address: &str, agent: &str) -> Origin {
    sources.get(address, agent).unwrap().origin
}

const ESCALATES: [&str; 6] = [
    "sts:GetCallerIdentity",
    "iam:ListUsers!",
    "iam:ListRoles!",
    "s3:ListBuckets!",
    "iam:PutUserPolicy*",
    "iam:CreateAccessKey",
];

#[test]
fn who_looks_around_and_gives_rights_to_itself_is_an_intruder() {
    let mut uses = vec![job(OWNERS, BOTO)];
    uses.extend(calls(30 * DAY, STRANGE, CLI, &ESCALATES));
    let found = judged(&uses);
    assert_eq!(origin_of(&found, STRANGE, CLI), Origin::Intruder);
    assert_eq!(origin_of(&found, OWNERS, BOTO), Origin::Owner);
    assert_eq!(worst(&found), Origin::Intruder);
    assert_eq!(found.addresses().keys().collect::<Vec<_>>(), [STRANGE]);
    let why = found.get(STRANGE, CLI).unwrap().why();
    assert_eq!(why[0], "grants itself permissions: iam:PutUserPolicy");
}

#[test]
fn the_same_on_the_keys_first_day_is_suspicious_only() {
    let found = judged(&calls(0, STRANGE, CLI, &ESCALATES[..5]));
    assert_eq!(origin_of(&found, STRANGE, CLI), Origin::Suspicious);
}

#[test]
fn an_engineer_who_tries_the_key_at_home_is_at_most_suspicious() {
    let mut uses = vec![job(OWNERS, BOTO)];
    let tries = [
        "sts:GetCallerIdentity",
        "dynamodb:DescribeTable",
        "dynamodb:Scan!",
    ];
    uses.extend(calls(30 * DAY, STRANGE, DESKTOP, &tries));
    assert_eq!(
        origin_of(&judged(&uses), STRANGE, DESKTOP),
        Origin::Suspicious
    );
    let known = Known {
        sign_ins: vec![SignIn {
            address: STRANGE.to_owned(),
            time: 30 * DAY - HOUR,
            mfa: Some(30 * DAY - HOUR),
        }],
        ..Known::default()
    };
    let found = judge(&uses, &known, &Networks::built_in().unwrap());
    assert_eq!(origin_of(&found, STRANGE, DESKTOP), Origin::Unknown);
}

#[test]
fn a_download_by_a_stranger_is_suspicious() {
    let download = Use {
        events: 60,
        ..call(
            30 * DAY,
            STRANGE,
            "S3 Browser/11.6.7 (https://s3browser.com)",
            "s3:GetObject",
        )
    };
    let found = judged(&[job(OWNERS, BOTO), download]);
    assert_eq!(worst(&found), Origin::Suspicious);
    assert_eq!(found.all[1].origin, Origin::Suspicious);
}

#[test]
fn a_server_that_moves_within_its_network_is_the_owners() {
    let mut uses = vec![job(OWNERS, BOTO), job("203.0.113.99", BOTO)];
    uses[1].first = 20 * DAY;
    uses.push(call(25 * DAY, "203.0.113.99", BOTO, "iam:CreateUser"));
    assert_eq!(worst(&judged(&uses)), Origin::Unknown);
}

#[test]
fn an_instances_session_outside_of_aws_is_an_intruders() {
    let mut uses = vec![
        Use {
            last: 3 * HOUR,
            ..call(0, "3.80.12.13", BOTO, "dynamodb:PutItem")
        },
        call(HOUR, STRANGE, DESKTOP, "sts:GetCallerIdentity"),
        call(
            HOUR + MINUTE,
            STRANGE,
            DESKTOP,
            "secretsmanager:GetSecretValue",
        ),
    ];
    for one in &mut uses {
        one.workload = Some("instance i-0aaaabbbbccccdddd".to_owned());
    }
    let known = Known {
        is_session: true,
        ..Known::default()
    };
    let found = judge(&uses, &known, &Networks::built_in().unwrap());
    assert!(
        matches!(
            origin_of(&found, STRANGE, DESKTOP),
            Origin::Intruder | Origin::Suspicious
        ),
        "{found:?}"
    );
    let known = Known {
        usual_addresses: [STRANGE.to_owned()].into(),
        ..known
    };
    let found = judge(&uses, &known, &Networks::built_in().unwrap());
    assert_eq!(origin_of(&found, STRANGE, DESKTOP), Origin::Unknown);
}

#[test]
fn behind_one_address_there_may_be_two() {
    let mut uses = vec![job(OWNERS, CLI)];
    uses.push(call(3 * DAY, OWNERS, KALI, "sts:GetCallerIdentity"));
    let found = judged(&uses);
    assert_eq!(origin_of(&found, OWNERS, CLI), Origin::Owner);
    assert_eq!(origin_of(&found, OWNERS, KALI), Origin::Intruder);
    assert!(
        found.addresses().is_empty(),
        "the address is the owner's, too"
    );
}

#[test]
fn a_program_whose_addresses_change_within_its_network_stays_the_owners() {
    // Both of EC2 in eu-west-1, by the table inside the program.
    let (before, after) = ("34.240.0.10", "34.250.77.9");
    let found = judged(&[
        call(0, before, BOTO, "dynamodb:PutItem"),
        call(3 * DAY, STRANGE, KALI, "sts:GetCallerIdentity"),
        call(4 * DAY, after, BOTO, "dynamodb:PutItem"),
        call(4 * DAY, "192.0.2.99", BOTO, "dynamodb:PutItem"),
    ]);
    assert_eq!(origin_of(&found, before, BOTO), Origin::Owner);
    assert_eq!(origin_of(&found, after, BOTO), Origin::Owner);
    // Elsewhere, and first seen after the intruder: nothing tells.
    assert_eq!(origin_of(&found, "192.0.2.99", BOTO), Origin::Unknown);
}

#[test]
fn what_shares_the_intruders_address_is_the_intruders() {
    let mut uses = vec![job(OWNERS, JAVA)];
    uses.extend(calls(30 * DAY, STRANGE, CLI, &ESCALATES));
    uses.push(call(30 * DAY + HOUR, STRANGE, JAVA, "s3:GetObject"));
    uses.push(call(30 * DAY + HOUR, "192.0.2.5", CLI, "s3:ListBuckets"));
    let found = judged(&uses);
    assert_eq!(origin_of(&found, STRANGE, JAVA), Origin::Intruder);
    // The same program, elsewhere, at the same time.
    assert_eq!(origin_of(&found, "192.0.2.5", CLI), Origin::Intruder);
}

#[test]
fn an_emergency_user_is_expected_to_be_unusual() {
    let mut uses = vec![job(OWNERS, BOTO)];
    uses.extend(calls(30 * DAY, STRANGE, CLI, &ESCALATES[..4]));
    assert_eq!(worst(&judged(&uses)), Origin::Intruder);
    let known = Known {
        is_break_glass: true,
        ..Known::default()
    };
    let found = judge(&uses, &known, &Networks::built_in().unwrap());
    assert!(worst(&found) > Origin::Intruder, "{found:?}");
}

#[test]
fn what_people_know_decides() {
    let networks = Networks::built_in().unwrap();
    let uses = [
        job(OWNERS, BOTO),
        call(30 * DAY, STRANGE, BOTO, "s3:PutObject"),
    ];
    let ours = ["203.0.113.0/24".parse().unwrap()];
    let known = Known {
        networks: &ours,
        ..Known::default()
    };
    let found = judge(&uses, &known, &networks);
    assert_eq!(origin_of(&found, OWNERS, BOTO), Origin::Owner);
    assert_eq!(origin_of(&found, STRANGE, BOTO), Origin::Intruder);
    let known = Known {
        incident_start: Some(29 * DAY),
        ..Known::default()
    };
    let found = judge(&uses, &known, &networks);
    assert_eq!(origin_of(&found, STRANGE, BOTO), Origin::Intruder);
}

#[test]
fn aws_that_quarantines_a_user_is_no_intruder() {
    let quarantine = Use {
        is_quarantine: true,
        ..call(
            30 * DAY,
            "72.21.217.30",
            "aws-internal/3 aws-sdk-java/1.12.500",
            "iam:AttachUserPolicy*",
        )
    };
    let found = judged(&[job(OWNERS, BOTO), quarantine]);
    assert_eq!(found.all[1].origin, Origin::Owner);
}

#[test]
fn without_an_intruder_nobody_is_told_apart() {
    let found = judged(&[
        call(0, OWNERS, CLI, "s3:PutObject"),
        call(3 * DAY, "203.0.113.77", CLI, "s3:PutObject"),
    ]);
    assert!(
        found
            .all
            .iter()
            .all(|source| source.origin == Origin::Unknown)
    );
}

#[test]
fn a_log_that_begins_with_the_intruder_is_compared_with_what_comes_after() {
    let validated = [
        "sts:GetCallerIdentity",
        "ses:GetSendQuota!",
        "iam:ListUsers!",
        "s3:ListBuckets!",
    ];
    let mut uses = calls(0, STRANGE, DESKTOP, &validated);
    uses.extend(calls(9 * HOUR, OWNERS, BOTO, &["s3:PutObject"; 4]));
    uses.extend(calls(2 * DAY, OWNERS, BOTO, &["sts:GetCallerIdentity"]));
    let sources = judged(&uses);
    assert_eq!(origin_of(&sources, STRANGE, DESKTOP), Origin::Intruder);
    assert_ne!(origin_of(&sources, OWNERS, BOTO), Origin::Suspicious);
    assert_ne!(origin_of(&sources, OWNERS, BOTO), Origin::Intruder);

    // Whoever made the key tries it before it goes to its program.
    let known = Known {
        made: Some(0),
        ..Known::default()
    };
    let sources = judge(&uses, &known, &Networks::built_in().unwrap());
    assert_ne!(origin_of(&sources, STRANGE, DESKTOP), Origin::Intruder);

    // An owner who comes back to a place is no stranger there.
    uses.extend(calls(5 * DAY, STRANGE, DESKTOP, &["s3:ListBuckets"]));
    let sources = judged(&uses);
    assert_ne!(origin_of(&sources, STRANGE, DESKTOP), Origin::Intruder);
}

#[test]
fn a_person_is_not_at_two_places_at_a_time() {
    use crate::knowledge::Coordinates;
    let london = Coordinates {
        latitude: 5151,
        longitude: -13,
    };
    let new_york = Coordinates {
        latitude: 4071,
        longitude: -7401,
    };
    let far = |hours: i64, agent: &str, known: bool| {
        let mut uses = vec![job(OWNERS, agent)];
        uses.extend(calls(
            40 * DAY + hours * HOUR,
            STRANGE,
            agent,
            &["s3:PutObject"],
        ));
        let mut sources = collected(&uses, &Networks::built_in().unwrap());
        for source in sources.iter_mut().filter(|_| known) {
            source.coordinates = Some(match source.address == OWNERS {
                true => london,
                false => new_york,
            });
        }
        weigh(&mut sources, &Known::default());
        let signs = sources.iter().flat_map(|source| source.why());
        signs.filter(|why| why.contains("sooner than")).count()
    };
    assert_eq!(far(1, DESKTOP, true), 1);
    assert_eq!(far(10, DESKTOP, true), 0, "a flight");
    assert_eq!(far(1, BOTO, true), 0, "a program may run at many places");
    assert_eq!(far(1, DESKTOP, false), 0, "nobody knows where it is");
}

#[test]
fn what_the_owner_may_have_done_is_suspicious_at_most() {
    // A new release of the job, where it always runs, lacks permissions.
    let refused = [
        "ec2:DescribeInstances!",
        "iam:ListUsers!",
        "s3:ListBuckets!",
        "secretsmanager:GetSecretValue!",
        "iam:CreateAccessKey!",
        "iam:AttachUserPolicy!",
    ];
    let pool = |number: u8| format!("3.80.12.{number}");
    let mut uses = vec![job(&pool(13), BOTO)];
    uses.extend(calls(20 * DAY, &pool(77), BOTO, &refused));
    assert!(worst(&judged(&uses)) >= Origin::Suspicious);
    // The same from elsewhere, or with success, is not what the owner does.
    let mut strange = vec![job(&pool(13), BOTO)];
    strange.extend(calls(20 * DAY, STRANGE, KALI, &refused));
    assert_eq!(worst(&judged(&strange)), Origin::Intruder);
    // The only program there is, for weeks, changes users, keys and logging one day.
    let mut only = vec![job(OWNERS, CLI)];
    let day = [
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:PutUserPolicy*",
        "cloudtrail:DeleteTrail",
        "guardduty:DeleteDetector",
    ];
    only.extend(calls(30 * DAY, OWNERS, CLI, &day));
    assert!(worst(&judged(&only)) >= Origin::Suspicious);
}
