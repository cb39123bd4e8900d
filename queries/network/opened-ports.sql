-- Security groups opened
-- when: You look for ports that were opened to everyone, or to an intruder's address.
-- group: network
-- grain: one row per rule of an AuthorizeSecurityGroupIngress call; includes failed calls
-- details: account_id, access_key_id, user_agent, sources
SELECT
    event_time,
    coalesce(json_get_str(request_parameters, 'groupId'), json_get_str(request_parameters, 'groupName')) AS security_group,
    coalesce(json_get_str(rule, 'ipProtocol'), json_get_str(request_parameters, 'ipProtocol')) AS protocol,
    coalesce(json_get_int(rule, 'fromPort'), json_get_int(request_parameters, 'fromPort')) AS from_port,
    coalesce(json_get_int(rule, 'toPort'), json_get_int(request_parameters, 'toPort')) AS to_port,
    coalesce(rule, request_parameters) LIKE '%"0.0.0.0/0"%' OR coalesce(rule, request_parameters) LIKE '%"::/0"%' AS to_the_world,
    error_code,
    coalesce(user_identity_arn, user_identity_invoked_by) AS opened_by,
    source_ip_address,
    aws_region,
    account_id,
    access_key_id,
    user_agent,
    coalesce(rule, request_parameters) AS sources
FROM (
    SELECT *, unnest(coalesce(json_get_array(request_parameters, 'ipPermissions', 'items'), [NULL])) AS rule
    FROM first_records
    WHERE event_source = 'ec2.amazonaws.com' AND event_name = 'AuthorizeSecurityGroupIngress'
)
ORDER BY event_time, event_id, from_port, to_port, protocol, sources
