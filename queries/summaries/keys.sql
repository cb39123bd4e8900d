-- Access keys: whose they are, when and from where they were used
-- grain: one row per access key
-- parameter: temporary boolean: also temporary keys
-- The answer of keys/keys.sql, from the summaries of use beside the lake's files.
SELECT
    access_key_id,
    max(user_identity_user_name) AS user_identity_user_name,
    max(last_seen) AS last_seen,
    -- A record that updates another is not a call of its own, unless there are only such records.
    greatest(sum(events), count_texts(updated_events)) AS events,
    sum(errors) AS errors,
    count_texts(source_ip_addresses) AS source_ip_addresses,
    max(user_identity_account_id) AS account_id,
    min(first_seen) AS first_seen,
    count_texts(user_agents) AS user_agents,
    count_texts(event_sources, event_names) AS api_calls,
    count_texts(regions) AS regions,
    count_texts(issued_access_key_ids) AS issued_keys,
    key_type(access_key_id) AS key_type,
    max(user_identity_type) AS user_identity_type,
    decoded_account_id(access_key_id) AS decoded_account_id,
    max(user_identity_arn) AS user_identity_arn
FROM key_uses
WHERE $temporary OR key_type(access_key_id) = 'long-term'
GROUP BY access_key_id
