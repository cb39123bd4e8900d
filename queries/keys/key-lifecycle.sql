-- The lifecycle of keys: created, deactivated, reactivated, deleted
-- when: You want to know who deactivated or reactivated a key, and when.
-- group: keys
-- grain: one row per call that created, changed or deleted a long-term key; includes failed calls
-- parameter: access_key_id text = null: only this key
-- details: user_agent, changed_with
SELECT
    event_time,
    coalesce(issued_access_key_id, json_get_str(request_parameters, 'accessKeyId')) AS access_key_id,
    coalesce(json_get_str(request_parameters, 'userName'), issued_principal, user_identity_user_name) AS user_name,
    event_name,
    CASE event_name
        WHEN 'CreateAccessKey' THEN 'Active'
        WHEN 'DeleteAccessKey' THEN 'Deleted'
        ELSE json_get_str(request_parameters, 'status')
    END AS status,
    error_code,
    coalesce(user_identity_arn, user_identity_invoked_by) AS changed_by,
    source_ip_address,
    access_key_id AS changed_with,
    user_agent
FROM first_records
WHERE event_source = 'iam.amazonaws.com'
    AND event_name IN ('CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey')
    AND (
        $access_key_id IS NULL
        OR issued_access_key_id = $access_key_id
        OR json_get_str(request_parameters, 'accessKeyId') = $access_key_id
    )
ORDER BY event_time, event_id
