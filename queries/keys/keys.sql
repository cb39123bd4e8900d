-- Access keys: whose they are, when and from where they were used
-- grain: one row per access key
-- parameter: temporary boolean: also temporary keys
SELECT
    access_key_id,
    max(user_identity_user_name) AS user_identity_user_name,
    max(event_time) AS last_seen,
    -- A record that updates another is not a call of its own, unless there are only such records.
    greatest(
        count(*) FILTER (WHERE NOT is_update(addendum)),
        count(DISTINCT CASE WHEN is_update(addendum) THEN json_get_str(addendum, 'originalEventID') END)
    ) AS events,
    count(*) FILTER (WHERE failed(error_code) AND NOT is_update(addendum)) AS errors,
    count_texts(source_ip_address) AS source_ip_addresses,
    max(user_identity_account_id) AS account_id,
    min(event_time) AS first_seen,
    count_texts(user_agent) AS user_agents,
    count_texts(event_source, event_name) AS api_calls,
    count_texts(aws_region) AS regions,
    count_texts(issued_access_key_id) AS issued_keys,
    key_type(access_key_id) AS key_type,
    max(user_identity_type) AS user_identity_type,
    decoded_account_id(access_key_id) AS decoded_account_id,
    max(user_identity_arn) AS user_identity_arn
FROM events
WHERE access_key_id IS NOT NULL
    AND ($temporary OR key_type(access_key_id) = 'long-term')
GROUP BY access_key_id
