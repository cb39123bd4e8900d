//! The command line as people see it: what is printed to standard output and standard error, and the exit code, together.

use crate::program::{keytrail, ran};
use insta::assert_snapshot;
use std::fs;

#[test]
fn help() {
    assert_snapshot!(ran(&["--help"]), @"
    exit code: 0
    --- stdout
    Find out who uses which AWS access key, from CloudTrail log files.

    keytrail reads CloudTrail log files from S3 or disk, keeps every event once in a lake of Parquet
    files, and answers questions about access keys. Every question can also be answered from the log
    files directly, without a lake.

    Usage: keytrail [OPTIONS] <COMMAND>

    Examples:
      keytrail keys --trail s3://my-trail-bucket   Which keys are used? Straight from the log files
      keytrail ingest s3://my-trail-bucket         Read the trail into ./keytrail-lake
      keytrail keys --suspicious                   Which keys look stolen?
      keytrail trace AKIAIOSFODNN7EXAMPLE          What did it do, and what to do now?
      keytrail ready                               Which keys can be deactivated or deleted?
      keytrail coverage                            Which accounts, regions and days do the logs cover?
      keytrail list                                Which saved queries are there?
      keytrail demo                                A small sample trail to try this with

    Exit codes:
      0 done   1 failed, or nothing to read   2 wrong usage   3 done, but something was not read   130
      stopped by Ctrl-C

    Commands:
      ingest       Read log files into a lake, storing each event once
      lake         Maintain a lake: check, mend, compact, vacuum, forget
      keys         List every access key: whose it is, when it was used, from how many places
      key          Show one access key: every source IP, user agent, API call, region and error
      trace        Trace a compromised key: everything it did, what came out of it, what to clean up
      validate     Check that log files are as AWS delivered them: digest files, signatures, hashes
      evidence     Export a case as one file, with hashes, that others can check
      consumers    Show who uses access keys, and what each of them should use instead
      coverage     Show which accounts, regions and days the logs cover, and what is missing
      credentials  Audit IAM users and keys: unused, duplicate, or used outside CloudTrail
      plan         Write a runbook to remove access keys
      policy       Write the least-privilege IAM policy for a key's observed use
      ready        Show which keys can be deactivated or deleted, and which cannot yet
      progress     Show which consumers have stopped, moved to a role, stayed or appeared since a date
      run          Run a saved query (see `keytrail list`)
      list         List the saved queries, or show one in full
      sql          Run SQL, or open a SQL shell
      networks     Build a table of address ranges, for --ip-ranges
      serve        Explore keys, traces and events in the browser
      mcp          Answer the questions of an AI agent, as an MCP server on standard input and output
      describe     Describe the columns of an event: name, type, place in the record, meaning
      demo         Write small invented trails to try keytrail on
      rules        List the attack rules: event, severity, technique and condition
      completions  Print a completion script for a shell
      man          Show the manual page, or write one page per command into a folder
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    General:
      -q, --quiet
              Print only the answer and errors

      -v, --verbose...
              Write diagnostics to standard error: listing, skipped files, memory; -vv adds every
              request; RUST_LOG works, too

          --no-pager
              Do not show long answers in a pager ($PAGER, or less)

          --color <WHEN>
              When to use colours: auto (on a terminal, unless NO_COLOR is set), always, or never
              
              [default: auto]
    --- stderr
    ");
}

#[test]
fn help_of_ingest() {
    assert_snapshot!(ran(&["ingest", "--help"]), @r#"
    exit code: 0
    --- stdout
    Read log files into a lake, storing each event once

    Run it again to add what is new: log files the lake already has are not fetched. It can be stopped
    or killed at any moment, and several ingests can write to one lake at once; nothing is lost and
    nothing is stored twice.

    Usage: keytrail ingest [OPTIONS] <SOURCE>...

    Examples:
      keytrail ingest s3://my-trail-bucket                        The whole trail, into ./keytrail-lake
      keytrail ingest s3://my-trail-bucket --since 90d --dry-run  What would the last 90 days cost?
      keytrail ingest s3://my-trail-bucket --account 123456789012 --region us-east-1
      keytrail ingest ./AWSLogs --lake s3://my-lake/keytrail      From disk into a lake on S3
      aws cloudtrail lookup-events | keytrail ingest -            From the event history
      keytrail ingest s3://my-trail-bucket --follow               Keep the lake up to date

    Exit code 3 means done, but something was not read, now or by an earlier ingest; the summary and
    `keytrail coverage` name it.

    Arguments:
      <SOURCE>...
              Log files: s3://bucket/prefix, a folder, a file, a glob, or - for standard input

    Options:
          --lake <PATH>
              Lake: a folder or s3://bucket/prefix
              
              [env: KEYTRAIL_LAKE]
              [default: keytrail-lake]

          --dry-run
              Only show what would be read: log files, bytes, requests, cost and time

          --keep-secrets
              Keep session tokens and passwords that services log; by default, they are stored as (not
              shown)

      -f, --format <FORMAT>
              Output format of the summary
              
              [default: table]
              [possible values: table, json]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Validation:
          --verify
              Compare each log file with CloudTrail's digest files while it is read; the lake keeps the
              state

          --public-keys <[REGION=]FILE>
              CloudTrail's public keys, as aws cloudtrail list-public-keys prints them; REGION=FILE if
              the keys belong to one region (repeatable)

          --signatures <FILE>
              Signatures of digest files, for a copy that has lost S3's metadata: lines of DIGEST
              SIGNATURE, or JSON {"DIGEST": "SIGNATURE"}

          --copied-from <URI>
              Where the copy came from, to compare bucket and prefix, too: s3://bucket/prefix

          --trail-name <NAME>
              Only the digest files of the trail of this name

    Part of the trail:
          --since <TIME>
              From this time (UTC): 2025-03-01, "2025-03-01 12:00", yesterday, or a time ago: 90d, 12h,
              1h30m

          --until <TIME>
              Up to this time (written like --since); a date includes that day

          --account <ID>
              Only this account (repeatable)

          --region <REGION>
              Only this CloudTrail region (repeatable); IAM and other global services are in us-east-1

    Access to S3:
          --profile <NAME>
              Profile of the AWS configuration files

          --endpoint-url <URL>
              S3-compatible server to use instead of AWS (with the bucket in the path)

          --s3-region <REGION>
              Region of the bucket; default: found automatically

          --request-payer
              Accept that your account pays for requests and transfer (requester-pays buckets)

          --no-sign-request
              Send no credentials, for public buckets

    Limits:
          --max-log-file-size <SIZE>
              Reject log files with more JSON than this: they are decompression bombs
              
              [default: 2GiB]

          --retry-rejected
              Retry log files that were rejected before, e.g. with a higher --max-log-file-size

          --fetches <N>
              Log files to fetch at once
              
              [default: 32]

          --threads <N>
              Decoding threads; default: one per core

    Keep the lake up to date:
          --follow
              Keep running: look for new log files until Ctrl-C or SIGTERM

          --every <SPAN>
              Time between listings; in S3, only the last days' folders are listed, and everything once
              a day
              
              [default: 5m]

          --sqs-url <URL>
              SQS queue in which S3 announces new objects (directly, through SNS or EventBridge),
              instead of listing

          --metrics-addr <ADDRESS>
              Serve Prometheus metrics at http://ADDRESS/metrics, e.g. 127.0.0.1:9184

    General:
      -q, --quiet
              Print only the answer and errors

      -v, --verbose...
              Write diagnostics to standard error: listing, skipped files, memory; -vv adds every
              request; RUST_LOG works, too

          --no-pager
              Do not show long answers in a pager ($PAGER, or less)

          --color <WHEN>
              When to use colours: auto (on a terminal, unless NO_COLOR is set), always, or never
              
              [default: auto]
    --- stderr
    "#);
}

#[test]
fn help_of_keys() {
    assert_snapshot!(ran(&["keys", "--help"]), @r#"
    exit code: 0
    --- stdout
    List every access key: whose it is, when it was used, from how many places

    Long-term keys (AKIA…) by default. A key appears if at least one event names it; a key that was
    never used does not.

    Usage: keytrail keys [OPTIONS]

    Examples:
      keytrail keys                                          Every long-term key of ./keytrail-lake
      keytrail keys --trail s3://my-trail-bucket --since 7d  The last week, straight from the log files
      keytrail keys --suspicious                             The keys that look stolen, and why
      keytrail keys --sort last_seen --top 20                The keys in use now
      keytrail keys --sort source_ip_addresses --temporary   Keys used from many places first
      keytrail keys --format csv --output keys.csv           For a spreadsheet

    Options:
          --temporary
              Include temporary keys (ASIA…)

          --suspicious
              Only keys whose use looks like an intruder's, most serious first, with a score and the
              reasons

          --sort <COLUMN>
              Sort by this column: counts and times descending, text ascending
              
              [default: events]
              [possible values: events, last_seen, first_seen, errors, source_ip_addresses, user_agents,
              api_calls, regions, issued_keys, access_key_id, account_id]

          --top <N>
              Only the first N rows

          --user <NAME>
              Only keys of this user (repeatable)

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Networks:
          --networks <FILE>
              Your own networks: a file with lines such as 192.0.2.0/24 office; use from there counts as
              the owner's, unless it acts like an intruder's

          --ip-ranges <FILE>
              Address ranges instead of the built-in ones: AWS's ip-ranges.json, or a table of keytrail
              networks build

          --geoip <FOLDER>
              A folder with MaxMind databases (.mmdb): operators, countries, cities

    Input:
          --lake <PATH>
              Lake: a folder or s3://bucket/prefix
              
              [env: KEYTRAIL_LAKE]
              [default: keytrail-lake]

          --trail <SOURCE>
              Read log files directly, without a lake: s3://bucket/prefix, a folder, a file, a glob, or
              - (repeatable)

    Part of the trail:
          --since <TIME>
              From this time (UTC): 2025-03-01, "2025-03-01 12:00", yesterday, or a time ago: 90d, 12h,
              1h30m

          --until <TIME>
              Up to this time (written like --since); a date includes that day

          --account <ID>
              Only this account (repeatable)

          --region <REGION>
              Only this CloudTrail region (repeatable); IAM and other global services are in us-east-1

    Access to S3:
          --profile <NAME>
              Profile of the AWS configuration files

          --endpoint-url <URL>
              S3-compatible server to use instead of AWS (with the bucket in the path)

          --s3-region <REGION>
              Region of the bucket; default: found automatically

          --request-payer
              Accept that your account pays for requests and transfer (requester-pays buckets)

          --no-sign-request
              Send no credentials, for public buckets

    Output:
      -f, --format <FORMAT>
              Output format [default: table]
              
              [possible values: table, json, jsonl, csv, markdown]

      -o, --output <FILE>
              Write the answer to this file, once it is complete

          --columns <NAMES>
              Show only these columns, in this order, e.g. access_key_id,last_seen

    General:
      -q, --quiet
              Print only the answer and errors

      -v, --verbose...
              Write diagnostics to standard error: listing, skipped files, memory; -vv adds every
              request; RUST_LOG works, too

          --no-pager
              Do not show long answers in a pager ($PAGER, or less)

          --color <WHEN>
              When to use colours: auto (on a terminal, unless NO_COLOR is set), always, or never
              
              [default: auto]
    --- stderr
    "#);
}

#[test]
fn help_of_key() {
    assert_snapshot!(ran(&["key", "--help"]), @r#"
    exit code: 0
    --- stdout
    Show one access key: every source IP, user agent, API call, region and error

    Every event that the key signed counts; an error is an event with an error code. Calls that an AWS
    service made on the key's behalf count, too, and are also listed under via_services.

    Usage: keytrail key [OPTIONS] <ACCESS_KEY_ID>

    Examples:
      keytrail key AKIAIOSFODNN7EXAMPLE                       All about it, from ./keytrail-lake
      keytrail key AKIAIOSFODNN7EXAMPLE --since 2025-03-01    Since the day the key leaked
      keytrail key AKIAIOSFODNN7EXAMPLE --trail ./AWSLogs     Straight from log files
      keytrail key AKIAIOSFODNN7EXAMPLE --format markdown     For the ticket

    Arguments:
      <ACCESS_KEY_ID>
              The access key, e.g. AKIAIOSFODNN7EXAMPLE

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Networks:
          --networks <FILE>
              Your own networks: a file with lines such as 192.0.2.0/24 office; use from there counts as
              the owner's, unless it acts like an intruder's

          --ip-ranges <FILE>
              Address ranges instead of the built-in ones: AWS's ip-ranges.json, or a table of keytrail
              networks build

          --geoip <FOLDER>
              A folder with MaxMind databases (.mmdb): operators, countries, cities

    Input:
          --lake <PATH>
              Lake: a folder or s3://bucket/prefix
              
              [env: KEYTRAIL_LAKE]
              [default: keytrail-lake]

          --trail <SOURCE>
              Read log files directly, without a lake: s3://bucket/prefix, a folder, a file, a glob, or
              - (repeatable)

    Part of the trail:
          --since <TIME>
              From this time (UTC): 2025-03-01, "2025-03-01 12:00", yesterday, or a time ago: 90d, 12h,
              1h30m

          --until <TIME>
              Up to this time (written like --since); a date includes that day

          --account <ID>
              Only this account (repeatable)

          --region <REGION>
              Only this CloudTrail region (repeatable); IAM and other global services are in us-east-1

    Access to S3:
          --profile <NAME>
              Profile of the AWS configuration files

          --endpoint-url <URL>
              S3-compatible server to use instead of AWS (with the bucket in the path)

          --s3-region <REGION>
              Region of the bucket; default: found automatically

          --request-payer
              Accept that your account pays for requests and transfer (requester-pays buckets)

          --no-sign-request
              Send no credentials, for public buckets

    Output:
      -f, --format <FORMAT>
              Output format [default: table]
              
              [possible values: table, json, jsonl, csv, markdown]

      -o, --output <FILE>
              Write the answer to this file, once it is complete

          --columns <NAMES>
              Show only these columns, in this order, e.g. access_key_id,last_seen

    General:
      -q, --quiet
              Print only the answer and errors

      -v, --verbose...
              Write diagnostics to standard error: listing, skipped files, memory; -vv adds every
              request; RUST_LOG works, too

          --no-pager
              Do not show long answers in a pager ($PAGER, or less)

          --color <WHEN>
              When to use colours: auto (on a terminal, unless NO_COLOR is set), always, or never
              
              [default: auto]
    --- stderr
    "#);
}

#[test]
fn help_of_coverage() {
    assert_snapshot!(ran(&["coverage", "--help"]), @r#"
    exit code: 0
    --- stdout
    Show which accounts, regions and days the logs cover, and what is missing

    Accounts, regions and days with their log files and events, rejected log files, gaps, and which
    event categories and data events are present at all. Check this before you conclude that a key did
    not do something.

    Usage: keytrail coverage [OPTIONS]

    Examples:
      keytrail coverage                            Of ./keytrail-lake
      keytrail coverage --since 30d --format csv   Of the last 30 days, for a spreadsheet
      keytrail coverage --account 123456789012     Of one account

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Input:
          --lake <PATH>
              Lake: a folder or s3://bucket/prefix
              
              [env: KEYTRAIL_LAKE]
              [default: keytrail-lake]

          --trail <SOURCE>
              Read log files directly, without a lake: s3://bucket/prefix, a folder, a file, a glob, or
              - (repeatable)

    Part of the trail:
          --since <TIME>
              From this time (UTC): 2025-03-01, "2025-03-01 12:00", yesterday, or a time ago: 90d, 12h,
              1h30m

          --until <TIME>
              Up to this time (written like --since); a date includes that day

          --account <ID>
              Only this account (repeatable)

          --region <REGION>
              Only this CloudTrail region (repeatable); IAM and other global services are in us-east-1

    Access to S3:
          --profile <NAME>
              Profile of the AWS configuration files

          --endpoint-url <URL>
              S3-compatible server to use instead of AWS (with the bucket in the path)

          --s3-region <REGION>
              Region of the bucket; default: found automatically

          --request-payer
              Accept that your account pays for requests and transfer (requester-pays buckets)

          --no-sign-request
              Send no credentials, for public buckets

    Output:
      -f, --format <FORMAT>
              Output format [default: table]
              
              [possible values: table, json, jsonl, csv, markdown]

      -o, --output <FILE>
              Write the answer to this file, once it is complete

          --columns <NAMES>
              Show only these columns, in this order, e.g. access_key_id,last_seen

          --full
              Show all rows, instead of what fits two screens (or a ticket, as Markdown)

    General:
      -q, --quiet
              Print only the answer and errors

      -v, --verbose...
              Write diagnostics to standard error: listing, skipped files, memory; -vv adds every
              request; RUST_LOG works, too

          --no-pager
              Do not show long answers in a pager ($PAGER, or less)

          --color <WHEN>
              When to use colours: auto (on a terminal, unless NO_COLOR is set), always, or never
              
              [default: auto]
    --- stderr
    "#);
}

#[test]
fn help_of_the_small_commands() {
    assert_snapshot!(ran(&["describe", "-h"]), @"
    exit code: 0
    --- stdout
    Describe the columns of an event: name, type, place in the record, meaning

    Usage: keytrail describe [OPTIONS] [COLUMN]...

    Examples:
      keytrail describe                      Every column of the lake's events
      keytrail describe user_agent           One column
      keytrail describe --format markdown    The same for a wiki

    Arguments:
      [COLUMN]...  Only these columns

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Output:
      -f, --format <FORMAT>  Output format [default: table] [possible values: table, json, jsonl, csv,
                             markdown]
      -o, --output <FILE>    Write the answer to this file, once it is complete
          --columns <NAMES>  Show only these columns, in this order, e.g. access_key_id,last_seen

    General:
      -q, --quiet  Print only the answer and errors
    --- stderr
    ");
    assert_snapshot!(ran(&["completions", "-h"]), @"
    exit code: 0
    --- stdout
    Print a completion script for a shell

    Usage: keytrail completions [OPTIONS] <SHELL>

    Examples:
      keytrail completions bash > ~/.local/share/bash-completion/completions/keytrail
      keytrail completions zsh > ~/.zfunc/_keytrail
      keytrail completions fish > ~/.config/fish/completions/keytrail.fish

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    General:
      -q, --quiet  Print only the answer and errors
    --- stderr
    ");
    assert_snapshot!(ran(&["man", "-h"]), @"
    exit code: 0
    --- stdout
    Show the manual page, or write one page per command into a folder

    Usage: keytrail man [OPTIONS]

    Examples:
      keytrail man                                       Read the manual page
      keytrail man --dir ~/.local/share/man/man1         Install all pages

    Options:
          --dir <FOLDER>  Write keytrail.1 and one page per command into this folder
      -h, --help          Print help (see more with '--help')
      -V, --version       Print version

    General:
      -q, --quiet  Print only the answer and errors
    --- stderr
    ");
}

#[test]
fn version() {
    assert_eq!(
        ran(&["--version"]),
        format!(
            "exit code: 0\n--- stdout\nkeytrail {}\n--- stderr\n",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[test]
fn wrong_usage() {
    assert_snapshot!(ran(&["kyes"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: unrecognized subcommand 'kyes'

      tip: some similar subcommands exist: 'key', 'keys'

    Usage: keytrail [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(ran(&["ingest"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      <SOURCE>...

    Usage: keytrail ingest <SOURCE>...

    For more information, try '--help'.
    ");
    assert_snapshot!(ran(&["ingest", "logs", "--format", "csv"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value 'csv' for '--format <FORMAT>'
      [possible values: table, json]

    For more information, try '--help'.
    ");
    assert_snapshot!(ran(&["ingest", "logs", "--max-log-file-size", "lots"]), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value 'lots' for '--max-log-file-size <SIZE>': "lots" is not a size; write it like 2GiB, 512MiB or a number of bytes

    For more information, try '--help'.
    "#);
    assert_snapshot!(ran(&["key", "AKIA"]), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value 'AKIA' for '<ACCESS_KEY_ID>': "AKIA" is not an access key id (16 to 128 letters A-Z, digits or *, e.g. AKIAIOSFODNN7EXAMPLE)

    For more information, try '--help'.
    "#);
    assert_snapshot!(ran(&["keys", "--account", "12"]), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value '12' for '--account <ID>': "12" is not an account id (12 digits)

    For more information, try '--help'.
    "#);
    assert_snapshot!(ran(&["keys", "--top", "0"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid value '0' for '--top <N>': 0 is not in 1..18446744073709551615

    For more information, try '--help'.
    ");
    assert_snapshot!(ran(&["keys", "--since", "2025-03-02", "--until", "2025-03-01"]), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: --since must be before --until
    ");
}

#[test]
fn no_command_shows_the_help() {
    let output = keytrail(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Usage: keytrail")
    );
}

#[test]
fn a_source_that_is_not_there() {
    assert_snapshot!(ran(&["ingest", "no/such/folder"]), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: nothing was found at no/such/folder
    ");
}

#[test]
fn describe_in_every_format() {
    let head = |format: &str, lines: usize| {
        let text = ran(&["describe", "--format", format]);
        text.lines().take(lines).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(head("table", 8), @"
    exit code: 0
    --- stdout
    Columns of events

    column                                        type       description                                                                                                 record field
    event_time                                    timestamp  When the call was completed, by the clock of the service's host.                                            eventTime
    event_id                                      text       AWS's GUID of the event, unique in the lake; `content-…`, a hash, where the record has none.                eventID
    event_source                                  text       The service that was called, e.g. `iam.amazonaws.com`.                                                      eventSource
    ");
    assert_snapshot!(head("json", 8), @r#"
    exit code: 0
    --- stdout
    {
      "report": "describe",
      "notes": [],
      "columns": [
        {"column":"event_time","type":"timestamp","description":"When the call was completed, by the clock of the service's host.","record_field":"eventTime"},
        {"column":"event_id","type":"text","description":"AWS's GUID of the event, unique in the lake; `content-…`, a hash, where the record has none.","record_field":"eventID"},
    "#);
    assert_snapshot!(head("jsonl", 4), @r#"
    exit code: 0
    --- stdout
    {"column":"event_time","type":"timestamp","description":"When the call was completed, by the clock of the service's host.","record_field":"eventTime"}
    {"column":"event_id","type":"text","description":"AWS's GUID of the event, unique in the lake; `content-…`, a hash, where the record has none.","record_field":"eventID"}
    "#);
    assert_snapshot!(head("csv", 4), @r#"
    exit code: 0
    --- stdout
    column,type,description,record_field
    event_time,timestamp,"When the call was completed, by the clock of the service's host.",eventTime
    "#);
    assert_snapshot!(head("markdown", 7), @r"
    exit code: 0
    --- stdout
    # Columns of events

    | column | type | description | record\_field |
    | --- | --- | --- | --- |
    | event\_time | timestamp | When the call was completed, by the clock of the service's host. | eventTime |
    ");
}

#[test]
fn a_table_fits_the_terminal() {
    for columns in [80, 100, 200] {
        let output = keytrail(&["describe"])
            .env("COLUMNS", columns.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns), "{widest:?} at {columns}");
    }
}

#[test]
fn colour_is_a_matter_of_option_and_environment() {
    let coloured = |args: &[&str], no_color: bool| {
        let mut command = keytrail(args);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let output = command.output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!coloured(&["describe"], false));
    assert!(coloured(&["describe", "--color", "always"], false));
    assert!(coloured(&["describe", "--color", "always"], true));
    assert!(!coloured(&["describe", "--color", "never"], false));
}

#[test]
fn an_output_file_holds_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("columns.json");
    let output = keytrail(&["describe", "--format", "json", "--output"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
    let text = fs::read_to_string(&path).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["report"], "describe");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
#[cfg(unix)]
fn an_output_file_that_cannot_be_written() {
    assert_snapshot!(ran(&["describe", "--output", "no/such/folder/x"]), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: no/such/folder/x cannot be written
    caused by: No such file or directory (os error 2)
    ");
}

#[test]
#[cfg(unix)]
fn a_reader_who_leaves_is_no_error() {
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = keytrail(&["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("coverage")
        );
    }

    let output = keytrail(&["man"]).output().unwrap();
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains(".TH keytrail 1")
    );

    let folder = tempfile::tempdir().unwrap();
    let output = keytrail(&["man", "--dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let mut pages: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_snapshot!(pages.join("\n"), @"
    keytrail-completions.1
    keytrail-consumers.1
    keytrail-coverage.1
    keytrail-credentials.1
    keytrail-demo.1
    keytrail-describe.1
    keytrail-evidence-export.1
    keytrail-evidence-verify.1
    keytrail-evidence.1
    keytrail-ingest.1
    keytrail-key.1
    keytrail-keys.1
    keytrail-lake-check.1
    keytrail-lake-compact.1
    keytrail-lake-ddl.1
    keytrail-lake-forget.1
    keytrail-lake-mend.1
    keytrail-lake-stats.1
    keytrail-lake-vacuum.1
    keytrail-lake.1
    keytrail-list.1
    keytrail-man.1
    keytrail-mcp.1
    keytrail-networks-build.1
    keytrail-networks.1
    keytrail-plan.1
    keytrail-policy.1
    keytrail-progress.1
    keytrail-ready.1
    keytrail-rules.1
    keytrail-run.1
    keytrail-serve.1
    keytrail-sql.1
    keytrail-trace.1
    keytrail-validate.1
    keytrail.1
    ");
}
