-- AWS's quarantine of users: attached, detached, and what it denied
-- when: AWS notified you that a key is exposed, or errors name such a policy.
-- group: incident
-- grain: one row per call that attaches or detaches an AWSCompromisedKeyQuarantine policy, and one per key and API call that such a
--   policy refused
-- details: source_ip_address, caller, last_seen
SELECT
    min(event_time) AS first_seen,
    what,
    user_name,
    policy,
    event_name,
    count(*) AS events,
    access_key_id,
    error_code,
    max(event_time) AS last_seen,
    caller,
    first_value(source_ip_address ORDER BY event_time, event_id) AS source_ip_address
FROM (
    SELECT
        event_time,
        event_id,
        CASE
            WHEN error_code IS NOT NULL THEN 'failed'
            WHEN event_name LIKE 'Detach%' THEN 'detached'
            ELSE 'attached'
        END AS what,
        event_id AS each,
        event_name,
        coalesce(
            json_get_str(request_parameters, 'userName'),
            json_get_str(request_parameters, 'roleName'),
            json_get_str(request_parameters, 'groupName')
        ) AS user_name,
        split_part(json_get_str(request_parameters, 'policyArn'), ':policy/', 2) AS policy,
        access_key_id,
        error_code,
        coalesce(user_identity_arn, user_identity_invoked_by) AS caller,
        source_ip_address
    FROM first_records
    WHERE event_source = 'iam.amazonaws.com'
        AND event_name IN (
            'AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy', 'DetachUserPolicy', 'DetachRolePolicy', 'DetachGroupPolicy'
        )
        AND json_get_str(request_parameters, 'policyArn') LIKE '%:policy/AWSCompromisedKeyQuarantine%'
    UNION ALL
    SELECT
        event_time,
        event_id,
        'refused',
        NULL,
        event_name,
        coalesce(user_identity_user_name, session_issuer_user_name),
        regexp_replace(error_message, '^.*(AWSCompromisedKeyQuarantine[A-Za-z0-9]*).*$', '\1'),
        access_key_id,
        error_code,
        user_identity_arn,
        source_ip_address
    FROM first_records
    WHERE error_code IS NOT NULL AND error_message LIKE '%AWSCompromisedKeyQuarantine%'
)
GROUP BY what, each, user_name, policy, event_name, access_key_id, error_code, caller
ORDER BY first_seen, what, event_name, user_name, access_key_id
