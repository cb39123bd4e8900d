-- Who assumed which role
-- when: You want to know who uses a role, or which roles are used at all.
-- group: access
-- grain: one row per role and caller that assumed it, or tried to
-- parameter: role_arn text = null: only this role
-- details: access_keys, first_seen
WITH assumed AS (
    SELECT
        json_get_str(request_parameters, 'roleArn') AS role_arn,
        coalesce(user_identity_arn, user_identity_invoked_by, user_identity_principal_id) AS caller,
        user_identity_type,
        event_name,
        event_time,
        error_code,
        access_key_id,
        source_ip_address
    FROM calls
    WHERE event_source = 'sts.amazonaws.com' AND event_name LIKE 'AssumeRole%'
)
SELECT
    role_arn,
    caller,
    user_identity_type,
    event_name,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(source_ip_address) AS source_ip_addresses,
    count_texts(access_key_id) AS access_keys
FROM assumed
WHERE ($role_arn IS NULL OR role_arn = $role_arn)
GROUP BY role_arn, caller, user_identity_type, event_name
ORDER BY role_arn, events DESC, caller, event_name
