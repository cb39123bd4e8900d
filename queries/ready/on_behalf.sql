-- Days on which AWS services called on behalf of users, and days on which users called with a session
-- grain: one row per user, service (null for the user's own calls with a session or in the console) and day (UTC)
SELECT
    user_identity_account_id AS account_id,
    user_identity_type,
    user_identity_user_name AS user_name,
    via_service,
    event_date,
    max(event_time) AS last_event
FROM first_records
WHERE user_identity_type IN ('IAMUser', 'Root')
    AND (access_key_id IS NULL OR access_key_id LIKE 'ASIA%')
GROUP BY user_identity_account_id, user_identity_type, user_identity_user_name, via_service, event_date
