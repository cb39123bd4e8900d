-- The distinct uses of all access keys: fewer than events, and all that the inventory is counted from
-- grain: one row per distinct combination of the grouped columns; those of the identity follow from the key, as a rule
-- parameters: temporary (boolean): also temporary keys
SELECT
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    event_name,
    aws_region,
    user_identity_user_name,
    user_identity_account_id,
    user_identity_type,
    user_identity_arn,
    count(issued_access_key_id) AS issued_keys,
    count(*) AS events,
    count(error_code) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM events
WHERE access_key_id IS NOT NULL
    AND ($temporary OR key_type(access_key_id) = 'long-term')
GROUP BY
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    event_name,
    aws_region,
    user_identity_user_name,
    user_identity_account_id,
    user_identity_type,
    user_identity_arn
