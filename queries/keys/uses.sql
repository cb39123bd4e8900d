-- The distinct uses of all access keys: far fewer than events, and all that the inventory is counted from
-- grain: one row per distinct combination of the grouped columns
-- parameters: temporary (boolean): also temporary keys
SELECT
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    event_name,
    aws_region,
    max(user_identity_user_name) AS user_identity_user_name,
    max(user_identity_account_id) AS user_identity_account_id,
    max(user_identity_type) AS user_identity_type,
    max(user_identity_arn) AS user_identity_arn,
    count(issued_access_key_id) AS issued_keys,
    count(*) AS events,
    count(error_code) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM events
WHERE access_key_id IS NOT NULL
    AND ($temporary OR key_type(access_key_id) = 'long-term')
GROUP BY access_key_id, source_ip_address, user_agent, event_source, event_name, aws_region
