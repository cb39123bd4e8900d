-- Who assumed which role
-- when: You want to know who comes in through a role, or which roles are used at all.
-- group: access
-- grain: one row per role and caller that assumed it, or tried to
-- The account that owns a role gets a copy of each call from another account, without the caller's key and name; it is left out where
-- the caller's own copy is there.
-- parameter: role_arn text = null: only this role
-- details: access_keys, first_seen
WITH calls AS (
    SELECT
        json_get_str(request_parameters, 'roleArn') AS role_arn,
        coalesce(user_identity_arn, user_identity_invoked_by, user_identity_principal_id) AS caller,
        user_identity_type,
        event_name,
        event_time,
        error_code,
        access_key_id,
        source_ip_address,
        row_number() OVER (
            PARTITION BY coalesce(shared_event_id, event_id)
            ORDER BY user_identity_type = 'AWSAccount', event_time, event_id
        ) AS copy
    FROM events
    WHERE event_source = 'sts.amazonaws.com' AND event_name LIKE 'AssumeRole%'
)
SELECT
    role_arn,
    caller,
    user_identity_type,
    event_name,
    count(*) AS events,
    count(error_code) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(source_ip_address) AS source_ip_addresses,
    count_texts(access_key_id) AS access_keys
FROM calls
WHERE copy = 1 AND ($role_arn IS NULL OR role_arn = $role_arn)
GROUP BY role_arn, caller, user_identity_type, event_name
ORDER BY role_arn, events DESC, caller, event_name
