-- The keys and sessions of a user
-- when: You must block a user and need to know every credential it uses.
-- group: access
-- grain: one row per access key that the user signed with; calls without a key are one row
-- parameter: user_name text: the user's name
-- parameter: account_id text = null: only the user of this account
-- details: mfa, user_agents, first_seen
SELECT
    access_key_id,
    key_type(access_key_id) AS key_type,
    user_identity_type,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(source_ip_address) FILTER (WHERE via_service IS NULL) AS source_ip_addresses,
    count_texts(user_agent) FILTER (WHERE via_service IS NULL) AS user_agents,
    bool_or(session_mfa_authenticated) AS mfa
FROM first_records
WHERE (
        (user_identity_type IN ('IAMUser', 'Root') AND user_identity_user_name = $user_name)
        OR (user_identity_type = 'FederatedUser' AND session_issuer_user_name = $user_name)
    )
    AND ($account_id IS NULL OR user_identity_account_id = $account_id)
GROUP BY access_key_id, user_identity_type
ORDER BY first_seen, access_key_id
