#!/usr/bin/env python3
"""Makes testdata/lineage: a tiny trail for every way in which one credential gives birth to another, and what is true of it.

    python3 testdata/lineage.py [--out FOLDER]

Each scenario is one JSON Lines file: a leaked key (or a session) does something, and something comes out of it. Beside the files,
expected.json has for each scenario where a trace starts and which credentials it must find: key or principal, rule, confidence,
parent key, event; and which changes of the owner it must name as not followed. The numbers in the names are the rows of the table of births, the J the rules of docs/trace.md.
"""

import argparse
import json
import shutil
from datetime import timedelta
from pathlib import Path

from generate import BOTO_OLD, BROWSER, DATA, EU, MAIN, Actor, Trail, credentials, day, service, session, unique_id, user

ADDRESS, HOST = "198.51.100.7", "203.0.113.40"
LEAKED, PLANTED, VICTIM = user(MAIN, "leaked"), user(MAIN, "planted"), user(MAIN, "victim")
START = day(1, 12)


def at(second):
    return START + timedelta(seconds=second)


class Scenario(Trail):
    """A trail with shorthands, and the truth about it."""

    def __init__(self, start=LEAKED, args=()):
        super().__init__()
        self.start, self.args, self.expected = start if isinstance(start, str) else start.key, list(args), []
        self.left, self.silent = [], []

    def does(self, actor, second, what, parameters=None, response=None, read_only=False, **more):
        record = self.call(actor, at(second), what, ip=more.pop("ip", ADDRESS), agent=more.pop("agent", BOTO_OLD), parameters=parameters,
                           response=response, read_only=read_only, **more)
        return record

    def acts(self, actor, second=60, **more):
        """The credential is seen in use."""
        return self.does(actor, second, "s3:ListBuckets", read_only=True, **more)

    def opens(self, actor, child, second=10, **more):
        """AssumeRole, with the child's key in its answer."""
        role, name = child.identity["arn"].split("/")[-2:]
        account = child.identity["accountId"]
        return self.does(actor, second, "sts:AssumeRole", {"roleArn": f"arn:aws:iam::{account}:role/{role}", "roleSessionName": name},
                         credentials(child, at(second + 3600)), read_only=True, **more)

    def finds(self, child, rule, confidence, parent=None, event=None):
        """A trace must find this credential, by this rule."""
        self.expected.append({
            "credential": child if isinstance(child, str) else child.key or child.identity["arn"], "rule": rule, "confidence": confidence,
            "parent_access_key_id": parent.key if parent else None, "issued_by_event_name": event})


    def leaves(self, what, event, credentials):
        """A trace must say that it did not follow this change of the owner."""
        self.left.append({"what": what, "event_name": event, "credentials": credentials})


def role(name="planted-role", session_name="s", second=10, account=MAIN, **more):
    return session(account, name, session_name, at(second), **more)


def without_key(actor):
    return Actor(actor.account, {name: value for name, value in actor.identity.items() if name != "accessKeyId"})


def of_user(actor, name, second, **more):
    """A session of a user: console or GetSessionToken."""
    return Actor(actor.account, actor.identity | {
        "accessKeyId": unique_id("ASIA", actor.account, f"{name} {second}"),
        "sessionContext": {"attributes": {"creationDate": at(second).strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"}, **more}})


SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__.removeprefix("s_").replace("_", "-")] = function
    return function


# ------------------------------------------------------------------------------------------------ keys in answers

@scenario
def s_01_assume_role_and_first_call_in_the_same_second():
    s, child = Scenario(), role()
    s.opens(LEAKED, child)
    s.acts(child, 10)
    s.finds(child, "J1", "exact", LEAKED, "AssumeRole")
    return s


@scenario
def s_01_chain_of_three():
    s, one, two, three = Scenario(), role("a", second=10), role("b", second=20, account=DATA), role("c", second=30)
    s.opens(LEAKED, one, 10)
    s.opens(one, two, 20)
    s.opens(two, three, 30)
    s.acts(three, 31)
    s.finds(one, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(two, "J1", "exact", one, "AssumeRole")
    s.finds(three, "J1", "exact", two, "AssumeRole")
    return s


@scenario
def s_01_both_copies_of_a_call_across_accounts():
    s, child = Scenario(), role(account=DATA)
    shared = {"sharedEventID": "11111111-1111-4111-a111-111111111111"}
    s.opens(LEAKED, child, **shared)
    owner = Actor(DATA, {"type": "AWSAccount", "principalId": LEAKED.identity["principalId"], "accountId": MAIN})
    s.opens(owner, child, **shared)
    s.acts(child)
    s.finds(child, "J1", "exact", LEAKED, "AssumeRole")
    return s


@scenario
def s_01_sdk_retry_issues_two_keys():
    s, first = Scenario(), role()
    again = Actor(MAIN, first.identity | {"accessKeyId": unique_id("ASIA", MAIN, "again")})
    s.opens(LEAKED, first)
    s.opens(LEAKED, again)
    s.acts(again)
    s.finds(first, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(again, "J1", "exact", LEAKED, "AssumeRole")
    return s


@scenario
def s_01_a_key_that_another_principal_has_too():
    s, child = Scenario(), role()
    stranger = role("other", "x", second=-9000)
    stranger = Actor(MAIN, stranger.identity | {"accessKeyId": child.key})
    s.opens(LEAKED, child)
    s.acts(child)
    s.acts(stranger)
    s.finds(child, "J1", "exact", LEAKED, "AssumeRole")
    return s


def vouched_for(kind, name, provider):
    """Somebody for whom an identity provider speaks; they have no key."""
    return Actor(MAIN, {"type": kind, "principalId": f"{provider}:{name}", "userName": name, "identityProvider": provider})


def assumes(s, who, child, second, what, answer=(), **more):
    """A call by somebody without a key that opens a session."""
    role_name, name = child.identity["arn"].split("/")[-2:]
    parameters = {"roleArn": f"arn:aws:iam::{child.account}:role/{role_name}", "roleSessionName": name} | more.pop("parameters", {})
    return s.does(who, second, what, parameters, credentials(child, at(second + 3600)) | dict(answer), read_only=True, account=child.account, **more)


@scenario
def s_02_up_to_whom_saml_vouched_for():
    s = Scenario(child := role("staff", "bob", second=10), ["--up"])
    assumes(s, vouched_for("SAMLUser", "bob", "okta"), child, 10, "sts:AssumeRoleWithSAML", parameters={"principalArn": f"arn:aws:iam::{MAIN}:saml-provider/okta"})
    s.acts(child)
    s.finds(child, "J1", "exact", None, "AssumeRoleWithSAML")
    return s


@scenario
def s_03_up_to_whom_web_identity_vouched_for():
    provider = f"arn:aws:iam::{MAIN}:oidc-provider/token.actions.githubusercontent.com"
    s = Scenario(child := role("github", "GitHubActions", second=10, webIdFederationData={"federatedProvider": provider, "attributes": {}}), ["--up"])
    assumes(s, vouched_for("WebIdentityUser", "repo:o/r", provider), child, 10, "sts:AssumeRoleWithWebIdentity", {"provider": provider})
    s.acts(child)
    s.finds(child, "J1", "exact", None, "AssumeRoleWithWebIdentity")
    return s


@scenario
def s_07_up_to_the_service_that_opened_a_stolen_session():
    s = Scenario(child := role("host-role", INSTANCE, second=10, ec2RoleDelivery="2.0"), ["--up"])
    s.opens(service(MAIN, "ec2.amazonaws.com"), child, 10, ip="ec2.amazonaws.com", agent="ec2.amazonaws.com")
    s.acts(child, 20, ip=HOST)
    s.acts(child)
    s.finds(child, "J1", "exact", None, "AssumeRole")
    return s


def portal(name):
    """A session in the portal of Identity Center."""
    return Actor(MAIN, {"type": "IdentityCenterUser", "accountId": MAIN, "credentialId": f"credential-{name}", "onBehalfOf": {
        "userId": f"id-of-{name}", "identityStoreArn": f"arn:aws:identitystore::{MAIN}:identitystore/d-9067"}})


def role_credentials(s, child, second):
    """The portal gives keys for a role: its own event hides them, the account of the role shows them."""
    s.does(portal("bob"), second - 1, "sso:GetRoleCredentials", read_only=True, event_type="AwsServiceEvent",
           serviceEventDetails={"role_name": "Admin", "account_id": DATA})
    assumes(s, vouched_for("SAMLUser", "bob", "sso"), child, second, "sts:AssumeRoleWithSAML", parameters={"principalArn": f"arn:aws:iam::{DATA}:saml-provider/AWSSSO_x"})


@scenario
def s_10_up_to_identity_center():
    s = Scenario(child := role("AWSReservedSSO_Admin_0123456789abcdef", "bob", second=10, account=DATA), ["--up"])
    role_credentials(s, child, 10)
    s.acts(child)
    s.finds(child, "J1", "exact", None, "AssumeRoleWithSAML")
    return s


@scenario
def s_11_up_to_a_device_code():
    """The bearer token is no key, but the sessions that it opened have keys."""
    s = Scenario(child := role("AWSReservedSSO_Admin_0123456789abcdef", "bob", second=10, account=DATA), ["--up"])
    s.does(Actor(MAIN, {"type": "Unknown", "principalId": "anonymous", "accountId": MAIN}), 5, "sso-oauth:CreateToken", {"clientId": "c", "grantType": "device_code"})
    role_credentials(s, child, 10)
    s.acts(child)
    s.finds(child, "J1", "exact", None, "AssumeRoleWithSAML")
    return s


@scenario
def s_12_up_to_a_cognito_identity():
    s = Scenario(child := role("pool-guest", "CognitoIdentityCredentials", second=10), ["--up"])
    anybody = Actor(MAIN, {"type": "Unknown", "principalId": "us-east-1:guest", "accountId": MAIN})
    s.does(anybody, 10, "cognito-identity:GetCredentialsForIdentity", {"identityId": "us-east-1:guest"}, {"credentials": {"accessKeyId": child.key}}, data=True)
    s.acts(child)
    s.finds(child, "J1", "exact", None, "GetCredentialsForIdentity")
    return s


@scenario
def s_13_up_to_a_device_certificate():
    s = Scenario(child := role("iot-device", "0f1e2d3c4b5a", second=10), ["--up"])
    by = "credentials.iot.amazonaws.com"
    s.opens(service(MAIN, by), child, 10, ip=by, agent=by)
    s.acts(child)
    s.finds(child, "J1", "exact", None, "AssumeRole")
    return s


@scenario
def s_04_assume_root():
    s = Scenario()
    root = Actor(DATA, {"type": "Root", "principalId": DATA, "arn": f"arn:aws:iam::{DATA}:root", "accountId": DATA,
                        "accessKeyId": unique_id("ASIA", DATA, "root"),
                        "sessionContext": {"attributes": {"creationDate": "2025-03-04T12:00:10Z"}, "assumedRoot": "true"}})
    s.does(LEAKED, 10, "sts:AssumeRoot", {"targetPrincipal": DATA}, {"credentials": {"accessKeyId": root.key}})
    s.acts(root)
    s.finds(root, "J1", "exact", LEAKED, "AssumeRoot")
    return s


@scenario
def s_05_get_session_token():
    s, child = Scenario(), of_user(LEAKED, "token", 10)
    s.does(LEAKED, 10, "sts:GetSessionToken", {"durationSeconds": 129600}, {"credentials": {"accessKeyId": child.key}})
    s.acts(child)
    s.finds(child, "J1", "exact", LEAKED, "GetSessionToken")
    return s


def federated(second=10):
    return Actor(MAIN, {"type": "FederatedUser", "principalId": f"{MAIN}:admin", "arn": f"arn:aws:sts::{MAIN}:federated-user/admin",
                        "accountId": MAIN, "accessKeyId": unique_id("ASIA", MAIN, "federated"),
                        "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": LEAKED.identity["arn"], "accountId": MAIN},
                                           "attributes": {"creationDate": at(second).strftime("%Y-%m-%dT%H:%M:%SZ")}}})


def federates(s, child):
    s.does(LEAKED, 10, "sts:GetFederationToken", {"name": "admin"}, {
        "credentials": {"accessKeyId": child.key}, "federatedUser": {"arn": child.identity["arn"], "federatedUserId": f"{MAIN}:admin"}})


@scenario
def s_06_get_federation_token():
    s, child = Scenario(), federated()
    federates(s, child)
    s.acts(child)
    s.finds(child, "J1", "exact", LEAKED, "GetFederationToken")
    return s


@scenario
def s_14_console_from_a_federation_token():
    s, child = Scenario(), federated()
    federates(s, child)
    s.does(child, 20, "signin:GetSigninToken", None, {"credentials": {"accessKeyId": child.key}, "GetSigninToken": "Success"}, agent=BROWSER)
    console = without_key(child)
    s.does(console, 30, "signin:ConsoleLogin", None, {"ConsoleLogin": "Success"}, agent=BROWSER, event_type="AwsConsoleSignIn")
    s.finds(child, "J1", "exact", LEAKED, "GetFederationToken")
    s.finds(console, "console", "principal")
    return s


@scenario
def s_18_create_access_key():
    s = Scenario()
    s.does(LEAKED, 10, "iam:CreateAccessKey", {"userName": "planted"},
           {"accessKey": {"userName": "planted", "accessKeyId": PLANTED.key, "status": "Active"}})
    s.acts(PLANTED)
    s.finds(PLANTED, "J1", "exact", LEAKED, "CreateAccessKey")
    return s


# ------------------------------------------------------------------------------------------------ keys that no answer shows

@scenario
def s_J2_answer_without_key():
    s, child = Scenario(), role()
    s.does(LEAKED, 10, "sts:AssumeRole", {"roleArn": f"arn:aws:iam::{MAIN}:role/planted-role", "roleSessionName": "s"},
           {"assumedRoleUser": {"assumedRoleId": child.identity["principalId"], "arn": child.identity["arn"]}}, read_only=True)
    s.acts(child)
    s.finds(child, "J2", "session", LEAKED, "AssumeRole")
    return s


@scenario
def s_J3_no_answer():
    s, child = Scenario(), role()
    s.does(LEAKED, 9, "sts:AssumeRole", {"roleArn": f"arn:aws:iam::{MAIN}:role/path/planted-role", "roleSessionName": "s"}, read_only=True)
    s.acts(child)
    s.finds(child, "J3", "session", LEAKED, "AssumeRole")
    return s


@scenario
def s_J4_only_the_copy_of_the_roles_account():
    s, one, two = Scenario(), role("a"), role("b", second=20, account=DATA)
    s.opens(LEAKED, one)
    owner = Actor(DATA, {"type": "AWSAccount", "principalId": one.identity["principalId"], "accountId": MAIN})
    s.acts(one, 15)
    s.opens(owner, two, 20)
    s.acts(two)
    s.finds(one, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(two, "J4", "session", one, "AssumeRole")
    return s


@scenario
def s_J5_source_identity_of_an_orphan():
    s, one = Scenario(), role("a", sourceIdentity="mallory")
    orphan = role("b", "far", second=500, account=DATA, sourceIdentity="mallory")
    s.opens(LEAKED, one)
    s.acts(one)
    s.acts(orphan, 510)
    s.finds(one, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(orphan, "J5", "principal")
    return s


@scenario
def s_J6_console_keys_and_forward_access_of_a_user():
    s, console, forward = Scenario(), of_user(LEAKED, "console", 5), of_user(LEAKED, "forward", 6)
    s.acts(LEAKED, 1)
    s.acts(console, 7, agent=BROWSER, sessionCredentialFromConsole="true")
    forward.identity["invokedBy"] = "kms.amazonaws.com"
    s.does(forward, 8, "kms:Decrypt", read_only=True, ip="kms.amazonaws.com", agent="kms.amazonaws.com")
    s.finds(console, "console", "principal")
    s.finds(forward, "forward access", "principal")
    return s


@scenario
def s_J6_forward_access_of_a_role_session():
    s, child = Scenario(), role()
    forward = Actor(MAIN, child.identity | {"accessKeyId": unique_id("ASIA", MAIN, "fas"), "invokedBy": "cloudformation.amazonaws.com"})
    s.opens(LEAKED, child)
    s.acts(child, 11)
    s.does(forward, 20, "ec2:RunInstances", ip="cloudformation.amazonaws.com", agent="cloudformation.amazonaws.com")
    s.finds(child, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(forward, "forward access", "session")
    return s


@scenario
def s_15_switch_role_in_the_console():
    start = of_user(VICTIM, "console", 0)
    s, child = Scenario(start), role("Admin", "victim", second=10, account=DATA)
    s.acts(start, 1, agent=BROWSER)
    s.does(without_key(child), 10, "signin:SwitchRole", None, {"SwitchRole": "Success"}, agent=BROWSER,
           additionalEventData={"SwitchFrom": VICTIM.identity["arn"], "RedirectTo": "https://console.aws.amazon.com/"})
    s.acts(child, 12, agent=BROWSER)
    s.finds(child, "J6", "session", start, "SwitchRole")
    s.finds(without_key(child), "J6", "session", start, "SwitchRole")
    return s


@scenario
def s_16_sign_in_carries_on_in_a_program():
    arn = f"arn:aws:signin:us-east-1:{MAIN}:session/0f0f0f0f"
    start = of_user(VICTIM, "console", 0)
    cli = of_user(VICTIM, "cli", 30, signInSessionArn=arn)
    s = Scenario(start)
    s.does(start, 20, "signin:CreateOAuth2Token", None, None, additionalEventData={"signInSessionArn": arn}, agent="aws-cli/2 md/command#login")
    s.acts(cli, 40)
    s.finds(cli, "J7", "session", start, "CreateOAuth2Token")
    return s


SIGN_IN = f"arn:aws:signin:us-east-1:{MAIN}:session/0f0f0f0f"


@scenario
def s_16_aws_login_from_a_browser():
    """The program's call that ends the sign-in shows no key; another sign-in of the user is another tree."""
    start = of_user(VICTIM, "console", 0, signInSessionArn=SIGN_IN)
    program = of_user(VICTIM, "cli", 30, signInSessionArn=SIGN_IN)
    s = Scenario(start)
    s.acts(start, 1, agent=BROWSER)
    s.does(start, 20, "signin:AuthorizeOAuth2Access", agent=BROWSER, additionalEventData={"signInSessionArn": SIGN_IN})
    s.does(without_key(VICTIM), 25, "signin:CreateOAuth2Token", None, None, agent="aws-cli/2.32 md/command#login",
           additionalEventData={"signInSessionArn": SIGN_IN, "client_id": "devtools/same-device"})
    s.acts(program, 40)
    s.finds(program, "J7", "session")
    s.finds(without_key(VICTIM), "console", "principal")
    return s


@scenario
def s_16_up_from_a_program_to_the_browser():
    program = of_user(VICTIM, "cli", 30, signInSessionArn=SIGN_IN)
    s, start = Scenario(program, ["--up"]), of_user(VICTIM, "console", 0, signInSessionArn=SIGN_IN)
    s.acts(start, 1, agent=BROWSER)
    s.acts(program, 40)
    s.finds(program, "J7", "session")
    return s


@scenario
def s_17_cloudshell():
    s, shown, shell = Scenario(), of_user(LEAKED, "console", 10), of_user(LEAKED, "shell", 10)
    s.acts(LEAKED, 1)
    s.does(shown, 20, "cloudshell:CreateEnvironment", agent=BROWSER, sessionCredentialFromConsole="true")
    s.does(shown, 21, "cloudshell:CreateSession", agent=BROWSER, sessionCredentialFromConsole="true")
    s.acts(shell, 40, ip=HOST, agent="aws-cli/2.15.30 exec-env/CloudShell exe/x86_64.amzn.2023")
    s.finds(shown, "console", "principal")
    s.finds(shell, "same principal", "principal")
    return s


# ------------------------------------------------------------------------------------------------ what was made acts

@scenario
def s_19_created_user():
    s = Scenario()
    s.does(LEAKED, 10, "iam:CreateUser", {"userName": "planted"}, {"user": {"userName": "planted", "arn": PLANTED.identity["arn"]}})
    s.acts(PLANTED)
    s.finds(PLANTED, "J10", "principal", LEAKED, "CreateUser")
    return s


@scenario
def s_20_password_of_a_user():
    s, console = Scenario(), of_user(VICTIM, "console", 30)
    before = of_user(VICTIM, "before", -3000)
    s.acts(before, -2990, agent=BROWSER)
    s.does(LEAKED, 10, "iam:UpdateLoginProfile", {"userName": "victim"})
    s.acts(VICTIM, 20)
    s.acts(console, 31, agent=BROWSER)
    s.finds(console, "J6", "principal", LEAKED, "UpdateLoginProfile")
    return s


@scenario
def s_21_created_role_and_its_sessions():
    s, child = Scenario(), role(second=40)
    s.does(LEAKED, 10, "iam:CreateRole", {"roleName": "planted-role"}, {"role": {"roleName": "planted-role", "arn": f"arn:aws:iam::{MAIN}:role/planted-role"}})
    stranger = Actor(MAIN, {"type": "AWSAccount", "principalId": "AIDAEXAMPLESTRANGER01", "accountId": "999988887777"})
    s.opens(stranger, child, 40)
    s.acts(child)
    s.finds(child, "J10", "principal", LEAKED, "CreateRole")
    return s


@scenario
def s_22_rights_of_a_role_that_was_there():
    s, before, after = Scenario(), role("app", "old", second=-600), role("app", "new", second=30)
    s.acts(before, -500)
    s.does(LEAKED, 10, "iam:AttachRolePolicy", {"roleName": "app", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})
    s.acts(after)
    s.finds(after, "J10", "principal", LEAKED, "AttachRolePolicy")
    return s


@scenario
def s_22_rights_of_a_user_that_was_there():
    s = Scenario()
    s.acts(VICTIM, -100)
    s.does(LEAKED, 10, "iam:AttachUserPolicy", {"userName": "victim", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})
    s.acts(VICTIM, 50)
    s.finds(VICTIM, "J10", "principal", LEAKED, "AttachUserPolicy")
    return s


@scenario
def s_23_service_credential():
    """A Bedrock key: its user is made with it, and the calls with it show no key."""
    s, phantom = Scenario(), user(MAIN, "BedrockAPIKey-abcd")
    s.does(LEAKED, 10, "iam:CreateServiceSpecificCredential", {"userName": "BedrockAPIKey-abcd", "serviceName": "bedrock.amazonaws.com"},
           {"serviceSpecificCredential": {"userName": "BedrockAPIKey-abcd", "serviceSpecificCredentialId": unique_id("ACCA", MAIN, "bedrock"), "status": "Active"}})
    s.does(without_key(phantom), 30, "bedrock:InvokeModel", {"modelId": "m"}, read_only=True, additionalEventData={"callWithBearerToken": True})
    s.finds(without_key(phantom), "J10", "principal", LEAKED, "CreateServiceSpecificCredential")
    return s


@scenario
def s_24_uploaded_certificate():
    s = Scenario()
    s.does(LEAKED, 10, "iam:UploadSigningCertificate", {"userName": "victim"}, {"certificate": {"userName": "victim", "certificateId": "EXAMPLECERTIFICATE"}})
    s.acts(VICTIM, 20)
    s.finds(VICTIM, "J10", "principal", LEAKED, "UploadSigningCertificate")
    return s


@scenario
def s_25_mfa_device():
    """A second factor of the intruder's own for somebody else's user, and then the console with it."""
    s, console = Scenario(), of_user(VICTIM, "console", 20)
    serial = f"arn:aws:iam::{MAIN}:mfa/victim2"
    s.does(LEAKED, 10, "iam:CreateVirtualMFADevice", {"virtualMFADeviceName": "victim2"}, {"virtualMFADevice": {"serialNumber": serial}})
    s.does(LEAKED, 11, "iam:EnableMFADevice", {"userName": "victim", "serialNumber": serial})
    s.acts(console, 30, agent=BROWSER)
    s.finds(console, "J6", "principal", LEAKED, "EnableMFADevice")
    return s


def saml_session(s, name, second, provider):
    child = role("saml-role", name, second=second)
    assumes(s, vouched_for("SAMLUser", name, "q"), child, second, "sts:AssumeRoleWithSAML", parameters={"principalArn": provider})
    s.acts(child, second + 30)
    return child


@scenario
def s_26_session_of_the_owners_identity_provider_is_not_in_the_tree():
    s = Scenario()
    evil, corp = (f"arn:aws:iam::{MAIN}:saml-provider/{name}" for name in ("evil", "corp"))
    s.does(LEAKED, 10, "iam:CreateSAMLProvider", {"name": "evil"}, {"sAMLProviderArn": evil})
    child = saml_session(s, "ceo", 30, evil)
    saml_session(s, "bob", 31, corp)
    s.finds(child, "J10", "session", LEAKED, "CreateSAMLProvider")
    return s


@scenario
def s_26_up_to_whoever_made_the_identity_provider():
    evil = f"arn:aws:iam::{MAIN}:saml-provider/evil"
    s = Scenario(role("saml-role", "ceo", second=30), ["--up"])
    s.does(LEAKED, 10, "iam:CreateSAMLProvider", {"name": "evil"}, {"sAMLProviderArn": evil})
    child = saml_session(s, "ceo", 30, evil)
    s.finds(child, "J10", "session", LEAKED, "CreateSAMLProvider")
    return s


@scenario
def s_26_identity_provider_and_02_saml():
    s, child = Scenario(), role("saml-role", "x", second=30)
    arn = f"arn:aws:iam::{MAIN}:saml-provider/evil"
    s.does(LEAKED, 10, "iam:CreateSAMLProvider", {"name": "evil"}, {"sAMLProviderArn": arn})
    saml = Actor(MAIN, {"type": "SAMLUser", "principalId": "q:x", "userName": "x", "identityProvider": "q"})
    s.does(saml, 30, "sts:AssumeRoleWithSAML", {"principalArn": arn, "roleArn": f"arn:aws:iam::{MAIN}:role/saml-role", "roleSessionName": "x"},
           credentials(child, at(3600)), read_only=True)
    s.acts(child)
    s.finds(child, "J10", "session", LEAKED, "CreateSAMLProvider")
    return s


@scenario
def s_26_identity_provider_and_03_web_identity():
    arn = f"arn:aws:iam::{MAIN}:oidc-provider/evil.example"
    s, child = Scenario(), role("oidc-role", "x", second=30, webIdFederationData={"federatedProvider": arn, "attributes": {}})
    s.does(LEAKED, 10, "iam:CreateOpenIDConnectProvider", {"url": "https://evil.example"}, {"openIDConnectProviderArn": arn})
    s.acts(child)
    s.finds(child, "J10", "session", LEAKED, "CreateOpenIDConnectProvider")
    return s


@scenario
def s_27_roles_anywhere_and_09_its_sessions():
    s, child = Scenario(), role("any", "5f", second=30)
    s.does(LEAKED, 10, "rolesanywhere:CreateProfile", {"name": "p"}, {"profile": {"profileArn": "arn:p", "roleArns": [f"arn:aws:iam::{MAIN}:role/any"]}})
    certificate = Actor(MAIN, {"type": "Unknown", "principalId": "", "accountId": MAIN})
    s.does(certificate, 30, "rolesanywhere:CreateSession", {}, {"credentialSet": [credentials(child, at(3600))]})
    s.acts(child)
    s.finds(child, "J10", "principal", LEAKED, "CreateProfile")
    return s


INSTANCE = "i-0abc1234abc1234ab"


@scenario
def s_28_instance_with_a_role_and_J8():
    s, child = Scenario(), role("host-role", INSTANCE, second=12, ec2RoleDelivery="2.0")
    launched = s.does(LEAKED, 10, "ec2:RunInstances", {"iamInstanceProfile": {"name": "p"}}, {"instancesSet": {"items": [{"instanceId": INSTANCE}]}}, region=EU)
    opened = s.opens(service(MAIN, "ec2.amazonaws.com"), child, 12, region=EU, ip="ec2.amazonaws.com", agent="ec2.amazonaws.com")
    opened["requestID"] = launched["requestID"]
    s.acts(child, ip=HOST)
    s.finds(child, "J8", "session", LEAKED, "RunInstances")
    return s


@scenario
def s_28_instance_whose_session_has_another_request():
    s, child = Scenario(), role("host-role", INSTANCE, second=900)
    s.does(LEAKED, 10, "ec2:RunInstances", {}, {"instancesSet": {"items": [{"instanceId": INSTANCE}]}}, region=EU)
    s.acts(child, 910, ip=HOST)
    s.finds(child, "J10", "session", LEAKED, "RunInstances")
    return s


@scenario
def s_29_command_on_a_host():
    s, child = Scenario(), role("host-role", INSTANCE, second=-900)
    s.acts(child, -800, ip=HOST)
    s.does(LEAKED, 10, "ssm:SendCommand", {"instanceIds": [INSTANCE], "documentName": "AWS-RunShellScript"}, {"command": {"commandId": "c"}})
    s.acts(child, 60, ip=HOST)
    s.finds(child, "J10", "principal", LEAKED, "SendCommand")
    return s


FUNCTION = f"arn:aws:lambda:us-east-1:{MAIN}:function:planted"


def function_session(in_scope):
    child = role("fn-role", "planted", second=30)
    if in_scope:
        child.identity["inScopeOf"] = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": FUNCTION}
    return child


@scenario
def s_30_function_and_J9():
    s, child = Scenario(), function_session(True)
    s.does(LEAKED, 10, "lambda:CreateFunction20150331", {"functionName": "planted", "role": f"arn:aws:iam::{MAIN}:role/fn-role"}, {"functionArn": FUNCTION})
    s.acts(child, ip=HOST)
    s.finds(child, "J9", "session", LEAKED, "CreateFunction20150331")
    return s


@scenario
def s_30_code_of_a_function_that_was_there():
    s, child = Scenario(), function_session(False)
    s.does(LEAKED, 10, "lambda:UpdateFunctionCode20150331v2", {"functionName": "planted"}, {"functionArn": FUNCTION})
    s.acts(child, ip=HOST)
    s.finds(child, "J10", "principal", LEAKED, "UpdateFunctionCode20150331v2")
    return s


@scenario
def s_31_task():
    s, task = Scenario(), "0123456789abcdef0123456789abcdef"
    child = role("task-role", task, second=30)
    s.does(LEAKED, 10, "ecs:RunTask", {"cluster": "c"}, {"tasks": [{"taskArn": f"arn:aws:ecs:us-east-1:{MAIN}:task/c/{task}"}]})
    s.acts(child, ip=HOST)
    s.finds(child, "J10", "session", LEAKED, "RunTask")
    return s


def passed_role(what, parameters, by, response=None):
    s, child = Scenario(), role("passed", "x", second=30)
    unrelated = role("passed", "y", second=31)
    s.does(LEAKED, 10, what, parameters, response)
    s.opens(service(MAIN, by), child, 30, ip=by, agent=by)
    s.opens(VICTIM, unrelated, 31)
    s.acts(child, ip=HOST)
    s.acts(unrelated, ip=HOST)
    s.finds(child, "J10", "principal", LEAKED, what.split(":")[1])
    return s


PASSED = f"arn:aws:iam::{MAIN}:role/passed"
for _number, _what, _parameters, _by in (
    (31, "ecs:RegisterTaskDefinition", {"taskRoleArn": PASSED}, "ecs-tasks.amazonaws.com"),
    (32, "glue:CreateJob", {"name": "j", "role": PASSED}, "glue.amazonaws.com"),
    (32, "glue:CreateDevEndpoint", {"roleArn": PASSED}, "glue.amazonaws.com"),
    (32, "codebuild:CreateProject", {"serviceRole": PASSED}, "codebuild.amazonaws.com"),
    (32, "sagemaker:CreateNotebookInstance", {"roleArn": PASSED}, "sagemaker.amazonaws.com"),
    (32, "cloudformation:CreateStack", {"stackName": "s", "roleARN": PASSED}, "cloudformation.amazonaws.com"),
    (32, "states:CreateStateMachine", {"name": "m", "roleArn": PASSED}, "states.amazonaws.com"),
    (33, "eks:CreatePodIdentityAssociation", {"roleArn": PASSED}, "pods.eks.amazonaws.com"),
    (35, "ssm:CreateActivation", {"iamRole": "passed"}, "ssm.amazonaws.com"),
    (36, "iot:CreateRoleAlias", {"roleAlias": "a", "roleArn": PASSED}, "credentials.iot.amazonaws.com"),
):
    def _make(what=_what, parameters=_parameters, by=_by):
        return passed_role(what, parameters, by)
    SCENARIOS[f"{_number}-{_what.split(':')[1]}"] = _make


SET = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"


def of_portal(set_name, name, second, account=DATA):
    return role(f"AWSReservedSSO_{set_name}_0123456789abcdef", name, second=second, account=account)


@scenario
def s_34_account_assignment():
    """A permission set is assigned in another account; there, sessions of its role follow. Other sets and accounts are others'."""
    s = Scenario()
    s.does(LEAKED, 10, "sso:CreatePermissionSet", {"name": "Break_glass", "instanceArn": "arn:aws:sso:::instance/ssoins-1"},
           {"permissionSet": {"name": "Break_glass", "permissionSetArn": SET}})
    s.does(LEAKED, 12, "sso:CreateAccountAssignment", {"permissionSetArn": SET, "principalId": "90679cb4", "principalType": "USER",
                                                       "targetId": DATA, "targetType": "AWS_ACCOUNT"})
    child = of_portal("Break_glass", "bob", 30)
    for who in (child, of_portal("Break", "bob", 30), of_portal("Break_glass", "eve", 31, MAIN)):
        assumes(s, vouched_for("SAMLUser", "bob", "sso"), who, 30, "sts:AssumeRoleWithSAML")
        s.acts(who)
    s.finds(child, "J10", "principal", LEAKED, "CreateAccountAssignment")
    return s


@scenario
def s_34_rights_of_a_permission_set():
    """A set that somebody else made gets more rights: from then on its sessions count, in every account."""
    s, admin = Scenario(), user(MAIN, "alice")
    s.does(admin, -500, "sso:CreatePermissionSet", {"name": "Support"}, {"permissionSet": {"name": "Support", "permissionSetArn": SET}}, ip=HOST)
    before, here, there = of_portal("Support", "a", -400), of_portal("Support", "b", 30), of_portal("Support", "c", 40, MAIN)
    s.acts(before, -300)
    s.does(LEAKED, 10, "sso:PutInlinePolicyToPermissionSet", {"permissionSetArn": SET, "inlinePolicy": "{}"})
    for who in (here, there):
        s.acts(who, 60)
        s.finds(who, "J10", "principal", LEAKED, "PutInlinePolicyToPermissionSet")
    return s


@scenario
def s_34_user_of_identity_center():
    s, child = Scenario(), of_portal("Admin", "mallory@example.com", 30)
    s.does(LEAKED, 10, "identitystore:CreateUser", {"identityStoreId": "d-9067", "userName": "mallory@example.com"}, {"userId": "u-1"})
    s.acts(child)
    s.acts(of_portal("Admin", "alice@example.com", 31))
    s.finds(child, "J10", "principal", LEAKED, "CreateUser")
    return s


@scenario
def s_08_pod_identity():
    node = role("node-role", INSTANCE, second=0)
    s, child = Scenario(node), role("pod-role", "eks-cluster-pod-1f", second=20)
    s.acts(node, 5, ip=HOST)
    s.does(node, 20, "eks-auth:AssumeRoleForPodIdentity", {"clusterName": "cluster"}, None, read_only=True, ip=HOST)
    s.acts(child, ip=HOST)
    s.acts(role("pod-role", "eks-other-pod-1f", second=20), ip=HOST)
    s.finds(child, "J3", "principal", node, "AssumeRoleForPodIdentity")
    return s


@scenario
def s_up_from_a_session_to_the_first_key():
    one, two = role("a", second=10), role("b", second=20, account=DATA)
    s = Scenario(two, ["--up"])
    s.does(LEAKED, 5, "iam:CreateAccessKey", {"userName": "planted"}, {"accessKey": {"userName": "planted", "accessKeyId": PLANTED.key}})
    s.opens(PLANTED, one, 10)
    s.opens(one, two, 20)
    s.acts(two)
    s.finds(PLANTED, "J1", "exact", LEAKED, "CreateAccessKey")
    s.finds(one, "J1", "exact", PLANTED, "AssumeRole")
    s.finds(two, "J1", "exact", one, "AssumeRole")
    return s


# ------------------------------------------------------------------------------------------------ whose change it was

DAY = 86_400
KALI = "aws-cli/2.15.10 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off command/iam.attach-role-policy"


def owner_and_intruder(args=()):
    """For days the owner's pipeline has changed the role app; then the intruder changes the role vault."""
    s, app, vault = Scenario(args=args), role("app", "daily", second=30 - DAY), role("vault", "x", second=30)
    s.does(LEAKED, -3 * DAY, "iam:PutRolePolicy", {"roleName": "app", "policyName": "p"}, ip=HOST)
    s.does(LEAKED, -2 * DAY, "iam:UpdateAssumeRolePolicy", {"roleName": "app"}, ip=HOST)
    s.acts(app, 40 - DAY, ip="203.0.113.80")
    s.does(LEAKED, 10, "iam:AttachRolePolicy", {"roleName": "vault", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, agent=KALI)
    s.acts(vault, 60)
    s.finds(vault, "J10", "principal", LEAKED, "AttachRolePolicy")
    return s, app


@scenario
def s_owner_whose_changes_are_not_followed():
    s, _ = owner_and_intruder()
    s.leaves("app", "PutRolePolicy", 1)
    s.leaves("app", "UpdateAssumeRolePolicy", 1)
    return s


@scenario
def s_owner_whose_changes_are_followed_if_asked():
    s, app = owner_and_intruder(["--follow-owner"])
    s.finds(app, "J10", "principal", LEAKED, "PutRolePolicy")
    return s


@scenario
def s_owner_whose_networks_are_given():
    """Without a word about who is who nobody is told apart here: everything is followed. An option tells it."""
    s, app, other = Scenario(args=["--incident-start", "2025-03-04T00:00:00Z"]), role("app", "daily", second=30), role("other", "x", second=40)
    s.does(LEAKED, -DAY, "iam:PutRolePolicy", {"roleName": "app", "policyName": "p"}, ip=HOST)
    s.does(LEAKED, 10, "iam:PutRolePolicy", {"roleName": "other", "policyName": "p"})
    s.acts(app, 60)
    s.acts(other, 61)
    s.finds(other, "J10", "principal", LEAKED, "PutRolePolicy")
    s.leaves("app", "PutRolePolicy", 1)
    return s


@scenario
def s_owner_whose_session_the_intruder_has_too():
    """The owner opened a session, and somebody uses it from an address that is known from the intruder's own session only."""
    far = "192.0.2.66"
    s, deploy, own, made = Scenario(), role("deploy", "ci", second=-600), role("a", "x", second=20), role("app", "daily", second=300)
    s.acts(LEAKED, -3 * DAY, ip=HOST)
    s.opens(LEAKED, deploy, -600, ip=HOST)
    s.does(deploy, -500, "iam:PutRolePolicy", {"roleName": "usual", "policyName": "p"}, ip=HOST)
    s.acts(role("usual", "u", second=-400), -300, ip=HOST)
    s.opens(LEAKED, own, 20, agent=KALI)
    s.acts(own, 30, ip=far)
    s.does(deploy, 100, "iam:AttachRolePolicy", {"roleName": "app", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, ip=far)
    s.acts(made, 310)
    s.finds(deploy, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(own, "J1", "exact", LEAKED, "AssumeRole")
    s.finds(made, "J10", "principal", deploy, "AttachRolePolicy")
    s.leaves("usual", "PutRolePolicy", 1)
    return s


@scenario
def s_silence_after_a_trail_was_stopped():
    s = Scenario()
    s.acts(LEAKED, 1)
    s.acts(LEAKED, 2, region=EU)
    s.does(LEAKED, 10, "cloudtrail:StopLogging", {"name": "main-trail"})
    s.acts(LEAKED, 7210)
    s.silent.append(f"no events of account {MAIN} in eu-west-1 from 2025-03-04T12:00:02Z "
                    "to the end of the logs, us-east-1 from 2025-03-04T12:00:10Z to 2025-03-04T14:00:10Z after StopLogging of main-trail at 2025-03-04T12:00:10Z")
    return s


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "lineage")
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    expected = {}
    for name, make in sorted(SCENARIOS.items()):
        s = make()
        # In no order of time, as log files are.
        records = sorted((record for _, _, record in s.deliveries), key=lambda record: record["eventID"])
        lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n" for record in records]
        (out / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        expected[name] = {"start": s.start, "args": s.args, "credentials": s.expected, "not_followed": s.left, "silence": s.silent}
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
