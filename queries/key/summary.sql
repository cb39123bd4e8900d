-- Kind of key, its owner, and when it was used
-- grain: one row per access key
SELECT
    access_key_id,
    max(user_identity_user_name) AS user_identity_user_name,
    max(last_seen) AS last_seen,
    sum(events) AS events,
    sum(errors) AS errors,
    count(DISTINCT source_ip_address) AS source_ip_addresses,
    max(user_identity_account_id) AS account_id,
    min(first_seen) AS first_seen,
    count(DISTINCT user_agent) AS user_agents,
    count(DISTINCT concat(event_source, ':', event_name)) AS api_calls,
    count(DISTINCT aws_region) AS regions,
    count(DISTINCT issued_access_key_id) AS issued_keys,
    key_type(access_key_id) AS key_type,
    max(user_identity_type) AS user_identity_type,
    decoded_account_id(access_key_id) AS decoded_account_id,
    max(user_identity_arn) AS user_identity_arn
FROM uses
GROUP BY access_key_id
