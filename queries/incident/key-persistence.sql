-- Persistence that a key created
-- when: A key was misused, and you need to know what would let the intruder return without it.
-- group: incident
-- grain: one row per call that creates or widens access (users, keys, passwords, roles, trust, providers, policies, code that
--   runs by itself), failed calls, too
-- parameter: access_key_id text: the key
-- details: aws_region, account_id, user_agent, request_parameters, event_id
SELECT
    event_time,
    event_source,
    event_name,
    error_code,
    coalesce(
        issued_access_key_id,
        json_get_str(request_parameters, 'userName'),
        json_get_str(request_parameters, 'roleName'),
        json_get_str(request_parameters, 'groupName'),
        json_get_str(request_parameters, 'instanceProfileName'),
        json_get_str(request_parameters, 'functionName'),
        json_get_str(request_parameters, 'groupId'),
        json_get_str(request_parameters, 'keyName'),
        json_get_str(request_parameters, 'instanceId'),
        json_get_str(response_elements, 'instancesSet', 'items', 0, 'instanceId'),
        json_get_str(request_parameters, 'name'),
        json_get_str(request_parameters, 'policyArn'),
        json_get_str(request_parameters, 'policyName'),
        json_get_str(request_parameters, 'url'),
        json_get_str(resources, 0, 'ARN')
    ) AS target,
    coalesce(
        json_get_str(request_parameters, 'policyArn'),
        json_get_str(request_parameters, 'policyName'),
        CASE WHEN event_name = 'AddUserToGroup' THEN json_get_str(request_parameters, 'groupName') END
    ) AS policy,
    source_ip_address,
    aws_region,
    account_id,
    user_agent,
    request_parameters,
    event_id
FROM first_records
WHERE access_key_id = $access_key_id
    AND read_only IS NOT TRUE
    AND (
        (
            event_source = 'iam.amazonaws.com'
            AND (
                operation LIKE 'Create%'
                OR operation LIKE 'Attach%'
                OR operation LIKE 'Put%'
                OR operation LIKE 'Add%'
                OR operation LIKE 'Upload%'
                OR operation LIKE 'Update%'
                OR operation LIKE 'Reset%'
                OR operation LIKE 'Enable%'
                OR operation IN ('SetDefaultPolicyVersion', 'ChangePassword', 'DeactivateMFADevice', 'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary')
            )
        )
        OR (
            event_source IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com', 'identitystore.amazonaws.com', 'rolesanywhere.amazonaws.com')
            AND (operation LIKE 'Create%' OR operation LIKE 'Add%' OR operation LIKE 'Put%' OR operation LIKE 'Attach%' OR operation LIKE 'Update%' OR operation LIKE 'Enable%' OR operation LIKE 'Import%' OR operation LIKE 'Associate%')
        )
        OR concat(event_source, ':', operation) IN (
            'lambda.amazonaws.com:CreateFunction',
            'lambda.amazonaws.com:UpdateFunctionCode',
            'lambda.amazonaws.com:UpdateFunctionConfiguration',
            'lambda.amazonaws.com:AddPermission',
            'lambda.amazonaws.com:AddLayerVersionPermission',
            'lambda.amazonaws.com:CreateFunctionUrlConfig',
            'lambda.amazonaws.com:UpdateFunctionUrlConfig',
            'lambda.amazonaws.com:CreateEventSourceMapping',
            'events.amazonaws.com:PutRule',
            'events.amazonaws.com:PutTargets',
            'scheduler.amazonaws.com:CreateSchedule',
            'ec2.amazonaws.com:RunInstances',
            'ec2.amazonaws.com:CreateKeyPair',
            'ec2.amazonaws.com:ImportKeyPair',
            'ec2.amazonaws.com:AssociateIamInstanceProfile',
            'ec2.amazonaws.com:ReplaceIamInstanceProfileAssociation',
            'ec2.amazonaws.com:ModifyInstanceAttribute',
            'ec2.amazonaws.com:AuthorizeSecurityGroupIngress',
            'ec2-instance-connect.amazonaws.com:SendSSHPublicKey',
            'ec2-instance-connect.amazonaws.com:SendSerialConsoleSSHPublicKey',
            'ssm.amazonaws.com:CreateActivation',
            'ssm.amazonaws.com:CreateAssociation',
            'ssm.amazonaws.com:SendCommand',
            'cloudformation.amazonaws.com:CreateStack',
            'cloudformation.amazonaws.com:CreateStackSet',
            'ecs.amazonaws.com:RegisterTaskDefinition',
            'codebuild.amazonaws.com:CreateProject',
            'eks.amazonaws.com:CreateAccessEntry',
            'eks.amazonaws.com:AssociateAccessPolicy',
            'eks.amazonaws.com:CreatePodIdentityAssociation',
            'iot.amazonaws.com:CreateRoleAlias',
            'iot.amazonaws.com:CreateKeysAndCertificate',
            'organizations.amazonaws.com:CreateAccount',
            'organizations.amazonaws.com:InviteAccountToOrganization'
        )
    )
ORDER BY event_time, event_id
