//! What a call brings to life that can act later: the table of births.
//!
//! In: a call. Out: what came to be, and by which names its sessions will be known. Promise: the table is data, one row per
//! call; its numbers are those of the lineage table in `docs/trace.md`. Keys in answers (`AssumeRole`, `GetSessionToken`,
//! `CreateAccessKey` …) are not here: `issued_access_key_id` has them.

use super::facts::{Changes, text};
use super::paths::{Call, name_of};

/// How sessions of what was born are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Born {
    /// A user: everything it does.
    User,
    /// A password of a user: its console sessions.
    Password,
    /// A role, or who may assume it: its sessions.
    Role,
    /// Rights of a user: what it does later.
    UserRights,
    /// Rights of a role: sessions opened later.
    RoleRights,
    /// An instance: sessions named after it.
    Instance,
    /// Code on an instance that was there: sessions named after it.
    Host,
    /// A function: sessions issued to it or named after it.
    Function,
    /// A task: sessions named after its id.
    Task,
    /// A role passed to a service: sessions that this service opened.
    ServiceRole(&'static str),
    /// An identity provider: sessions that it vouched for.
    Provider,
    /// Rights of a permission set of Identity Center, or its use in an account: sessions of its roles.
    PermissionSet,
    /// A user of Identity Center: sessions of its roles with the user's name.
    PortalUser,
    /// A sign-in that carries on in a program.
    SignIn,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Birth {
    pub(super) source: &'static str,
    pub(super) operation: &'static str,
    pub(super) born: Born,
    /// Where the id is.
    path: &'static str,
}

const fn b(source: &'static str, operation: &'static str, born: Born, path: &'static str) -> Birth {
    Birth {
        source,
        operation,
        born,
        path,
    }
}

const USER: &str = "request.userName|caller";
const INSTANCE_PROFILE: &str = "request.AssociateIamInstanceProfileRequest.InstanceId|request.instanceId|response.AssociateIamInstanceProfileResponse.iamInstanceProfileAssociation.instanceId";

/// The table. Rows 1 to 9 and 12 to 18 of the lineage are keys in answers, sessions of the same principal, or sign-ins.
#[rustfmt::skip]
pub(super) const BIRTHS: &[Birth] = &[
    b("signin", "CreateOAuth2Token", Born::SignIn, "additional.signInSessionArn"), // 16
    b("iam", "CreateUser", Born::User, "response.user.userName|request.userName"), // 19
    b("iam", "CreateLoginProfile", Born::Password, "request.userName|response.loginProfile.userName|caller"), // 20
    b("iam", "UpdateLoginProfile", Born::Password, USER),
    b("iam", "ChangePassword", Born::Password, USER),
    b("iam", "CreateRole", Born::Role, "response.role.roleName|request.roleName"), // 21
    b("iam", "CreateServiceLinkedRole", Born::Role, "response.role.roleName"),
    b("iam", "UpdateAssumeRolePolicy", Born::Role, "request.roleName"),
    b("iam", "AttachUserPolicy", Born::UserRights, USER), // 22
    b("iam", "PutUserPolicy", Born::UserRights, USER),
    b("iam", "AddUserToGroup", Born::UserRights, USER),
    b("iam", "DeleteUserPermissionsBoundary", Born::UserRights, USER),
    b("iam", "PutUserPermissionsBoundary", Born::UserRights, USER),
    b("iam", "AttachRolePolicy", Born::RoleRights, "request.roleName"),
    b("iam", "PutRolePolicy", Born::RoleRights, "request.roleName"),
    b("iam", "DeleteRolePermissionsBoundary", Born::RoleRights, "request.roleName"),
    b("iam", "PutRolePermissionsBoundary", Born::RoleRights, "request.roleName"),
    b("iam", "CreateServiceSpecificCredential", Born::UserRights, "response.serviceSpecificCredential.userName|request.userName|caller"), // 23
    b("iam", "ResetServiceSpecificCredential", Born::UserRights, USER),
    b("iam", "UploadSigningCertificate", Born::UserRights, USER), // 24
    b("iam", "UploadSSHPublicKey", Born::UserRights, USER),
    b("iam", "EnableMFADevice", Born::Password, USER), // 25
    b("iam", "CreateSAMLProvider", Born::Provider, "response.sAMLProviderArn"), // 26
    b("iam", "UpdateSAMLProvider", Born::Provider, "request.sAMLProviderArn|response.sAMLProviderArn"),
    b("iam", "CreateOpenIDConnectProvider", Born::Provider, "response.openIDConnectProviderArn"),
    b("iam", "UpdateOpenIDConnectProviderThumbprint", Born::Provider, "request.openIDConnectProviderArn"),
    b("iam", "AddClientIDToOpenIDConnectProvider", Born::Provider, "request.openIDConnectProviderArn"),
    b("rolesanywhere", "CreateProfile", Born::ServiceRole("rolesanywhere.amazonaws.com"), "response.profile.roleArns[]|request.roleArns[]"), // 27
    b("rolesanywhere", "UpdateProfile", Born::ServiceRole("rolesanywhere.amazonaws.com"), "response.profile.roleArns[]|request.roleArns[]"),
    b("ec2", "RunInstances", Born::Instance, "response.instancesSet.items[].instanceId"), // 28
    b("ec2", "AssociateIamInstanceProfile", Born::Host, INSTANCE_PROFILE),
    b("ec2", "ReplaceIamInstanceProfileAssociation", Born::Host, INSTANCE_PROFILE),
    b("ec2", "ModifyInstanceAttribute", Born::Host, "request.instanceId"), // 29
    b("ec2", "GetPasswordData", Born::Host, "request.instanceId"),
    b("ssm", "SendCommand", Born::Host, "request.instanceIds[]|response.command.instanceIds[]"),
    b("ssm", "StartSession", Born::Host, "request.target"),
    b("ec2-instance-connect", "SendSSHPublicKey", Born::Host, "request.instanceId"),
    b("ec2-instance-connect", "SendSerialConsoleSSHPublicKey", Born::Host, "request.instanceId"),
    b("lambda", "CreateFunction", Born::Function, "response.functionArn|request.functionName"), // 30
    b("lambda", "UpdateFunctionCode", Born::Function, "response.functionArn|request.functionName"),
    b("lambda", "UpdateFunctionConfiguration", Born::Function, "response.functionArn|request.functionName"),
    b("lambda", "CreateEventSourceMapping", Born::Function, "response.functionArn|request.functionName"),
    b("ecs", "RunTask", Born::Task, "response.tasks[].taskArn"), // 31
    b("ecs", "StartTask", Born::Task, "response.tasks[].taskArn"),
    b("ecs", "RegisterTaskDefinition", Born::ServiceRole("ecs-tasks.amazonaws.com"), "response.taskDefinition.taskRoleArn|request.taskRoleArn"),
    b("batch", "RegisterJobDefinition", Born::ServiceRole("ecs-tasks.amazonaws.com"), "request.containerProperties.jobRoleArn"),
    b("apprunner", "CreateService", Born::ServiceRole("tasks.apprunner.amazonaws.com"), "request.instanceConfiguration.instanceRoleArn"),
    b("glue", "CreateDevEndpoint", Born::ServiceRole("glue.amazonaws.com"), "request.roleArn"), // 32
    b("glue", "CreateJob", Born::ServiceRole("glue.amazonaws.com"), "request.role"),
    b("glue", "UpdateJob", Born::ServiceRole("glue.amazonaws.com"), "request.jobUpdate.role"),
    b("codebuild", "CreateProject", Born::ServiceRole("codebuild.amazonaws.com"), "request.serviceRole"),
    b("codebuild", "UpdateProject", Born::ServiceRole("codebuild.amazonaws.com"), "request.serviceRole"),
    b("sagemaker", "CreateNotebookInstance", Born::ServiceRole("sagemaker.amazonaws.com"), "request.roleArn"),
    b("cloudformation", "CreateStack", Born::ServiceRole("cloudformation.amazonaws.com"), "request.roleARN"),
    b("cloudformation", "UpdateStack", Born::ServiceRole("cloudformation.amazonaws.com"), "request.roleARN"),
    b("states", "CreateStateMachine", Born::ServiceRole("states.amazonaws.com"), "request.roleArn"),
    b("codepipeline", "CreatePipeline", Born::ServiceRole("codepipeline.amazonaws.com"), "request.pipeline.roleArn"),
    b("ssm", "StartAutomationExecution", Born::ServiceRole("ssm.amazonaws.com"), "request.parameters.AutomationAssumeRole[]"),
    b("scheduler", "CreateSchedule", Born::ServiceRole("scheduler.amazonaws.com"), "request.target.roleArn"),
    b("eks", "CreatePodIdentityAssociation", Born::ServiceRole("pods.eks.amazonaws.com"), "request.roleArn"), // 33
    b("eks", "CreateAccessEntry", Born::RoleRights, "request.principalArn"),
    b("sso", "CreateAccountAssignment", Born::PermissionSet, "request.permissionSetArn"), // 34
    b("sso", "AttachManagedPolicyToPermissionSet", Born::PermissionSet, "request.permissionSetArn"),
    b("sso", "AttachCustomerManagedPolicyReferenceToPermissionSet", Born::PermissionSet, "request.permissionSetArn"),
    b("sso", "PutInlinePolicyToPermissionSet", Born::PermissionSet, "request.permissionSetArn"),
    b("sso", "ProvisionPermissionSet", Born::PermissionSet, "request.permissionSetArn"),
    b("sso-directory", "CreateUser", Born::PortalUser, "request.userName"),
    b("identitystore", "CreateUser", Born::PortalUser, "request.userName"),
    b("ssm", "CreateActivation", Born::ServiceRole("ssm.amazonaws.com"), "request.iamRole"), // 35
    b("iot", "CreateRoleAlias", Born::ServiceRole("credentials.iot.amazonaws.com"), "request.roleArn"), // 36
];

/// Calls whose answer should show the key of a session, and sometimes does not.
pub(super) const SESSION_CALLS: [&str; 5] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoleForPodIdentity",
    "SwitchRole",
];

/// What a call brought to life: the row of the table, and the names, ids or ARNs.
pub(super) struct Newborn {
    pub(super) birth: &'static Birth,
    pub(super) ids: Vec<String>,
    /// The names at the ends of the ids.
    pub(super) names: Vec<String>,
}

/// What the call of this row brought to life.
pub(super) fn newborn(changes: &Changes, row: usize) -> Option<Newborn> {
    let operation = text(&changes.operation, row)?;
    let source = text(&changes.event_source, row)?.strip_suffix(".amazonaws.com")?;
    let birth = BIRTHS
        .iter()
        .find(|birth| birth.operation == operation && birth.source == source)?;
    let ids = call(changes, row).all(birth.path);
    let names = ids.iter().map(|id| name_of(id).to_owned()).collect();
    (!ids.is_empty()).then_some(Newborn { birth, ids, names })
}

/// Whether the call of this row changed what was there before: its owners go on using it.
pub(super) fn was_there(changes: &Changes, row: usize) -> bool {
    let operation = text(&changes.operation, row).unwrap_or_default();
    let birth = BIRTHS.iter().find(|birth| birth.operation == operation);
    operation.starts_with("Update")
        || birth.is_some_and(|birth| {
            matches!(
                birth.born,
                Born::RoleRights
                    | Born::UserRights
                    | Born::Host
                    | Born::Password
                    | Born::PermissionSet
            ) && operation != "CreateLoginProfile"
        })
}

/// Parameters and answer of this row.
pub(super) fn call(changes: &Changes, row: usize) -> Call {
    Call {
        caller: text(&changes.user_identity_user_name, row).map(str::to_owned),
        region: text(&changes.aws_region, row).map(str::to_owned),
        account: text(&changes.account_id, row).map(str::to_owned),
        ..Call::new(
            text(&changes.request_parameters, row),
            text(&changes.response_elements, row),
            text(&changes.additional_event_data, row),
        )
    }
}
