-- Overview per API call
-- when: You see these logs for the first time, or look for calls that nobody should make.
-- group: baseline
-- grain: one row per API call
-- details: first_seen, access_keys, event_category
SELECT
    event_source,
    event_name,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    bool_and(read_only) AS read_only,
    max(event_category) AS event_category,
    count_texts(coalesce(user_identity_arn, user_identity_principal_id, user_identity_invoked_by)) AS callers,
    count_texts(access_key_id) AS access_keys,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM calls
GROUP BY event_source, event_name
ORDER BY events DESC, event_source, event_name
