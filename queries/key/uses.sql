-- The distinct uses of an access key, from which the sections of its answer are counted
-- grain: one row per distinct combination of the grouped columns
-- parameter: access_key_id text: the key
SELECT
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    event_name,
    aws_region,
    error_code,
    via_service,
    user_identity_type,
    user_identity_arn,
    user_identity_user_name,
    user_identity_account_id,
    issued_access_key_id,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE access_key_id = $access_key_id
GROUP BY
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    event_name,
    aws_region,
    error_code,
    via_service,
    user_identity_type,
    user_identity_arn,
    user_identity_user_name,
    user_identity_account_id,
    issued_access_key_id
