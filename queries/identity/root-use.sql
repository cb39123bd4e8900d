-- What was done as root
-- when: You want to make sure that nobody works as root, and that root has no access key.
-- group: identity
-- grain: one row per account, key, address and API call by root; services' own calls for root are left out
-- details: first_seen, user_agents, assumed_root
SELECT
    user_identity_account_id AS account_id,
    access_key_id,
    key_type(access_key_id) AS key_type,
    source_ip_address,
    event_source,
    event_name,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    bool_or(session_mfa_authenticated) AS mfa,
    bool_or(session_assumed_root) AS assumed_root,
    count_texts(user_agent) AS user_agents
FROM calls
WHERE user_identity_type = 'Root' AND user_identity_invoked_by IS NULL
GROUP BY user_identity_account_id, access_key_id, source_ip_address, event_source, event_name
ORDER BY account_id, first_seen, access_key_id, source_ip_address, event_source, event_name
