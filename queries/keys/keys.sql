-- Access keys: whose they are, when and from where they were used
-- grain: one row per access key
-- Distinct values are counted by grouping twice: with many keys, count(DISTINCT) would hold a set per key and column.
WITH totals AS (
    SELECT
        access_key_id,
        max(user_identity_user_name) AS user_identity_user_name,
        max(user_identity_account_id) AS account_id,
        max(user_identity_type) AS user_identity_type,
        max(user_identity_arn) AS user_identity_arn,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        sum(events) AS events,
        sum(errors) AS errors,
        sum(issued_keys) AS issued_keys
    FROM uses
    GROUP BY access_key_id
),
addresses AS (
    SELECT access_key_id, count(source_ip_address) AS source_ip_addresses
    FROM (SELECT access_key_id, source_ip_address FROM uses GROUP BY access_key_id, source_ip_address)
    GROUP BY access_key_id
),
agents AS (
    SELECT access_key_id, count(user_agent) AS user_agents
    FROM (SELECT access_key_id, user_agent FROM uses GROUP BY access_key_id, user_agent)
    GROUP BY access_key_id
),
calls AS (
    SELECT access_key_id, count(*) AS api_calls
    FROM (SELECT access_key_id, event_source, event_name FROM uses GROUP BY access_key_id, event_source, event_name)
    GROUP BY access_key_id
),
places AS (
    SELECT access_key_id, count(aws_region) AS regions
    FROM (SELECT access_key_id, aws_region FROM uses GROUP BY access_key_id, aws_region)
    GROUP BY access_key_id
)
SELECT
    totals.access_key_id,
    user_identity_user_name,
    last_seen,
    events,
    errors,
    source_ip_addresses,
    account_id,
    first_seen,
    user_agents,
    api_calls,
    regions,
    issued_keys,
    key_type(totals.access_key_id) AS key_type,
    user_identity_type,
    decoded_account_id(totals.access_key_id) AS decoded_account_id,
    user_identity_arn
FROM totals
JOIN addresses ON addresses.access_key_id = totals.access_key_id
JOIN agents ON agents.access_key_id = totals.access_key_id
JOIN calls ON calls.access_key_id = totals.access_key_id
JOIN places ON places.access_key_id = totals.access_key_id
