-- Everything a user did, in order, with all its keys, sessions and sign-ins
-- when: You suspect a user, not only one of its keys.
-- group: access
-- grain: one row per event of the user, of its sessions and of its federated sessions; includes failed calls
-- parameter: user_name text: the user's name
-- parameter: account_id text = null: only the user of this account
-- details: aws_region, issued_access_key_id, via_service, user_agent, error_message, request_parameters, event_id
SELECT
    event_time,
    access_key_id,
    event_source,
    event_name,
    coalesce(
        json_get_str(resources, 0, 'ARN'),
        json_get_str(resources, 0, 'arn'),
        json_get_str(request_parameters, 'roleArn'),
        json_get_str(request_parameters, 'userName'),
        json_get_str(request_parameters, 'roleName'),
        json_get_str(request_parameters, 'policyArn'),
        json_get_str(request_parameters, 'secretId'),
        json_get_str(request_parameters, 'functionName'),
        json_get_str(request_parameters, 'bucketName'),
        json_get_str(request_parameters, 'instanceId'),
        json_get_str(request_parameters, 'groupId'),
        json_get_str(request_parameters, 'name')
    ) AS target,
    error_code,
    source_ip_address,
    aws_region,
    issued_access_key_id,
    via_service,
    user_agent,
    error_message,
    request_parameters,
    event_id
FROM first_records
WHERE (
        (user_identity_type IN ('IAMUser', 'Root') AND user_identity_user_name = $user_name)
        OR (user_identity_type = 'FederatedUser' AND session_issuer_user_name = $user_name)
    )
    AND ($account_id IS NULL OR user_identity_account_id = $account_id)
ORDER BY event_time, event_id
