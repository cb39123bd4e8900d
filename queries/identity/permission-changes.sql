-- Permissions granted and removed
-- when: You look for identities that got more permissions, or granted them.
-- group: identity
-- grain: one row per call that changes the policies, groups or boundaries of a user, group or role; includes failed calls
-- parameter: target text = null: only changes of this user, group or role
-- details: account_id, access_key_id, user_agent, policy_document
SELECT
    event_time,
    event_name,
    target,
    coalesce(policy_arn, policy_name, version, group_name) AS policy,
    error_code,
    changed_by,
    source_ip_address,
    account_id,
    access_key_id,
    policy_document,
    user_agent
FROM (
    SELECT
        *,
        coalesce(
            json_get_str(request_parameters, 'userName'),
            json_get_str(request_parameters, 'roleName'),
            json_get_str(request_parameters, 'groupName'),
            json_get_str(request_parameters, 'policyArn')
        ) AS target,
        json_get_str(request_parameters, 'groupName') AS group_name,
        coalesce(json_get_str(request_parameters, 'policyArn'), json_get_str(request_parameters, 'permissionsBoundary')) AS policy_arn,
        json_get_str(request_parameters, 'policyName') AS policy_name,
        json_get_str(request_parameters, 'versionId') AS version,
        json_get_str(request_parameters, 'policyDocument') AS policy_document,
        coalesce(user_identity_arn, user_identity_invoked_by) AS changed_by
    FROM first_records
    WHERE event_source = 'iam.amazonaws.com'
        AND event_name IN (
            'AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy', 'DetachUserPolicy', 'DetachRolePolicy', 'DetachGroupPolicy',
            'PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'DeleteUserPolicy', 'DeleteRolePolicy', 'DeleteGroupPolicy',
            'AddUserToGroup', 'RemoveUserFromGroup', 'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion',
            'PutUserPermissionsBoundary', 'PutRolePermissionsBoundary', 'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary'
        )
)
WHERE $target IS NULL OR target = $target
ORDER BY event_time, event_id
