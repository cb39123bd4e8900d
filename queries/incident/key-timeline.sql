-- Everything a key did, in order
-- when: A key is stolen and you need its whole story, call by call.
-- group: incident
-- grain: one row per event that the key signed, including failed calls and those that AWS services made for it (via_service)
-- parameter: access_key_id text: the key
-- details: aws_region, account_id, issued_access_key_id, via_service, user_agent, error_message, request_parameters, event_id
SELECT
    event_time,
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
    account_id,
    issued_access_key_id,
    via_service,
    user_agent,
    error_message,
    request_parameters,
    event_id
FROM first_records
WHERE access_key_id = $access_key_id
ORDER BY event_time, event_id
