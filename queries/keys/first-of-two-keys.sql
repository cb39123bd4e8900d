-- Users with a newer key, and the last use of the older one
-- when: A key is being replaced, and you want to know whether everything has moved to the new one.
-- group: keys
-- grain: one row per user and pair of keys that follow each other
-- details: user_identity_arn, older_events, newer_events
WITH keys AS (
    SELECT
        user_identity_account_id,
        user_identity_arn,
        max(user_identity_user_name) AS user_identity_user_name,
        access_key_id,
        min(event_time) AS first_used,
        max(event_time) AS last_used,
        count(*) AS events
    FROM first_records
    WHERE access_key_id IS NOT NULL AND key_type(access_key_id) = 'long-term'
    GROUP BY user_identity_account_id, user_identity_arn, access_key_id
),
pairs AS (
    SELECT
        *,
        lead(access_key_id) OVER next_key AS newer_key,
        lead(first_used) OVER next_key AS newer_first_used,
        lead(last_used) OVER next_key AS newer_last_used,
        lead(events) OVER next_key AS newer_events
    FROM keys
    WINDOW next_key AS (PARTITION BY user_identity_account_id, user_identity_arn ORDER BY first_used, access_key_id)
)
SELECT
    user_identity_user_name,
    access_key_id AS older_key,
    last_used AS older_last_used,
    newer_key,
    newer_first_used,
    newer_last_used,
    last_used > newer_first_used AS both_in_use,
    events AS older_events,
    newer_events,
    user_identity_arn
FROM pairs
WHERE newer_key IS NOT NULL
ORDER BY user_identity_arn, first_used, older_key
