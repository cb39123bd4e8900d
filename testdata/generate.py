#!/usr/bin/env python3
"""Makes testdata/trail: five days of a small, invented organization's CloudTrail, testdata/truth.json, and the credential
reports of its accounts.

    python3 testdata/generate.py [--out FOLDER]

Everything is invented. Accounts, addresses and names are those reserved for documentation; the key ids are well formed
and carry their account, as AWS's do, but no such key exists. The same script makes the same bytes everywhere (the gzip
layer depends on the zlib at hand, the JSON inside does not): no clock, no random numbers, only hashes.

The scenarios below are meant to be read: each function is one actor or one oddity of real trails.
"""

import argparse
import gzip
import hashlib
import io
import json
import shutil
import zlib
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

ORGANIZATION = "o-exampleorg1"
MAIN, DATA = "111122223333", "444455556666"
US, EU = "us-east-1", "eu-west-1"
FIRST_DAY = datetime(2025, 3, 3, tzinfo=timezone.utc)
DAYS = range(5)  # Monday to Friday
MISSING = (DATA, EU, 2)  # no log file of this account and region on the third day

# ------------------------------------------------------------------------------------------------ ids

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def digest(*what):
    return hashlib.sha256("|".join(map(str, what)).encode()).digest()


def pick(choices, *what):
    """One of the choices, always the same one for the same `what`."""
    return choices[int.from_bytes(digest(*what)[:8], "big") % len(choices)]


def letters(n, *what, alphabet=BASE32):
    return "".join(alphabet[byte % len(alphabet)] for byte in digest(*what)[:n])


def guid(*what):
    h = digest("guid", *what).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"


def unique_id(prefix, account, name, length=20):
    """An id of today's format: 1 bit that is set, 40 bits of account, 7 + 2 bits of its own, then letters."""
    own = digest(prefix, account, name)
    bits = (1 << 49) | (int(account) << 9) | (own[0] << 1 | own[1] & 1)
    head = "".join(BASE32[bits >> shift & 31] for shift in range(45, -1, -5))
    return prefix + head + letters(length - 14, "tail", prefix, account, name)


def text_time(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def response_time(time):
    """The way IAM and STS write times in their answers."""
    return time.strftime("%b ") + str(time.day) + time.strftime(", %Y, %I:%M:%S %p")


# ------------------------------------------------------------------------------------------------ who calls

class Actor:
    """A user identity as a record shows it."""

    def __init__(self, account, identity):
        self.account, self.identity = account, identity

    @property
    def key(self):
        return self.identity.get("accessKeyId")


def user(account, name, path="/", key="first"):
    return Actor(account, {
        "type": "IAMUser", "principalId": unique_id("AIDA", account, name, 21),
        "arn": f"arn:aws:iam::{account}:user{path}{name}", "accountId": account,
        "accessKeyId": unique_id("AKIA", account, f"{name} {key}"), "userName": name,
    })


def session(account, role, name, created, **more):
    role_id = unique_id("AROA", account, role, 21)
    return Actor(account, {
        "type": "AssumedRole", "principalId": f"{role_id}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}", "accountId": account,
        "accessKeyId": unique_id("ASIA", account, f"{role} {name} {created}"),
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": role_id, "arn": f"arn:aws:iam::{account}:role/{role}",
                              "accountId": account, "userName": role},
            **more, "attributes": {"creationDate": text_time(created), "mfaAuthenticated": "false"},
        },
    })


def service(account, name):
    return Actor(account, {"type": "AWSService", "invokedBy": name})


CI = user(MAIN, "ci-deploy", "/ci/")
ORDERS = user(DATA, "svc-orders", "/service/")
ORDERS_NEW = user(DATA, "svc-orders", "/service/", "second")
BACKUP = user(MAIN, "svc-backup", "/service/")
ALICE = user(MAIN, "alice")
REPORT = user(DATA, "svc-report", "/service/")
EXPORT = user(MAIN, "svc-export", "/service/")
INTRUDER = user(MAIN, "svc-backup-sync")

CLI_RUNNER = "aws-cli/2.15.30 Python/3.11.8 Linux/6.5.0-1016-azure exe/x86_64.ubuntu.22 prompt/off command/"
CLI_MAC = "aws-cli/2.15.25 Python/3.11.8 Darwin/23.3.0 exe/x86_64 prompt/off command/"
TERRAFORM = ("APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.42.0 "
             "aws-sdk-go-v2/1.25.3 os/linux lang/go#1.21.8 md/GOOS#linux md/GOARCH#amd64 api/ecs#1.41.1")
BOTO_EC2 = ("Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10.210-201.852.amzn2.x86_64 md/arch#x86_64 "
            "lang/python#3.9.16 md/pyimpl#CPython m/g cfg/retry-mode#legacy Botocore/1.34.69")
JAVA_OLD = ("aws-sdk-java/1.12.681 Linux/3.10.0-1160.114.2.el7.x86_64 OpenJDK_64-Bit_Server_VM/25.402-b06 "
            "java/1.8.0_402 vendor/Red_Hat,_Inc. cfg/retry-mode/legacy")
BOTO_OLD = "Boto3/1.9.201 Python/2.7.12 Linux/4.4.0-159-generic Botocore/1.12.201"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"
OIDC_ACTION = "aws-sdk-js/3.515.0 ua/2.0 os/linux#6.5.0-1016-azure lang/js md/nodejs#20.8.1 api/sts#3.515.0 configure-aws-credentials-for-github-actions"
KALI = "Boto3/1.28.57 md/Botocore#1.31.57 ua/2.0 os/linux#6.6.9-amd64 md/distrib#kali.2024 lang/python#3.11.8 Botocore/1.31.57"

OFFICE, BACKUP_SERVER, ORDERS_HOST, REPORT_HOST, EXPORT_HOST = (
    "192.0.2.77", "192.0.2.20", "203.0.113.10", "203.0.113.11", "203.0.113.12")
ALICE_AT_HOME = "2001:db8:4f2:1::a5"
STRANGERS = ("198.51.100.201", "198.51.100.202")

# ------------------------------------------------------------------------------------------------ the trail

class Trail:
    """Records as they are delivered, and where."""

    def __init__(self):
        self.deliveries = []  # (account of the folder, region of the folder, record)
        self.calls = 0

    def call(self, actor, at, what, *, ip, agent, region=US, parameters=None, response=None, error=None,
             read_only=True, data=False, resources=None, account=None, event_type="AwsApiCall", **more):
        """Records one call: `what` is `service:Name`."""
        self.calls += 1
        source, name = what.split(":")
        account = account or actor.account
        s3 = source == "s3"
        record = {
            "eventVersion": "1.11" if data else "1.10", "userIdentity": actor.identity, "eventTime": text_time(at),
            "eventSource": f"{source}.amazonaws.com", "eventName": name, "awsRegion": region, "sourceIPAddress": ip,
            "userAgent": f"[{agent}]" if s3 else agent,
        }
        if error:
            record["errorCode"], record["errorMessage"] = error
        record |= {"requestParameters": parameters, "responseElements": None if error else response}
        if s3 and data:
            moved = 0 if error else 1_000 + 37 * self.calls
            put = name == "PutObject"
            record["additionalEventData"] = {
                "SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256",
                "bytesTransferredIn": float(moved if put else 0), "AuthenticationMethod": "AuthHeader",
                "x-amz-id-2": letters(28, "id2", self.calls), "bytesTransferredOut": float(0 if put else moved),
            }
        record |= {"requestID": guid("request", self.calls), "eventID": guid("event", self.calls),
                   "readOnly": read_only}
        if resources:
            record["resources"] = resources
        record |= {"eventType": event_type, "managementEvent": not data, "recipientAccountId": account, **more,
                   "eventCategory": "Data" if data else "Management"}
        if not ip.endswith(("amazonaws.com", "Internal")) and event_type == "AwsApiCall":
            record["tlsDetails"] = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                                    "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com"}
        self.deliveries.append((account, region, record))
        return record


def day(n, hour, minute=0, second=0):
    return FIRST_DAY + timedelta(days=n, hours=hour, minutes=minute, seconds=second)


def s3_object(account, bucket, key):
    """Parameters and resources of a call on an object."""
    return {
        "parameters": {"bucketName": bucket, "Host": f"{bucket}.s3.amazonaws.com", "key": key},
        "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
                      {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
    }


def denied(actor, action, resource="*"):
    return ("AccessDenied", f"User: {actor.identity['arn']} is not authorized to perform: {action} on resource: "
                            f"{resource} because no identity-based policy allows the {action} action")


def credentials(actor, expires):
    issued = actor.identity
    return {"credentials": {"accessKeyId": issued["accessKeyId"], "sessionToken": "IQoJb3JpZ2luX2VjEXAMPLETOKEN",
                            "expiration": response_time(expires)},
            "assumedRoleUser": {"assumedRoleId": issued["principalId"], "arn": issued["arn"]}}


# ------------------------------------------------------------------------------------------------ scenarios

def ci_deploys_from_many_addresses(trail):
    """A key in the secrets of a repository: every job runs on another hosted runner."""
    for n in DAYS:
        for job, hour in enumerate((9, 15)):
            at, ip = day(n, hour, 2), f"198.51.100.{10 + 2 * n + job}"
            step = lambda s: at + timedelta(seconds=7 * s)
            trail.call(CI, step(0), "sts:GetCallerIdentity", ip=ip, agent=CLI_RUNNER + "sts.get-caller-identity")
            trail.call(CI, step(1), "ecr:GetAuthorizationToken", ip=ip, agent=CLI_RUNNER + "ecr.get-login-password")
            for s in range(3):
                trail.call(CI, step(2 + s), "ecs:DescribeServices", ip=ip, agent=TERRAFORM,
                           parameters={"cluster": "web", "services": [f"shop-{s}"]})
            trail.call(CI, step(5), "ecs:UpdateService", ip=ip, agent=TERRAFORM, read_only=False,
                       parameters={"cluster": "web", "service": "shop-0", "taskDefinition": f"shop:{40 + 2 * n + job}"},
                       response={"service": {"serviceName": "shop-0", "status": "ACTIVE"}})
            trail.call(CI, step(6), "s3:PutObject", ip=ip, agent=CLI_RUNNER + "s3.cp", read_only=False, data=True,
                       **s3_object(MAIN, "example-releases", f"shop/build-{40 + 2 * n + job}.tar.gz"))


def ci_assumes_a_role_in_the_other_account(trail):
    """The call is logged in both accounts, as two events that share an id; only one of them names the key."""
    for n in DAYS:
        at, ip = day(n, 9, 4), f"198.51.100.{10 + 2 * n}"
        role = session(DATA, "deploy", f"ci-{n}", at)
        both = dict(ip=ip, agent=TERRAFORM, sharedEventID=guid("shared", n), response=credentials(role, at + timedelta(hours=1)),
                    parameters={"roleArn": f"arn:aws:iam::{DATA}:role/deploy", "roleSessionName": f"ci-{n}"},
                    resources=[{"accountId": DATA, "type": "AWS::IAM::Role", "ARN": f"arn:aws:iam::{DATA}:role/deploy"}])
        foreigner = Actor(MAIN, {"type": "AWSAccount", "principalId": CI.identity["principalId"], "accountId": MAIN})
        trail.call(CI, at, "sts:AssumeRole", **both)
        trail.call(foreigner, at, "sts:AssumeRole", account=DATA, **both)
        for s in range(3):
            trail.call(role, at + timedelta(seconds=5 + s), "cloudformation:DescribeStacks", region=EU, ip=ip, agent=TERRAFORM,
                       parameters={"stackName": f"data-{s}"})


def orders_service_on_ec2(trail):
    """One host, a few calls all day. Its key is replaced on Thursday, the old one goes quiet."""
    for n in DAYS:
        actor = ORDERS if n < 3 else ORDERS_NEW
        for hour in (2, 9, 15):
            at = day(n, hour, 1)
            for s in range(3):
                trail.call(actor, at + timedelta(seconds=20 * s), "s3:GetObject", region=EU, ip=ORDERS_HOST, agent=BOTO_EC2,
                           data=True, **s3_object(DATA, "example-orders", f"Bestellungen/2025-03-0{3 + n}/größe-{hour}-{s}.json"))
            trail.call(actor, at + timedelta(seconds=9), "dynamodb:GetItem", region=EU, ip=ORDERS_HOST, agent=BOTO_EC2, data=True,
                       parameters={"tableName": "orders", "key": {"pk": f"order-{n}-{hour}"}, "consistentRead": False},
                       resources=[{"accountId": DATA, "type": "AWS::DynamoDB::Table",
                                   "ARN": f"arn:aws:dynamodb:{EU}:{DATA}:table/orders"}], apiVersion="2012-08-10")
            trail.call(actor, at + timedelta(seconds=12), "sqs:ReceiveMessage", region=EU, ip=ORDERS_HOST, agent=BOTO_EC2,
                       parameters={"queueUrl": f"https://sqs.{EU}.amazonaws.com/{DATA}/orders", "maxNumberOfMessages": 10})


def orders_objects_are_encrypted(trail):
    """S3 calls KMS for the service: the key's id stays in the record, address and agent are the service's."""
    for n in DAYS:
        actor = ORDERS if n < 3 else ORDERS_NEW
        key = f"arn:aws:kms:{EU}:{DATA}:key/{guid('kms')}"
        on_behalf = Actor(DATA, actor.identity | {"invokedBy": "AWS Internal"})
        trail.call(on_behalf, day(n, 9, 1, 1), "kms:Decrypt", region=EU, ip="AWS Internal", agent="AWS Internal",
                   parameters={"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::example-orders"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
                   resources=[{"accountId": DATA, "type": "AWS::KMS::Key", "ARN": key}])


def backup_server_in_the_cellar(trail):
    """Every night from one address; the run of Tuesday goes on past midnight into the next day's folder."""
    for n in DAYS:
        start = day(n, 23, 58, 50) if n == 1 else day(n, 2, 3)
        for s in range(6):
            trail.call(BACKUP, start + timedelta(seconds=20 * s), "s3:PutObject", region=EU, ip=BACKUP_SERVER, agent=JAVA_OLD,
                       read_only=False, data=True, **s3_object(MAIN, "example-backups", f"fileserver/2025-03-0{3 + n}/part-{s:04}"))
        trail.call(BACKUP, start, "s3:ListBuckets", region=EU, ip=BACKUP_SERVER, agent=JAVA_OLD,
                   parameters={"Host": "s3.eu-west-1.amazonaws.com"})


def alice_at_her_laptop(trail):
    """A person: console sign-in with a session key for every few calls, and a key for the command line."""
    for n in DAYS:
        at, ip = day(n, 9, 5), ALICE_AT_HOME if n == 4 else OFFICE
        who = {k: v for k, v in ALICE.identity.items() if k != "accessKeyId"}
        trail.call(Actor(MAIN, who | {"accessKeyId": ""}), at, "signin:ConsoleLogin", ip=ip, agent=BROWSER, read_only=False,
                   response={"ConsoleLogin": "Success"}, event_type="AwsConsoleSignIn",
                   additionalEventData={"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "Yes"})
        for s in range(2):
            console = Actor(MAIN, who | {
                "accessKeyId": unique_id("ASIA", MAIN, f"console {n} {s}"),
                "sessionContext": {"sessionIssuer": {}, "webIdFederationData": {},
                                   "attributes": {"creationDate": text_time(at), "mfaAuthenticated": "true"}}})
            trail.call(console, at + timedelta(seconds=30 + s), "ec2:DescribeInstances", region=EU, ip=ip, agent=BROWSER,
                       parameters={"instancesSet": {}, "filterSet": {}}, sessionCredentialFromConsole="true")
        for s, command in enumerate(("s3.ls", "iam.list-users", "lambda.get-function")):
            what = ("s3:ListBuckets", "iam:ListUsers", "lambda:GetFunction20150331v2")[s]
            trail.call(ALICE, day(n, 15, 6, s), what, ip=ip, agent=CLI_MAC + command)
    failed = {"type": "IAMUser", "accountId": MAIN, "accessKeyId": "", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    trail.call(Actor(MAIN, failed), day(0, 9, 4, 50), "signin:ConsoleLogin", ip=OFFICE, agent=BROWSER, read_only=False,
               response={"ConsoleLogin": "Failure"}, event_type="AwsConsoleSignIn", errorMessage="Failed authentication",
               additionalEventData={"MobileVersion": "No", "MFAUsed": "No"})


def alice_replaces_a_key(trail):
    """The answer of CreateAccessKey names the new key before it is used."""
    admin = session(DATA, "OrganizationAccountAccessRole", "alice", day(2, 15, 8))
    new = ORDERS_NEW.identity
    trail.call(ALICE, day(2, 15, 8), "sts:AssumeRole", ip=OFFICE, agent=CLI_MAC + "sts.assume-role",
               parameters={"roleArn": f"arn:aws:iam::{DATA}:role/OrganizationAccountAccessRole", "roleSessionName": "alice"},
               response=credentials(admin, day(2, 16, 8)))
    trail.call(admin, day(2, 15, 9), "iam:CreateAccessKey", ip=OFFICE, agent=CLI_MAC + "iam.create-access-key", read_only=False,
               parameters={"userName": "svc-orders"},
               response={"accessKey": {"userName": "svc-orders", "accessKeyId": new["accessKeyId"], "status": "Active",
                                       "createDate": response_time(day(2, 15, 9))}})


def report_job_lacks_permissions(trail):
    """A job that nobody looks after: half of its calls have been denied for months."""
    for n in DAYS:
        at = day(n, 2, 5)
        trail.call(REPORT, at, "ec2:DescribeInstances", region=EU, ip=REPORT_HOST, agent=BOTO_OLD,
                   error=("Client.UnauthorizedOperation", "You are not authorized to perform this operation."))
        trail.call(REPORT, at + timedelta(seconds=1), "ce:GetCostAndUsage", ip=REPORT_HOST, agent=BOTO_OLD,
                   error=denied(REPORT, "ce:GetCostAndUsage"))
        trail.call(REPORT, at + timedelta(seconds=2), "iam:ListUsers", ip=REPORT_HOST, agent=BOTO_OLD,
                   error=denied(REPORT, "iam:ListUsers"))
        for s in range(3):
            trail.call(REPORT, at + timedelta(seconds=3 + s), "monitoring:GetMetricData", region=EU, ip=REPORT_HOST, agent=BOTO_OLD)


def export_key_leaks(trail):
    """An export job's key turns up in a public repository on Thursday. Alice makes it inactive on Friday."""
    for n in DAYS:
        for s in range(4):
            trail.call(EXPORT, day(n, 2, 8, s), "s3:GetObject", ip=EXPORT_HOST, agent=BOTO_OLD, data=True,
                       **s3_object(MAIN, "example-exports", f"daily/2025-03-0{3 + n}/{s}.csv"))
    first, second = STRANGERS
    at = lambda s: day(3, 15, 1, s)
    trail.call(EXPORT, at(0), "sts:GetCallerIdentity", ip=first, agent="TruffleHog")
    trail.call(EXPORT, at(4), "iam:ListUsers", ip=second, agent=KALI, error=denied(EXPORT, "iam:ListUsers"))
    trail.call(EXPORT, at(5), "s3:ListBuckets", ip=second, agent=KALI)
    trail.call(EXPORT, at(9), "iam:CreateUser", ip=second, agent=KALI, read_only=False, parameters={"userName": "svc-backup-sync"},
               response={"user": {"path": "/", "userName": "svc-backup-sync", "userId": INTRUDER.identity["principalId"],
                                  "arn": INTRUDER.identity["arn"], "createDate": response_time(at(9))}})
    trail.call(EXPORT, at(12), "iam:AttachUserPolicy", ip=second, agent=KALI, read_only=False,
               parameters={"userName": "svc-backup-sync", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})
    trail.call(EXPORT, at(15), "iam:CreateAccessKey", ip=second, agent=KALI, read_only=False, parameters={"userName": "svc-backup-sync"},
               response={"accessKey": {"userName": "svc-backup-sync", "accessKeyId": INTRUDER.key, "status": "Active",
                                       "createDate": response_time(at(15))}})
    for s in range(8):
        trail.call(INTRUDER, at(20 + s), "s3:GetObject", ip=second, agent=KALI, data=True,
                   **s3_object(MAIN, "example-exports", f"customers/{s}.csv"))
    trail.call(INTRUDER, at(40), "cloudtrail:StopLogging", ip=second, agent=KALI, read_only=False, parameters={"name": "organization"},
               error=("InvalidTrailNameException", "This trail is an organization trail; only the management account can change it."))
    for s, key in enumerate((EXPORT, INTRUDER)):
        trail.call(ALICE, day(4, 9, 7, s), "iam:UpdateAccessKey", ip=ALICE_AT_HOME, agent=CLI_MAC + "iam.update-access-key", read_only=False,
                   parameters={"userName": key.identity["userName"], "accessKeyId": key.key, "status": "Inactive"})


def github_without_a_key(trail):
    """What the CI key should become: a role for the repository's own identity."""
    provider, subject = f"arn:aws:iam::{MAIN}:oidc-provider/token.actions.githubusercontent.com", "repo:example/infra:ref:refs/heads/main"
    for n in DAYS:
        at, ip = day(n, 15, 3), f"198.51.100.{100 + n}"
        role = session(MAIN, "github-infra", "GitHubActions", at, webIdFederationData={"federatedProvider": provider, "attributes": {}})
        web = Actor(MAIN, {"type": "WebIdentityUser", "principalId": f"{provider}:sts.amazonaws.com:{subject}", "userName": subject,
                           "identityProvider": provider})
        trail.call(web, at, "sts:AssumeRoleWithWebIdentity", ip=ip, agent=OIDC_ACTION,
                   parameters={"roleArn": f"arn:aws:iam::{MAIN}:role/github-infra", "roleSessionName": "GitHubActions", "durationSeconds": 3600},
                   response=credentials(role, at + timedelta(hours=1)) | {"provider": provider, "audience": "sts.amazonaws.com",
                                                                         "subjectFromWebIdentityToken": subject})
        trail.call(role, at + timedelta(seconds=3), "cloudformation:ListStacks", ip=ip, agent=OIDC_ACTION)


def services_work_by_themselves(trail):
    """Most of a small account's events: no key, no address."""
    for n in DAYS:
        for hour in (2, 9, 15):
            for account in (MAIN, DATA):
                trail.call(service(account, "cloudtrail.amazonaws.com"), day(n, hour, 5), "s3:PutObject", ip="cloudtrail.amazonaws.com",
                           agent="cloudtrail.amazonaws.com", read_only=False, data=True, sharedEventID=guid("delivery", n, hour, account),
                           **s3_object(MAIN, "example-trail", f"AWSLogs/{ORGANIZATION}/{account}/CloudTrail/x.json.gz"))
        host = session(DATA, "web-host", "i-0a1b2c3d4e5f60718", day(n, 9), ec2RoleDelivery="2.0")
        trail.call(service(DATA, "ec2.amazonaws.com"), day(n, 9), "sts:AssumeRole", region=EU, ip="ec2.amazonaws.com", agent="ec2.amazonaws.com",
                   parameters={"roleArn": f"arn:aws:iam::{DATA}:role/web-host", "roleSessionName": "i-0a1b2c3d4e5f60718"},
                   response=credentials(host, day(n, 15)))
        trail.call(host, day(n, 9, 1), "ssm:UpdateInstanceInformation", region=EU, ip="203.0.113.30", agent="amazon-ssm-agent/3.2.2303.0",
                   read_only=False, parameters={"instanceId": "i-0a1b2c3d4e5f60718", "agentVersion": "3.2.2303.0"})
    event = trail.call(Actor(DATA, {"accountId": DATA, "invokedBy": "AWS Internal"}), day(2, 2, 2), "kms:RotateKey", ip="AWS Internal",
                       agent="AWS Internal", read_only=False, event_type="AwsServiceEvent", serviceEventDetails={"keyId": guid("kms")})
    event["requestID"] = None


SCENARIOS = (ci_deploys_from_many_addresses, ci_assumes_a_role_in_the_other_account, orders_service_on_ec2,
             orders_objects_are_encrypted, backup_server_in_the_cellar, alice_at_her_laptop, alice_replaces_a_key,
             report_job_lacks_permissions, export_key_leaks, github_without_a_key, services_work_by_themselves)

# ------------------------------------------------------------------------------------------------ delivery

def compressed(document):
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as file:
        file.write(text)
    return out.getvalue()


def log_file_path(account, region, stamp, salt="", folder="CloudTrail"):
    name = f"{account}_{folder}_{region}_{stamp:%Y%m%dT%H%MZ}_{letters(16, account, region, stamp, salt, alphabet=BASE32 + BASE32.lower())}"
    return f"AWSLogs/{ORGANIZATION}/{account}/{folder}/{region}/{stamp:%Y/%m/%d}/{name}.json.gz"


def log_files(trail):
    """Path and records of every log file: CloudTrail delivers a few minutes after the call, in no order."""
    files = defaultdict(list)
    for account, region, record in trail.deliveries:
        time = datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        stamp = time - timedelta(minutes=time.minute % 10, seconds=time.second) + timedelta(minutes=15)
        if (account, region, (stamp - FIRST_DAY).days) != MISSING:
            files[account, region, stamp].append(record)
    for (account, region, stamp), records in sorted(files.items()):
        yield account, region, stamp, sorted(records, key=lambda record: record["eventID"])


def truth_of(records):
    """What is to be counted, from the unique records alone."""
    keys = {}
    for record in records:
        key = record["userIdentity"].get("accessKeyId")
        if key:
            keys.setdefault(key, []).append(record)
    counts = lambda values: dict(sorted(Counter(values).items()))
    return {key: {
        "user_name": of[0]["userIdentity"].get("userName"),
        "account_id": of[0]["recipientAccountId"],
        "events": len(of),
        "errors": sum("errorCode" in r for r in of),
        "first_seen": min(r["eventTime"] for r in of),
        "last_seen": max(r["eventTime"] for r in of),
        "source_ip_addresses": counts(r["sourceIPAddress"] for r in of),
        "user_agents": counts(r["userAgent"] for r in of),
        "api_calls": counts(f"{r['eventSource']}:{r['eventName']}" for r in of),
        "regions": counts(r["awsRegion"] for r in of),
        "issued_keys": sum(bool(issued_key(r)) for r in of),
    } for key, of in sorted(keys.items())}


def issued_key(record):
    response = record["responseElements"] or {}
    return (response.get("accessKey") or response.get("credentials") or {}).get("accessKeyId")


# ------------------------------------------------------------------------------------------------ what IAM says

REPORT_COLUMNS = ["user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
                  "password_next_rotation", "mfa_active"]
for slot in (1, 2):
    REPORT_COLUMNS += [f"access_key_{slot}_{what}" for what in (
        "active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")]
REPORT_COLUMNS += ["cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated"]


def report_time(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00") if isinstance(time, datetime) else time


def report_key(rotated, used="N/A", region="N/A", service="N/A", active=True):
    return ["true" if active else "false", report_time(rotated), report_time(used), region, service]


def report_row(account, name, created, *keys, password=("false", "N/A", "N/A", "N/A"), mfa="false", path="/"):
    root = name == "<root_account>"
    arn = f"arn:aws:iam::{account}:root" if root else f"arn:aws:iam::{account}:user{path}{name}"
    none = ["false", "N/A", "N/A", "N/A", "N/A"]
    slots = [*keys, none, none][:2]
    return [name, arn, report_time(created), *map(report_time, password), mfa, *slots[0], *slots[1],
            "false", "N/A", "false", "N/A"]


def credential_reports():
    """IAM's credential report of each account, as of Friday afternoon. It holds no key ids."""
    ago = lambda days: day(4, 16) - timedelta(days=days)
    root = ("not_supported", ago(3), "not_supported", "not_supported")
    yield MAIN, [
        report_row(MAIN, "<root_account>", ago(3000), report_key(ago(2900)), password=root, mfa="true"),
        report_row(MAIN, "alice", ago(800), report_key(ago(200), day(4, 15, 6), US, "sts"),
                   password=("true", day(4, 9, 5), ago(800), "N/A"), mfa="true"),
        report_row(MAIN, "bob", ago(900), report_key(ago(700), ago(400), US, "ec2", active=False),
                   password=("true", "no_information", ago(900), "N/A")),
        report_row(MAIN, "carol", ago(500), report_key(ago(450), ago(120), "N/A", "s3"), path="/staff/"),
        report_row(MAIN, "ci-deploy", ago(60), report_key(ago(60), day(4, 15, 2), "N/A", "s3"), path="/ci/"),
        report_row(MAIN, "svc-backup", ago(400), report_key(ago(400), day(4, 2, 3), "N/A", "s3"), path="/service/"),
        report_row(MAIN, "svc-backup-sync", day(3, 15, 1, 9), report_key(day(4, 9, 7, 1), day(3, 15, 1, 20), "N/A", "s3", active=False)),
        report_row(MAIN, "svc-export", ago(300), report_key(day(4, 9, 7, 0), day(4, 2, 8), "N/A", "s3", active=False), path="/service/"),
        # Mail is sent by SMTP with a password made from this key: CloudTrail shows nothing of it.
        report_row(MAIN, "svc-mailer", ago(600), report_key(ago(600), day(4, 8, 30), EU, "ses"), path="/service/"),
        report_row(MAIN, "svc-new", ago(5), report_key(ago(5)), path="/service/"),
    ]
    yield DATA, [
        report_row(DATA, "<root_account>", ago(1500), password=("not_supported", "no_information", "not_supported", "not_supported"), mfa="true"),
        report_row(DATA, "dora", ago(700)),
        report_row(DATA, "svc-orders", ago(350), report_key(ago(350), day(1, 15, 1, 40), EU, "sqs"),
                   report_key(day(2, 15, 9), day(4, 15, 1), EU, "kms"), path="/service/"),
        report_row(DATA, "svc-report", ago(365), report_key(ago(365), day(4, 2, 5), EU, "monitoring"), path="/service/"),
        report_row(DATA, "svc-trial", ago(250), report_key(ago(250)), path="/service/"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where trail/, truth.json and credential reports go")
    out = parser.parse_args().out
    trail = Trail()
    for scenario in SCENARIOS:
        scenario(trail)

    written = {}  # path: bytes
    unique, delivered, rejected_records = {}, 0, 0
    broken_record = None
    for account, region, stamp, records in log_files(trail):
        path = log_file_path(account, region, stamp)
        if (account, region, stamp) == (DATA, US, day(1, 9, 15)):
            # One record whose time is none: it alone is rejected.
            broken_record = dict(records[0], eventTime="2025-03-04T25:61:00Z", eventID=guid("broken"))
            records = [*records, broken_record]
            rejected_records += 1
        written[path] = compressed({"Records": records})
        delivered += len(records)
        unique |= {record["eventID"]: record for record in records if record is not broken_record}
        if (account, region, stamp) == (MAIN, US, day(3, 15, 15)):
            # Delivered a second time, under another name, as happens.
            written[log_file_path(account, region, stamp + timedelta(minutes=5), "again")] = compressed({"Records": records})
            delivered += len(records)

    # A log file that broke off on its way: its whole records are copies, and the rest of one record is rejected.
    torn = log_file_path(MAIN, EU, day(2, 15, 25), "torn")
    written[torn] = compressed({"Records": [record for _, _, record in trail.deliveries[:20]]})[:900]
    left = zlib.decompressobj(wbits=31).decompress(written[torn]).decode(errors="ignore")
    delivered += left.count('},{"eventVersion"') + 1
    rejected_records += 1
    log_file_count = len(written)

    # Digest files lie beside the log files and are no log files. (The signature is none.)
    for n in (0, 1):
        stamp = day(n, 10)
        written[log_file_path(MAIN, US, stamp, "digest", "CloudTrail-Digest")] = compressed({
            "awsAccountId": MAIN, "digestStartTime": text_time(stamp - timedelta(hours=1)), "digestEndTime": text_time(stamp),
            "digestS3Bucket": "example-trail", "digestS3Object": "-", "digestSignatureAlgorithm": "SHA256withRSA", "logFiles": []})

    shutil.rmtree(out / "trail", ignore_errors=True)
    for path, content in written.items():
        (out / "trail" / path).parent.mkdir(parents=True, exist_ok=True)
        (out / "trail" / path).write_bytes(content)
    for account, rows in credential_reports():
        lines = [",".join(row) for row in [REPORT_COLUMNS, *rows]]
        (out / f"credential-report-{account}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    truth = {
        "log_files": {"listed": log_file_count, "stored": log_file_count - 1, "rejected": 1},
        "events": {"read": delivered, "stored": len(unique), "duplicates": delivered - len(unique) - rejected_records,
                   "rejected": rejected_records},
        "missing": {"account_id": MISSING[0], "region": MISSING[1], "day": f"{day(MISSING[2], 0):%Y-%m-%d}"},
        "keys": truth_of(unique.values()),
    }
    (out / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
