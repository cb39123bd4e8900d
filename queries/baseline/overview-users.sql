-- Overview per user and role
-- when: You see these logs for the first time, or look for unknown identities.
-- group: baseline
-- grain: one row per user, role or other caller; sessions of a role are counted together
-- details: first_seen, access_keys, user_agents, changes
SELECT
    coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_user_name, user_identity_invoked_by) AS caller,
    user_identity_type,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(*) FILTER (WHERE read_only IS FALSE) AS changes,
    count_texts(source_ip_address) FILTER (WHERE via_service IS NULL) AS source_ip_addresses,
    count_texts(user_agent) FILTER (WHERE via_service IS NULL) AS user_agents,
    count_texts(access_key_id) AS access_keys,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM calls
GROUP BY caller, user_identity_type
ORDER BY events DESC, caller, user_identity_type
