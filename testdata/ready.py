#!/usr/bin/env python3
"""Makes testdata/ready: a hundred and thirty days of keys that are ready to go, or not, one for each rule of `keytrail ready`.

    python3 testdata/ready.py [--out FOLDER]

`trail.json.gz` is the trail, `credential-report.csv` what IAM says of the first account on its last evening, `expected.csv`
what `keytrail ready` must say of each key, and why, and `expected-progress.csv` what `keytrail progress` must say of each
consumer. Everything is invented; no clock, no random numbers.
"""

import argparse
import csv
import io
import sys
from datetime import timedelta
from pathlib import Path

sys.dont_write_bytecode = True

from generate import (BOTO_EC2, CLI_MAC, CLI_RUNNER, DATA, EU, JAVA_OLD, MAIN, REPORT_COLUMNS, US, Actor, Trail, compressed, credentials,
                      day, denied, report_key, report_row, response_time, s3_object, service, session, text_time, unique_id,
                      user)  # noqa: E402
from questions import quarantined  # noqa: E402

PARTNER = "777788889999"
DAYS = 130  # the last one is 10 July 2025
TODAY = day(DAYS, 0)
CUT = 100  # the day on which the migration begins: 11 June 2025
CLOUDSHELL = "aws-cli/2.15.30 Python/3.9.16 Linux/6.1.79-99.167.amzn2023.x86_64 exec-env/CloudShell exe/x86_64.amzn.2023 prompt/off command/"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"
LAMBDA = ("Boto3/1.34.42 md/Botocore#1.34.42 ua/2.0 os/linux#5.10.213-220.855.amzn2.x86_64 md/arch#x86_64 lang/python#3.12.2 "
          "md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 Botocore/1.34.42")
OFFICE = "192.0.2.77"
ADMIN = user(MAIN, "admin")
ROOT = Actor(MAIN, {"type": "Root", "principalId": MAIN, "arn": f"arn:aws:iam::{MAIN}:root", "accountId": MAIN,
                    "accessKeyId": unique_id("AKIA", MAIN, "root")})


def ago(days, hour=0, minute=0):
    """So many days before the end of the trail."""
    return TODAY - timedelta(days=days) + timedelta(hours=hour, minutes=minute)


class Case:
    """A key, the story of it, and what must be said of it."""

    def __init__(self, actor, story, verdict, *, until=None, left=0, broken=(), open=(), key=None):
        self.actor, self.story, self.verdict, self.until, self.left = actor, story, verdict, until, left
        self.broken, self.open, self.key = broken, open, key


CASES = []
CHANGES = []  # what becomes of the consumers of keys at CUT
REPORT = {}  # user: the two keys of the credential report


def expect(actor, story, verdict, **more):
    CASES.append(Case(actor, story, verdict, **more))


def becomes(actor, *changes):
    """What becomes of each consumer of a key: a status, and what it is seen with now."""
    for change in changes:
        status, _, now_with = change.partition(" ")
        CHANGES.append((actor, status.replace("-", " "), now_with))


def says_iam(actor, *keys):
    REPORT[actor.identity.get("userName", "<root_account>")] = keys


def old_key(used, service="s3", active=True, rotated=None):
    return report_key(rotated or ago(400), used, EU if service != "s3" else "N/A", service, active)


def a_job(trail, actor, days, *, ip, agent=BOTO_EC2, hour=3, **more):
    """A job of a machine that reads an object and asks for a queue, on these days of the trail."""
    for n in days:
        trail.call(actor, day(n, hour, 10), "s3:GetObject", region=EU, ip=ip, agent=agent, data=True,
                   **s3_object(actor.account, "example-jobs", f"in/{n}.csv"), **more)
        trail.call(actor, day(n, hour, 12), "sqs:ListQueues", region=EU, ip=ip, agent=agent, **more)


def status(trail, at, actor, to):
    trail.call(ADMIN, at, "iam:UpdateAccessKey", ip=OFFICE, agent=CLI_MAC + "iam.update-access-key", read_only=False,
               parameters={"userName": actor.identity["userName"], "accessKeyId": actor.key, "status": to})


def made(trail, at, actor):
    name = actor.identity["userName"]
    trail.call(ADMIN, at, "iam:CreateAccessKey", ip=OFFICE, agent=CLI_MAC + "iam.create-access-key", read_only=False,
               parameters={"userName": name}, response={"accessKey": {
                   "userName": name, "accessKeyId": actor.key, "status": "Active", "createDate": response_time(at)}})


# ------------------------------------------------------------------------------------------------ one key for each rule

def the_log_itself(trail):
    """CloudTrail looks at its bucket every day, in both regions; in the second account three days have no log."""
    for n in range(DAYS):
        for account in (MAIN, DATA, PARTNER):
            for region in (US, EU):
                if account == DATA and 100 <= n < 103:
                    continue
                trail.call(service(account, "cloudtrail.amazonaws.com"), day(n, 23, 50), "s3:GetBucketAcl", region=region,
                           ip="cloudtrail.amazonaws.com", agent="cloudtrail.amazonaws.com", parameters={"bucketName": "example-trail"})
    says_iam(ADMIN, old_key(ago(5, 10), "iam"))
    becomes(ADMIN, "still-there")
    expect(ADMIN, "a person who makes keys and switches them off, now and then", "migrate first", left=1,
           broken=["consumers-silent", "silent-long-enough"])


def keys_that_nobody_uses(trail):
    never = user(MAIN, "svc-never")
    says_iam(never, report_key(ago(200)))
    expect(never, "made 200 days ago, never used; only the credential report knows it", "unused", key=1)
    spare = user(MAIN, "svc-spare")
    made(trail, ago(100, 9), spare)
    says_iam(spare, report_key(ago(100, 9)))
    expect(spare, "made 100 days ago, before our eyes, never used", "unused")
    fresh = user(MAIN, "svc-fresh")
    made(trail, ago(5, 9), fresh)
    says_iam(fresh, report_key(ago(5, 9)))
    expect(fresh, "made 5 days ago, not used yet", "wait until", until=ago(5, 9) + timedelta(days=90), broken=["not-new"])
    past = user(MAIN, "svc-past")
    says_iam(past, old_key(ago(200, 8)))
    expect(past, "IAM knows of a use 200 days ago, before the trail begins", "unused", key=1)


def keys_in_use(trail):
    deploy = user(MAIN, "svc-deploy")
    for n in range(120, 130):
        for call, what in enumerate(("sts:GetCallerIdentity", "ecr:GetAuthorizationToken")):
            trail.call(deploy, day(n, 11, call), what, ip=f"198.51.100.{n}", agent=CLI_RUNNER + "x")
    a_job(trail, deploy, range(100, 130), ip="203.0.113.20")
    says_iam(deploy, old_key(ago(1, 11, 1), "ecr"))
    becomes(deploy, "new", "new")
    expect(deploy, "used yesterday, by build jobs and by a machine", "migrate first", left=2, broken=["consumers-silent", "silent-long-enough"],
           open=["no-suspicious-use"])
    denied_key = user(MAIN, "svc-denied")
    for n in range(110, 130):
        trail.call(denied_key, day(n, 5), "cloudwatch:PutMetricData", region=EU, ip="203.0.113.21", agent=JAVA_OLD, read_only=False,
                   error=denied(denied_key, "cloudwatch:PutMetricData"))
    says_iam(denied_key, old_key(ago(1, 5), "monitoring"))
    becomes(denied_key, "new")
    expect(denied_key, "used yesterday, but every call is refused", "migrate first", left=1,
           broken=["consumers-silent", "silent-long-enough", "calls-succeed"])
    dana = user(MAIN, "dana")
    for n in range(126, 130):
        trail.call(dana, day(n, 9, 30), "ec2:DescribeInstances", region=EU, ip="198.51.100.40", agent=CLOUDSHELL + "ec2.describe-instances")
    says_iam(dana, old_key(ago(1, 9, 30), "ec2"))
    becomes(dana, "new")
    expect(dana, "a person who types the key into CloudShell", "migrate first", left=1, broken=["consumers-silent", "silent-long-enough"])
    a_job(trail, ROOT, range(100, 130), ip="203.0.113.22")
    says_iam(ROOT, old_key(ago(1, 3, 12), "sqs"))
    becomes(ROOT, "new")
    expect(ROOT, "root's own key, used yesterday", "migrate first", left=1, broken=["consumers-silent", "silent-long-enough", "not-root"])


def jobs_and_their_rhythm(trail):
    invoices = user(MAIN, "svc-invoices")
    a_job(trail, invoices, (17, 48, 79, 110), ip="203.0.113.23")
    says_iam(invoices, old_key(day(110, 3, 12), "sqs"))
    becomes(invoices, "still-there")
    expect(invoices, "a monthly job, last seen 20 days ago", "wait until", until=day(110, 3, 12) + 2 * (timedelta(days=31) - timedelta(minutes=2)),
           broken=["silent-long-enough", "consumers-replaced"])
    once = user(MAIN, "svc-once")
    a_job(trail, once, (110,), ip="203.0.113.24")
    says_iam(once, old_key(day(110, 3, 12), "sqs"))
    becomes(once, "new")
    expect(once, "used on one day, 20 days ago: it may be a job of every quarter", "wait until", until=day(110, 3, 12) + timedelta(days=90),
           broken=["silent-long-enough", "consumers-replaced"])
    archive = user(MAIN, "svc-archive")
    a_job(trail, archive, range(10), ip="203.0.113.25")
    says_iam(archive, old_key(day(9, 3, 12), "sqs"))
    becomes(archive, "gone")
    expect(archive, "a nightly job that stopped 120 days ago", "deactivate", broken=["consumers-replaced"])


def keys_that_are_inactive(trail):
    legacy = user(MAIN, "svc-legacy")
    a_job(trail, legacy, range(90, 105), ip="203.0.113.26")
    status(trail, ago(20, 10), legacy, "Inactive")
    says_iam(legacy, old_key(day(104, 3, 12), "sqs", active=False, rotated=ago(20, 10)))
    becomes(legacy, "still-there")
    expect(legacy, "made inactive 20 days ago, nothing since", "delete", broken=["consumers-replaced"])
    cut = user(MAIN, "svc-cutoff")
    a_job(trail, cut, range(90, 110), ip="203.0.113.27")
    status(trail, ago(20, 10), cut, "Inactive")
    for n in (120, 128):
        trail.call(cut, day(n, 3, 10), "sqs:ListQueues", region=EU, ip="203.0.113.27", agent=BOTO_EC2, error=denied(cut, "sqs:ListQueues"))
    says_iam(cut, old_key(day(109, 3, 12), "sqs", active=False, rotated=ago(20, 10)))
    becomes(cut, "still-there")
    expect(cut, "made inactive 20 days ago, but its job still calls and is refused", "migrate first", left=1, broken=["no-call-since-inactive"])
    just = user(MAIN, "svc-justoff")
    a_job(trail, just, range(90, 110), ip="203.0.113.28")
    status(trail, ago(5, 10), just, "Inactive")
    says_iam(just, old_key(day(109, 3, 12), "sqs", active=False, rotated=ago(5, 10)))
    becomes(just, "still-there")
    expect(just, "made inactive 5 days ago", "wait until", until=ago(5, 10) + timedelta(days=14), broken=["inactive-long-enough", "consumers-replaced"])
    off = user(MAIN, "svc-off")
    says_iam(off, old_key(ago(300), active=False, rotated=ago(250)))
    expect(off, "inactive since before the trail, says the credential report", "delete", key=1)


def use_that_is_not_in_the_log(trail):
    mailer = user(MAIN, "svc-mailer")
    a_job(trail, mailer, range(60, 70), ip="203.0.113.29")
    says_iam(mailer, old_key(ago(1, 8, 30), "ses"))
    becomes(mailer, "gone")
    expect(mailer, "silent for 60 days in the trail, but IAM knows of mail sent yesterday", "migrate first", left=1,
           broken=["no-unseen-use", "silent-long-enough", "consumers-replaced"])
    events = user(MAIN, "svc-events")
    for n in range(100, 130):
        on_behalf = Actor(MAIN, events.identity | {"invokedBy": "athena.amazonaws.com"})
        trail.call(on_behalf, day(n, 4), "glue:GetTable", region=EU, ip="athena.amazonaws.com", agent="athena.amazonaws.com",
                   parameters={"name": "orders", "databaseName": "sales"})
    says_iam(events, old_key(ago(1, 4), "athena"))
    expect(events, "only AWS services call for it: whoever called them is not in the trail", "migrate first", left=1,
           broken=["no-unseen-use", "silent-long-enough"])


def what_came_out_of_a_key(trail):
    broker = user(MAIN, "svc-broker")
    for n in range(100, 130):
        at = day(n, 20)
        opened = session(MAIN, "reader", "broker", at)
        trail.call(broker, at, "sts:AssumeRole", region=EU, ip="203.0.113.30", agent=BOTO_EC2, response=credentials(opened, at + timedelta(hours=12)),
                   parameters={"roleArn": f"arn:aws:iam::{MAIN}:role/reader", "roleSessionName": "broker"})
    says_iam(broker, old_key(ago(1, 20), "sts"))
    becomes(broker, "new")
    expect(broker, "opens a session of twelve hours every evening: the last one is still alive", "migrate first", left=1,
           broken=["consumers-silent", "silent-long-enough", "sessions-over"])
    links = user(MAIN, "svc-links")
    for n in range(118, 128):
        link = trail.call(links, day(n, 14), "s3:GetObject", region=EU, ip=f"198.51.100.{n - 60}", agent=BROWSER, data=True,
                          **s3_object(MAIN, "example-downloads", f"invoice-{n}.pdf"))
        link["additionalEventData"]["AuthenticationMethod"] = "QueryString"
    says_iam(links, old_key(ago(3, 14)))
    becomes(links, "new")
    expect(links, "signed links that customers opened every day, the last one three days ago", "wait until", until=day(127, 14) + timedelta(days=90),
           broken=["silent-long-enough", "presigned-urls-over", "consumers-replaced"])


def keys_in_other_hands(trail):
    stolen = user(MAIN, "svc-stolen")
    a_job(trail, stolen, range(100, 125), ip="203.0.113.31")
    amazon = Actor(MAIN, {"accountId": MAIN, "invokedBy": "AWS Internal"})
    trail.call(amazon, ago(3, 6), "iam:AttachUserPolicy", ip="AWS Internal", agent="AWS Internal", read_only=False, parameters={
        "userName": "svc-stolen", "policyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"})
    trail.call(stolen, ago(2, 3), "s3:ListBuckets", ip="203.0.113.31", agent=BOTO_EC2, error=quarantined(stolen, "s3:ListAllMyBuckets"))
    says_iam(stolen, old_key(ago(2, 3)))
    becomes(stolen, "new")
    expect(stolen, "AWS attached its quarantine policy to the user", "incident", left=1,
           broken=["not-quarantined", "consumers-silent", "silent-long-enough"])
    scanned = user(MAIN, "svc-scanned")
    a_job(trail, scanned, range(100, 130), ip="203.0.113.32")
    trail.call(scanned, ago(4, 2, 17), "sts:GetCallerIdentity", ip="198.51.100.201", agent="TruffleHog")
    says_iam(scanned, old_key(ago(1, 3, 12), "sqs"))
    becomes(scanned, "new")
    expect(scanned, "somebody tried it with TruffleHog", "incident", left=1,
           broken=["no-attack-tool", "consumers-silent", "silent-long-enough"])


def a_key_in_quiet_hands(trail):
    """No tool with a name: somebody from elsewhere, with another program, makes a way back in."""
    taken = user(MAIN, "svc-taken")
    a_job(trail, taken, range(100, 130), ip="203.0.113.38")
    here = dict(ip="198.51.100.202", agent=CLI_MAC + "iam.create-user", read_only=False)
    trail.call(taken, ago(4, 1, 30), "sts:GetCallerIdentity", **here | {"read_only": True})
    trail.call(taken, ago(4, 1, 31), "iam:CreateUser", parameters={"userName": "support"}, response={"user": {"userName": "support"}}, **here)
    says_iam(taken, old_key(ago(1, 3, 12), "sqs"))
    becomes(taken, "new")
    expect(taken, "somebody else made a user with it", "incident", left=1, broken=["no-stranger", "consumers-silent", "silent-long-enough"])


def two_keys_of_one_user(trail):
    first, second = user(MAIN, "svc-pair"), user(MAIN, "svc-pair", key="second")
    a_job(trail, first, range(60, 100), ip="203.0.113.33")
    made(trail, day(99, 12), second)
    a_job(trail, second, range(100, 130), ip="203.0.113.33")
    says_iam(first, old_key(day(99, 3, 12), "sqs"), old_key(ago(1, 3, 12), "sqs", rotated=day(99, 12)))
    becomes(first, f"gone another key: {second.key}")
    becomes(second, "new")
    expect(first, "its job has used the user's second key for 30 days", "deactivate", broken=["consumers-replaced", "one-key-per-user"])
    expect(second, "the key that its job moved to", "migrate first", left=1, broken=["consumers-silent", "silent-long-enough", "one-key-per-user"])


def where_the_log_is_poor(trail):
    unasked = ["no-unseen-use"]
    gap = user(DATA, "svc-gap")
    a_job(trail, gap, range(10), ip="203.0.113.34")
    becomes(gap, "not-known")
    expect(gap, "silent for 120 days, but three of them have no log", "wait until", until=day(129, 23, 50) + timedelta(days=90),
           broken=["silent-long-enough", "no-holes", "data-events", "consumers-replaced"], open=unasked)
    quiet = user(PARTNER, "svc-quiet")
    for n in range(10):
        trail.call(quiet, day(n, 3), "sqs:ListQueues", region=EU, ip="203.0.113.35", agent=BOTO_EC2)
    becomes(quiet, "gone")
    expect(quiet, "silent for 120 days, but the account has no data events and nobody asked IAM", "wait until", until=day(129, 23, 50),
           broken=["data-events", "consumers-replaced"], open=unasked)


def a_role_does_it_now(trail):
    """The same programs, at the same places, with the same calls: first with a key, then with a role."""
    moved = user(MAIN, "svc-moved")
    a_job(trail, moved, range(60, CUT), ip="203.0.113.36")
    host = session(MAIN, "orders-job", "i-0a1b2c3d4e5f60718", day(CUT, 2))
    a_job(trail, host, range(CUT, DAYS), ip="203.0.113.36")
    says_iam(moved, old_key(day(CUT - 1, 3, 12), "sqs"))
    becomes(moved, f"moved {host.identity['arn'].rpartition(':')[2]}")
    expect(moved, "its job has used the role orders-job for 30 days", "deactivate")
    thumbs = user(MAIN, "svc-thumbs")
    function = session(MAIN, "thumbs", "make-thumbs", day(CUT, 2))
    for n in range(70, DAYS):
        for call in range(2):
            # A function has another address every time.
            trail.call(thumbs if n < CUT else function, day(n, 6 + call), "sqs:SendMessage", region=EU, ip=f"198.51.100.{(7 * n + call) % 250}",
                       agent=LAMBDA, read_only=False, parameters={"queueUrl": f"https://sqs.{EU}.amazonaws.com/{MAIN}/thumbs"})
    says_iam(thumbs, old_key(day(CUT - 1, 7), "sqs"))
    becomes(thumbs, f"moved {function.identity['arn'].rpartition(':')[2]}")
    expect(thumbs, "its function has used its own role for 30 days", "deactivate")
    # The same program at the same address, with another task: nothing has moved.
    noise = session(MAIN, "inventory", "i-0a1b2c3d4e5f60719", day(CUT, 2))
    for n in range(CUT, DAYS):
        trail.call(noise, day(n, 5), "ec2:DescribeInstances", region=EU, ip="203.0.113.25", agent=BOTO_EC2)
    quarter = user(MAIN, "svc-quarter")
    a_job(trail, quarter, (5, 50, 95), ip="203.0.113.37")
    says_iam(quarter, old_key(day(95, 3, 12), "sqs"))
    becomes(quarter, "not-due")
    expect(quarter, "a job of every 45 days, last seen 35 days ago", "wait until", until=day(95, 3, 12) + 2 * (timedelta(days=45) - timedelta(minutes=2)),
           broken=["silent-long-enough", "consumers-replaced"])


SCENARIOS = (the_log_itself, keys_that_nobody_uses, keys_in_use, jobs_and_their_rhythm, keys_that_are_inactive, use_that_is_not_in_the_log,
             what_came_out_of_a_key, keys_in_other_hands, a_key_in_quiet_hands, two_keys_of_one_user, a_role_does_it_now, where_the_log_is_poor)


def table(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where ready/ goes")
    out = parser.parse_args().out / "ready"
    trail = Trail()
    for scenario in SCENARIOS:
        scenario(trail)
    out.mkdir(parents=True, exist_ok=True)
    records = sorted((record for _, _, record in trail.deliveries), key=lambda record: (record["eventTime"], record["eventID"]))
    (out / "trail.json.gz").write_bytes(compressed({"Records": records}))
    expected = [["user_name", "access_key_id", "key", "verdict", "not_before", "consumers_left", "rules_that_do_not_hold", "rules_not_checked", "story"]]
    for case in CASES:
        known = case.key is None  # a key that only the report knows has a column there, and no id
        expected.append([
            case.actor.identity.get("userName", "<root_account>"), case.actor.key if known else "", case.key or "", case.verdict,
            text_time(case.until) if case.until else "", case.left, " ".join(case.broken), " ".join(case.open), case.story])
    (out / "expected.csv").write_text(table(expected), encoding="utf-8")
    changes = [[actor.identity.get("userName", "<root_account>"), actor.key, status, now_with] for actor, status, now_with in CHANGES]
    header = ["user_name", "access_key_id", "status", "now_with"]
    (out / "expected-progress.csv").write_text(table([header, *changes]), encoding="utf-8")
    rows = [report_row(MAIN, name, ago(500), *keys) for name, keys in REPORT.items()]
    (out / "credential-report.csv").write_text(table([REPORT_COLUMNS, *rows]), encoding="utf-8")


if __name__ == "__main__":
    main()
