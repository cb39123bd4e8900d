-- Long-term keys that were created: by whom, for whom, and whether they are used
-- when: You look for keys that people created for themselves, or want to know where a key came from.
-- group: keys
-- grain: one row per CreateAccessKey call; includes failed calls
-- details: user_agent, source_ip_address, account_id, error_code, last_used
WITH created AS (
    SELECT
        event_time,
        event_id,
        account_id,
        coalesce(json_get_str(request_parameters, 'userName'), issued_principal, user_identity_user_name) AS user_name,
        issued_access_key_id,
        coalesce(user_identity_arn, user_identity_invoked_by) AS created_by,
        access_key_id AS created_with,
        source_ip_address,
        user_agent,
        error_code
    FROM first_records
    WHERE event_source = 'iam.amazonaws.com' AND event_name = 'CreateAccessKey'
),
used AS (
    SELECT access_key_id, count(*) AS events, min(event_time) AS first_used, max(event_time) AS last_used
    FROM first_records
    WHERE access_key_id IN (SELECT issued_access_key_id FROM created)
    GROUP BY access_key_id
)
SELECT
    created.event_time,
    created.user_name,
    created.issued_access_key_id,
    created.created_by,
    created.created_with,
    coalesce(used.events, 0) AS events,
    used.first_used,
    created.error_code,
    created.source_ip_address,
    created.account_id,
    used.last_used,
    created.user_agent
FROM created
LEFT JOIN used ON created.issued_access_key_id = used.access_key_id
ORDER BY created.event_time, created.event_id
