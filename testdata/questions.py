#!/usr/bin/env python3
"""Makes testdata/questions: a weekend on which a leaked key is used for everything that the library of questions asks about.

    python3 testdata/questions.py [--out FOLDER]

It is the organization of `generate.py`, some days later. Everything is invented; no clock, no random numbers.
"""

import argparse
import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path

sys.dont_write_bytecode = True

from generate import (ALICE, BOTO_EC2, BOTO_OLD, BROWSER, CLI_MAC, DATA, EU, KALI, MAIN, OFFICE, US, Actor, Trail, compressed,
                      credentials, day, denied, guid, log_file_path, log_files, response_time, s3_object, service, session, text_time,
                      unique_id, user)  # noqa: E402

PARTNER, SYDNEY = "777788889999", "ap-southeast-2"
SATURDAY, SUNDAY, MONDAY = 5, 6, 7

MEDIA = user(MAIN, "svc-media", "/service/")
SYNC = user(MAIN, "media-sync")
PRINTER = user(MAIN, "legacy-printer", "/service/")
ROOT = Actor(MAIN, {"type": "Root", "principalId": MAIN, "arn": f"arn:aws:iam::{MAIN}:root", "accountId": MAIN,
                    "accessKeyId": unique_id("AKIA", MAIN, "root")})
MEDIA_HOST, MEDIA_PRIVATE, PRINTER_HOST = "203.0.113.50", "10.0.4.7", "192.0.2.31"
INTRUDER, INTRUDER_V6 = "198.51.100.66", "2001:db8:bad:1::66"
GO_TOOL = "aws-sdk-go/1.44.100 (go1.19; linux; amd64)"


def without_key(actor, **more):
    return Actor(actor.account, {k: v for k, v in actor.identity.items() if k != "accessKeyId"} | more)


def on_behalf(actor, name):
    """A service calls for the actor: the key stays, address and agent are the service's."""
    return Actor(actor.account, actor.identity | {"invokedBy": name}), dict(ip=name, agent=name)


def secret_arn(name):
    return f"arn:aws:secretsmanager:{EU}:{MAIN}:secret:{name}-Ab12Cd"


def quarantined(actor, action):
    return ("AccessDenied", f"User: {actor.identity['arn']} is not authorized to perform: {action} on resource: * with an explicit deny "
                            "in an identity-based policy: arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")


# ------------------------------------------------------------------------------------------------ scenarios

def media_service_at_work(trail):
    """What the key is for: a secret, some parameters, objects; by a service on its behalf too, and through a VPC endpoint."""
    for n in (SATURDAY, SUNDAY):
        at = day(n, 8, 0)
        host = dict(ip=MEDIA_HOST, agent=BOTO_EC2, region=EU)
        trail.call(MEDIA, at, "secretsmanager:GetSecretValue", parameters={"secretId": "prod/media/db"}, **host)
        decrypting, by_service = on_behalf(MEDIA, "secretsmanager.amazonaws.com")
        trail.call(decrypting, at + timedelta(seconds=1), "kms:Decrypt", region=EU, **by_service,
                   parameters={"encryptionContext": {"SecretARN": secret_arn("prod/media/db")}},
                   resources=[{"accountId": MAIN, "type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:{EU}:{MAIN}:key/{guid('media')}"}])
        trail.call(MEDIA, at + timedelta(seconds=2), "ssm:GetParameters", parameters={
            "names": ["/media/cdn-token", "/media/bucket"], "withDecryption": True}, **host)
        # A call that was too fast, and its retry.
        trail.call(MEDIA, at + timedelta(seconds=3), "ssm:GetParameter", parameters={"name": "/media/plain", "withDecryption": False},
                   error=("ThrottlingException", "Rate exceeded"), **host)
        trail.call(MEDIA, at + timedelta(seconds=4), "ssm:GetParameter", parameters={"name": "/media/plain", "withDecryption": False}, **host)
        for s in range(3):
            trail.call(MEDIA, at + timedelta(seconds=5 + s), "s3:GetObject", data=True, **host,
                       **s3_object(MAIN, "example-media", f"originals/2025/{n}-{s}.mov"))
        trail.call(MEDIA, at + timedelta(minutes=2), "s3:PutObject", ip=MEDIA_PRIVATE, agent=BOTO_EC2, region=EU, read_only=False, data=True,
                   vpcEndpointId="vpce-0123456789abcdef0", **s3_object(MAIN, "example-media", f"previews/2025/{n}.webp"))


def an_old_printer(trail):
    """A device with a TLS of ten years ago."""
    for n in (SATURDAY, MONDAY):
        record = trail.call(PRINTER, day(n, 7, 30), "s3:PutObject", ip=PRINTER_HOST, agent="aws-sdk-java/1.7.4 Linux/2.6.32 OpenJDK", data=True,
                            read_only=False, **s3_object(MAIN, "example-scans", f"inbox/{n}.pdf"))
        record["tlsDetails"] = {"tlsVersion": "TLSv1.1" if n == SATURDAY else "TLSv1", "cipherSuite": "ECDHE-RSA-AES128-SHA",
                                "clientProvidedHostHeader": "s3.amazonaws.com"}


def the_key_leaks(trail):
    """First looks, with and without success."""
    at = lambda s: day(SUNDAY, 3, 10, 0) + timedelta(seconds=s)
    here = dict(ip=INTRUDER, agent=KALI)
    trail.call(MEDIA, at(0), "sts:GetCallerIdentity", ip=INTRUDER, agent="TruffleHog")
    trail.call(MEDIA, at(9), "ec2:DescribeInstances", region=EU, error=(
        "Client.UnauthorizedOperation", "You are not authorized to perform this operation."), **here)
    trail.call(MEDIA, at(12), "ses:GetSendQuota", error=denied(MEDIA, "ses:GetSendQuota"), **here)
    trail.call(MEDIA, at(15), "s3:ListBuckets", **here)
    trail.call(MEDIA, at(20), "iam:GenerateCredentialReport", response={"state": "STARTED"}, **here)
    trail.call(MEDIA, at(26), "iam:GetCredentialReport", **here)


def secrets_are_read(trail):
    """By name, by ARN, several at once, by path; some are refused."""
    at = lambda s: day(SUNDAY, 3, 12, 0) + timedelta(seconds=s)
    here = dict(ip=INTRUDER, agent=KALI, region=EU)
    trail.call(MEDIA, at(0), "secretsmanager:GetSecretValue", parameters={"secretId": secret_arn("prod/media/db")}, **here)
    trail.call(MEDIA, at(2), "secretsmanager:BatchGetSecretValue", parameters={"secretIdList": ["prod/media/cdn", "prod/billing/api"]}, **here)
    trail.call(MEDIA, at(4), "secretsmanager:GetSecretValue", parameters={"secretId": "prod/payroll"},
               error=denied(MEDIA, "secretsmanager:GetSecretValue", secret_arn("prod/payroll")), **here)
    trail.call(MEDIA, at(6), "ssm:GetParametersByPath", parameters={"path": "/media", "recursive": True, "withDecryption": True}, **here)
    for s in range(4):
        trail.call(MEDIA, at(10 + s), "s3:GetObject", data=True, **here, **s3_object(MAIN, "example-media", f"contracts/{s}.pdf"))


def ways_back_in(trail):
    """A user with a key, a password and rights; a role that trusts a stranger; a provider; a function that anybody may call."""
    at = lambda s: day(SUNDAY, 3, 15, 0) + timedelta(seconds=s)
    here = dict(ip=INTRUDER, agent=KALI, read_only=False)
    new = SYNC.identity
    trail.call(MEDIA, at(0), "iam:CreateUser", parameters={"userName": "media-sync"}, response={"user": {
        "path": "/", "userName": "media-sync", "userId": new["principalId"], "arn": new["arn"], "createDate": response_time(at(0))}}, **here)
    trail.call(MEDIA, at(3), "iam:CreateAccessKey", parameters={"userName": "media-sync"}, response={"accessKey": {
        "userName": "media-sync", "accessKeyId": SYNC.key, "status": "Active", "createDate": response_time(at(3))}}, **here)
    trail.call(MEDIA, at(6), "iam:CreateLoginProfile", parameters={"userName": "media-sync", "passwordResetRequired": False}, response={
        "loginProfile": {"userName": "media-sync", "createDate": response_time(at(6)), "passwordResetRequired": False}}, **here)
    trail.call(MEDIA, at(9), "iam:PutUserPolicy", error=denied(MEDIA, "iam:PutUserPolicy"), parameters={
        "userName": "media-sync", "policyName": "all", "policyDocument": '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'}, **here)
    trail.call(MEDIA, at(12), "iam:AttachUserPolicy", parameters={
        "userName": "media-sync", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, **here)
    trail.call(MEDIA, at(15), "iam:AddUserToGroup", parameters={"userName": "media-sync", "groupName": "operators"}, **here)
    trail.call(MEDIA, at(18), "iam:UpdateAssumeRolePolicy", parameters={"roleName": "deploy", "policyDocument": json.dumps({
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"}, "Action": "sts:AssumeRole"}]})}, **here)
    trail.call(MEDIA, at(21), "iam:CreateOpenIDConnectProvider", parameters={
        "url": "https://oidc.example.net", "clientIDList": ["sts.amazonaws.com"]}, response={
        "openIDConnectProviderArn": f"arn:aws:iam::{MAIN}:oidc-provider/oidc.example.net"}, **here)
    trail.call(MEDIA, at(24), "lambda:CreateFunction20150331", region=EU, parameters={
        "functionName": "media-thumbs", "runtime": "python3.12", "role": f"arn:aws:iam::{MAIN}:role/deploy"}, response={
        "functionName": "media-thumbs", "functionArn": f"arn:aws:lambda:{EU}:{MAIN}:function:media-thumbs"}, **here)
    trail.call(MEDIA, at(27), "lambda:AddPermission20150331v2", region=EU, parameters={
        "functionName": "media-thumbs", "principal": "*", "action": "lambda:InvokeFunctionUrl", "statementId": "open"}, **here)
    trail.call(MEDIA, at(30), "s3:CreateBucket", region=EU, parameters={"bucketName": "example-media-sync", "Host": "s3.eu-west-1.amazonaws.com"}, **here)


def sessions_and_roles(trail):
    """Temporary keys of several kinds, and a role that renews itself."""
    at = lambda s: day(SUNDAY, 3, 18, 0) + timedelta(seconds=s)
    here = dict(ip=INTRUDER, agent=KALI)
    role_arn = f"arn:aws:iam::{MAIN}:role/break-glass"
    first, second, third = (session(MAIN, "break-glass", "it", at(60 * n)) for n in range(3))
    ask = {"roleArn": role_arn, "roleSessionName": "it", "durationSeconds": 3600}
    trail.call(MEDIA, at(0), "sts:AssumeRole", parameters=ask, response=credentials(first, at(3600)), **here)
    trail.call(first, at(60), "sts:AssumeRole", parameters=ask, response=credentials(second, at(3660)), **here)
    trail.call(second, at(120), "sts:AssumeRole", parameters=ask, response=credentials(third, at(3720)), **here)
    trail.call(third, at(130), "iam:ListRoles", **here)
    trail.call(MEDIA, at(140), "sts:AssumeRole", parameters={"roleArn": f"arn:aws:iam::{DATA}:role/deploy", "roleSessionName": "it"},
               error=denied(MEDIA, "sts:AssumeRole", f"arn:aws:iam::{DATA}:role/deploy"), **here)
    own = Actor(MAIN, MEDIA.identity | {"accessKeyId": unique_id("ASIA", MAIN, "svc-media own"), "sessionContext": {
        "attributes": {"creationDate": text_time(at(150)), "mfaAuthenticated": "false"}}})
    trail.call(MEDIA, at(150), "sts:GetSessionToken", parameters={"durationSeconds": 129600}, response={"credentials": {
        "accessKeyId": own.key, "sessionToken": "FwoGZXIvYXdzEXAMPLE", "expiration": response_time(at(129750))}}, **here)
    trail.call(own, at(160), "s3:ListBuckets", **here)
    federated = Actor(MAIN, {
        "type": "FederatedUser", "principalId": f"{MAIN}:it", "arn": f"arn:aws:sts::{MAIN}:federated-user/it", "accountId": MAIN,
        "accessKeyId": unique_id("ASIA", MAIN, "federated it"), "sessionContext": {
            "sessionIssuer": {"type": "IAMUser", "principalId": MEDIA.identity["principalId"], "arn": MEDIA.identity["arn"],
                              "accountId": MAIN, "userName": "svc-media"},
            "attributes": {"creationDate": text_time(at(170)), "mfaAuthenticated": "false"}}})
    trail.call(MEDIA, at(170), "sts:GetFederationToken", parameters={"name": "it", "durationSeconds": 129600}, response={
        "credentials": {"accessKeyId": federated.key, "sessionToken": "FwoGZXIvYXdzEXAMPLE", "expiration": response_time(at(129770))},
        "federatedUser": {"federatedUserId": f"{MAIN}:it", "arn": federated.identity["arn"]}}, **here)
    trail.call(federated, at(180), "s3:ListBuckets", ip=INTRUDER_V6, agent=GO_TOOL)


def machines_in_sydney(trail):
    """Two instances far away, one refused at home, and a port open to the world."""
    at = lambda s: day(SUNDAY, 3, 25, 0) + timedelta(seconds=s)
    here = dict(ip=INTRUDER, agent=KALI, read_only=False)
    trail.call(MEDIA, at(0), "ec2:CreateKeyPair", region=SYDNEY, parameters={"keyName": "it"}, response={"keyName": "it", "keyPairId": "key-0aa"}, **here)
    trail.call(MEDIA, at(3), "ec2:CreateSecurityGroup", region=SYDNEY, parameters={"groupName": "it", "groupDescription": "it"},
               response={"groupId": "sg-0f00d", "_return": True}, **here)
    trail.call(MEDIA, at(6), "ec2:AuthorizeSecurityGroupIngress", region=SYDNEY, parameters={"groupId": "sg-0f00d", "ipPermissions": {"items": [
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}},
        {"ipProtocol": "tcp", "fromPort": 8333, "toPort": 8333, "groups": {}, "ipRanges": {"items": [{"cidrIp": f"{INTRUDER}/32"}]}, "ipv6Ranges": {}},
    ]}}, response={"_return": True}, **here)
    ask = {"instancesSet": {"items": [{"imageId": "ami-0c0ffee", "minCount": 2, "maxCount": 2}]}, "instanceType": "p4d.24xlarge"}
    trail.call(MEDIA, at(9), "ec2:RunInstances", region=US, parameters=ask, error=(
        "Client.VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit allows."), **here)
    trail.call(MEDIA, at(20), "ec2:RunInstances", region=SYDNEY, parameters=ask, response={"instancesSet": {"items": [
        {"instanceId": f"i-0badc0de{n}", "imageId": "ami-0c0ffee", "instanceType": "p4d.24xlarge"} for n in (1, 2)]}}, **here)
    scaling, by_service = on_behalf(Actor(MAIN, session(MAIN, "AWSServiceRoleForAutoScaling", "AutoScaling", day(SUNDAY, 9)).identity), "autoscaling.amazonaws.com")
    trail.call(scaling, day(SUNDAY, 9), "ec2:RunInstances", region=EU, read_only=False, parameters={"instanceType": "m6i.large"}, **by_service,
               response={"instancesSet": {"items": [{"instanceId": "i-0600d", "imageId": "ami-0abc", "instanceType": "m6i.large"}]}})


def blinded_shared_destroyed(trail):
    """Logging off, a snapshot for a stranger, a public bucket, objects deleted and held to ransom."""
    at = lambda s: day(SUNDAY, 3, 35, 0) + timedelta(seconds=s)
    here = dict(ip=INTRUDER_V6, agent=GO_TOOL, read_only=False)
    trail.call(SYNC, at(0), "cloudtrail:StopLogging", region=EU, parameters={"name": "media"}, **here)
    trail.call(SYNC, at(3), "guardduty:DeleteDetector", region=EU, parameters={"detectorId": "12abc34d567e8fa901bc2d34e56789f0"},
               error=denied(SYNC, "guardduty:DeleteDetector"), **here)
    trail.call(SYNC, at(6), "ec2:ModifySnapshotAttribute", region=EU, parameters={"snapshotId": "snap-0123456789abcdef0", "attributeType": "CREATE_VOLUME_PERMISSION",
               "createVolumePermission": {"add": {"items": [{"userId": PARTNER}]}}}, response={"_return": True}, **here)
    trail.call(SYNC, at(9), "s3:PutBucketPolicy", region=EU, parameters={"bucketName": "example-media", "bucketPolicy": {
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::example-media/*"}]}}, **here)
    trail.call(SYNC, at(12), "s3:PutBucketLifecycle", region=EU, parameters={"bucketName": "example-media", "LifecycleConfiguration": {
        "Rule": {"ID": "it", "Status": "Enabled", "Expiration": {"Days": 1}, "Filter": {"Prefix": ""}}}}, **here)
    for s in range(3):
        record = s3_object(MAIN, "example-media", f"originals/2025/{SATURDAY}-{s}.mov")
        record["parameters"] |= {"x-amz-copy-source": "example-media/x", "x-amz-server-side-encryption-customer-algorithm": "AES256"}
        trail.call(SYNC, at(20 + s), "s3:CopyObject", region=EU, data=True, **record, **here)
    trail.call(SYNC, at(30), "s3:DeleteObject", region=EU, data=True, **here, **s3_object(MAIN, "example-media", "contracts/0.pdf"))
    trail.call(SYNC, at(40), "kms:ScheduleKeyDeletion", region=EU, parameters={"keyId": guid("media"), "pendingWindowInDays": 7},
               error=denied(SYNC, "kms:ScheduleKeyDeletion"), **here)
    stranger = Actor(PARTNER, {"type": "AWSAccount", "principalId": unique_id("AIDA", PARTNER, "it", 21), "accountId": PARTNER})
    for s in range(2):
        trail.call(stranger, at(600 + s), "s3:GetObject", region=EU, ip=INTRUDER_V6, agent=GO_TOOL, data=True, account=MAIN,
                   sharedEventID=guid("stranger", s), **s3_object(MAIN, "example-media", f"contracts/{1 + s}.pdf"))


def people_sign_in(trail):
    """Passwords and MFA: the intruder's new user, a guesser, root, and Alice who sets things right."""
    console = lambda outcome, mfa: dict(response={"ConsoleLogin": outcome}, event_type="AwsConsoleSignIn", read_only=False,
                                        additionalEventData={"MobileVersion": "No", "MFAUsed": mfa})
    trail.call(without_key(SYNC, accessKeyId=""), day(SUNDAY, 3, 40), "signin:ConsoleLogin", ip=INTRUDER, agent=BROWSER, **console("Success", "No"))
    trail.call(SYNC, day(SUNDAY, 3, 42), "iam:EnableMFADevice", ip=INTRUDER, agent=KALI, read_only=False, parameters={
        "userName": "media-sync", "serialNumber": f"arn:aws:iam::{MAIN}:mfa/media-sync", "authenticationCode1": "123456", "authenticationCode2": "654321"})
    guesser = Actor(MAIN, {"type": "IAMUser", "accountId": MAIN, "accessKeyId": "", "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"})
    for s in range(3):
        trail.call(guesser, day(SUNDAY, 4, 0, s), "signin:ConsoleLogin", ip=INTRUDER_V6, agent=BROWSER, errorMessage="Failed authentication",
                   **console("Failure", "No"))
    trail.call(without_key(ROOT, accessKeyId=""), day(MONDAY, 7, 0), "signin:ConsoleLogin", ip=OFFICE, agent=BROWSER, **console("Success", "Yes"))
    trail.call(ROOT, day(MONDAY, 7, 2), "s3:ListBuckets", ip=OFFICE, agent=CLI_MAC + "s3.ls")
    trail.call(ALICE, day(MONDAY, 7, 5), "iam:ChangePassword", ip=OFFICE, agent=CLI_MAC + "iam.change-password", read_only=False)
    trail.call(ALICE, day(MONDAY, 7, 6), "iam:DeactivateMFADevice", ip=OFFICE, agent=CLI_MAC + "iam.deactivate-mfa-device", read_only=False,
               parameters={"userName": "media-sync", "serialNumber": f"arn:aws:iam::{MAIN}:mfa/media-sync"})


def aws_puts_the_user_in_quarantine(trail):
    """The intruder, by his own user, takes the policy off again."""
    policy = {"userName": "svc-media", "policyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}
    trail.call(service(MAIN, "iam.amazonaws.com"), day(SUNDAY, 4, 30), "iam:AttachUserPolicy", ip="iam.amazonaws.com", agent="iam.amazonaws.com",
               read_only=False, parameters=policy)
    for s in range(2):
        trail.call(MEDIA, day(SUNDAY, 4, 31, s), "iam:CreateAccessKey", ip=INTRUDER, agent=KALI, read_only=False,
                   parameters={"userName": "svc-media"}, error=quarantined(MEDIA, "iam:CreateAccessKey"))
    trail.call(MEDIA, day(SUNDAY, 8, 0, 5), "s3:GetObject", region=EU, ip=MEDIA_HOST, agent=BOTO_EC2, data=True,
               error=quarantined(MEDIA, "s3:GetObject"), **s3_object(MAIN, "example-media", "originals/2025/x.mov"))
    trail.call(SYNC, day(SUNDAY, 8, 30), "iam:DetachUserPolicy", ip=INTRUDER, agent=KALI, read_only=False, parameters=policy)


def keys_are_switched_off(trail):
    """Off, on again by the intruder, off for good; the last calls come some seconds late."""
    def status(who, at, key, status, ip=OFFICE):
        trail.call(who, at, "iam:UpdateAccessKey", ip=ip, agent=CLI_MAC + "iam.update-access-key", read_only=False,
                   parameters={"userName": key.identity["userName"], "accessKeyId": key.key, "status": status})
    status(ALICE, day(SUNDAY, 10, 0), MEDIA, "Inactive")
    trail.call(MEDIA, day(SUNDAY, 10, 0, 3), "s3:ListBuckets", ip=INTRUDER, agent=KALI)
    status(SYNC, day(SUNDAY, 11, 0), MEDIA, "Active", INTRUDER)
    trail.call(MEDIA, day(SUNDAY, 11, 1), "sts:GetCallerIdentity", ip=INTRUDER, agent=KALI)
    status(ALICE, day(MONDAY, 7, 10), MEDIA, "Inactive")
    trail.call(ALICE, day(MONDAY, 7, 11), "iam:DeleteAccessKey", ip=OFFICE, agent=CLI_MAC + "iam.delete-access-key", read_only=False,
               parameters={"userName": "media-sync", "accessKeyId": SYNC.key})
    trail.call(ALICE, day(MONDAY, 7, 12), "ec2:TerminateInstances", region=SYDNEY, ip=OFFICE, agent=CLI_MAC + "ec2.terminate-instances", read_only=False,
               parameters={"instancesSet": {"items": [{"instanceId": "i-0badc0de1"}]}},
               response={"instancesSet": {"items": [{"instanceId": "i-0badc0de1", "currentState": {"code": 32, "name": "shutting-down"}}]}})
    new = user(MAIN, "svc-media", "/service/", "second")
    trail.call(ALICE, day(MONDAY, 7, 15), "iam:CreateAccessKey", ip=OFFICE, agent=CLI_MAC + "iam.create-access-key", read_only=False,
               parameters={"userName": "svc-media"}, response={"accessKey": {
                   "userName": "svc-media", "accessKeyId": new.key, "status": "Active", "createDate": response_time(day(MONDAY, 7, 15))}})
    trail.call(new, day(MONDAY, 8, 0), "secretsmanager:GetSecretValue", region=EU, ip=MEDIA_HOST, agent=BOTO_EC2, parameters={"secretId": "prod/media/db"})
    # A key that was made for oneself, and is not used.
    trail.call(ALICE, day(SATURDAY, 9, 0), "iam:CreateAccessKey", ip=OFFICE, agent=CLI_MAC + "iam.create-access-key", read_only=False,
               response={"accessKey": {"userName": "alice", "accessKeyId": unique_id("AKIA", MAIN, "alice second"), "status": "Active",
                                       "createDate": response_time(day(SATURDAY, 9, 0))}})


def odd_records(trail):
    """Records as they should not be, but are: no type, parameters that are text, no parameters at all."""
    event = trail.call(Actor(MAIN, {"accountId": MAIN, "invokedBy": "AWS Internal"}), day(SATURDAY, 6, 0), "kms:RotateKey", ip="AWS Internal",
                       agent="AWS Internal", read_only=False, event_type="AwsServiceEvent", serviceEventDetails={"keyId": guid("media")})
    event["requestID"] = None
    trail.call(PRINTER, day(SATURDAY, 7, 31), "iam:UpdateAccessKey", ip=PRINTER_HOST, agent=BOTO_OLD, read_only=False, parameters="userName=x",
               error=denied(PRINTER, "iam:UpdateAccessKey"))
    trail.call(PRINTER, day(SATURDAY, 7, 32), "secretsmanager:GetSecretValue", ip=PRINTER_HOST, agent=BOTO_OLD, parameters=None,
               error=("ValidationException", "secretId is missing"))


SCENARIOS = (media_service_at_work, an_old_printer, the_key_leaks, secrets_are_read, ways_back_in, sessions_and_roles, machines_in_sydney,
             blinded_shared_destroyed, people_sign_in, aws_puts_the_user_in_quarantine, keys_are_switched_off, odd_records)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where questions/ goes")
    out = parser.parse_args().out / "questions"
    trail = Trail()
    for scenario in SCENARIOS:
        scenario(trail)
    shutil.rmtree(out, ignore_errors=True)
    for account, region, stamp, records in log_files(trail):
        path = out / log_file_path(account, region, stamp, "questions")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(compressed({"Records": records}))


if __name__ == "__main__":
    main()
