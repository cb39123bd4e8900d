//! User agents with the parse that is expected, and texts that are none.

use super::{Family, UserAgent};
use std::collections::HashMap;
use std::path::Path;

/// Invented user agents, one or two of each form that the SDKs and programs send.
const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/user_agents.csv");

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

/// A column of the file, as parsed.
fn field(agent: &UserAgent, column: &str) -> String {
    match column {
        "bracketed" => (if agent.bracketed { "yes" } else { "no" }).to_owned(),
        "family" => agent.family.to_string(),
        "sdk" => text(agent.sdk.as_ref()),
        "sdk_version" => text(agent.sdk_version.as_ref()),
        "runtime" => text(agent.runtime.as_ref()),
        "runtime_version" => text(agent.runtime_version.as_ref()),
        "os" => text(agent.os.as_ref()),
        "os_version" => text(agent.os_version.as_ref()),
        "arch" => text(agent.arch.as_ref()),
        "exec_env" => text(agent.exec_env.as_ref()),
        "tool" => text(agent.tool.as_ref()),
        "tool_version" => text(agent.tool_version.as_ref()),
        "api" => text(agent.api.as_ref()),
        "credential_source" => agent.credential_sources.join("+"),
        "command" => text(agent.command.as_ref()),
        "cli_session" => text(agent.cli_session.as_ref()),
        "distrib" => text(agent.distrib.as_ref()),
        "app_id" => text(agent.app_id.as_ref()),
        "ua_spec" => text(agent.ua_spec.as_ref()),
        _ => panic!("unknown column {column}"),
    }
}

#[test]
fn user_agents_parse_as_expected() {
    assert_eq!(parsed_as_expected(Path::new(EXPECTED)), 26);
}

/// User agents that others published.
#[test]
#[ignore = "needs KEYTRAIL_TABLES"]
fn published_user_agents_parse_as_expected() {
    let folder = std::env::var("KEYTRAIL_TABLES").expect("KEYTRAIL_TABLES is set");
    // Relative to the project.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert_eq!(parsed_as_expected(&folder.join("user_agents.csv")), 98);
}

/// Compares every row of a file and counts them.
fn parsed_as_expected(file: &Path) -> usize {
    let mut file = csv::Reader::from_path(file).unwrap();
    let columns = file.headers().unwrap().clone();
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in file.records() {
        let row = row.unwrap();
        rows += 1;
        let agent = UserAgent::parse(&row[0]);
        for (column, expected) in columns.iter().zip(&row).skip(1) {
            if column != "source" && field(&agent, column) != expected {
                wrong.push(format!(
                    "{}\n  {column}: {:?}, not {expected:?}",
                    &row[0],
                    field(&agent, column)
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    rows
}

#[test]
fn what_varies_from_call_to_call_is_not_canonical() {
    let same = [
        "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/linux#6.1.147-172.266.amzn2023.x86_64 md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython exec-env/CloudShell m/C,E,Z,b cfg/retry-mode#standard md/distrib#amzn.2023 md/prompt#off md/command#rds.describe-db-instances",
        "[aws-cli/2.31.9 md/awscrt#0.27.6 ua/2.1 os/linux#6.1.150-172.266.amzn2023.x86_64 md/arch#x86_64 lang/python#3.13.9 md/pyimpl#CPython exec-env/CloudShell m/Z,b,E sid/4c55b1738b6d md/distrib#amzn.2023 md/prompt#off md/command#s3.ls]",
    ];
    let canonical = same.map(|text| UserAgent::parse(text).canonical());
    assert_eq!(canonical[0], canonical[1]);
    assert_eq!(
        canonical[0],
        "cli aws-cli/2.31 python/3 linux amazon-linux cloudshell"
    );
}

#[test]
fn programs_that_are_not_in_the_table() {
    let cases: HashMap<&str, (Family, &str)> = HashMap::from([
        (
            "Veeam Backup and Replication/12.1 aws-sdk-cpp/1.9.379 Windows/10.0.17763.5576 AMD64 MSVC/1929",
            (Family::S3Tool, "Veeam"),
        ),
        (
            "aws-sdk-go/1.50.30 (go1.21.7; linux; amd64) Datadog-Crawler",
            (Family::SdkWithTool, "Datadog-Crawler"),
        ),
        (
            "aws-cdk/2.133.0 aws-sdk-nodejs/2.1577.0 linux/v20.11.1 promise",
            (Family::Iac, "aws-cdk"),
        ),
        (
            "APN/1.0 HashiCorp/1.0 OpenTofu/1.8.1 terraform-provider-aws/5.1 aws-sdk-go-v2/1.30.0",
            (Family::Iac, "OpenTofu"),
        ),
        ("nightly report 7.1", (Family::Tool, "nightly report")),
        ("our-app", (Family::Tool, "our-app")),
    ]);
    for (text, (family, tool)) in cases {
        let agent = UserAgent::parse(text);
        assert_eq!(
            (agent.family, agent.tool.as_deref()),
            (family, Some(tool)),
            "{text}"
        );
    }
    for text in ["[", "]", "[]", "()", "/", "//", "((((", ", aws-", "=", "  "] {
        UserAgent::parse(text);
    }
}

/// Texts from a small generator: letters that matter to the grammar, in any order.
#[test]
fn any_text_has_a_parse() {
    const PIECES: [&str; 24] = [
        "[", "]", "(", ")", " ", "/", "#", ";", ", ", "aws-", "aws-cli", "Boto3", "os", "OS", "m",
        "md", "lang", "go", "é", "\u{0}", "😀", "Mozilla", "1.2.3", "_",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..20_000 {
        let length = next(24);
        let text: String = (0..length).map(|_| PIECES[next(PIECES.len())]).collect();
        let agent = UserAgent::parse(&text);
        agent.canonical();
        let bytes: Vec<u8> = (0..length).map(|_| next(256) as u8).collect();
        UserAgent::parse(&String::from_utf8_lossy(&bytes)).canonical();
    }
}
