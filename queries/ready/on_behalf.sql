-- Days on which AWS services called on behalf of users, and days on which users called with a session
-- grain: one row per user, service (null for the user's own calls with a session or in the console), what it called where, and day (UTC)
SELECT
    user_identity_account_id AS account_id,
    user_identity_type,
    user_identity_user_name AS user_name,
    via_service,
    CASE WHEN via_service IS NOT NULL THEN event_source END AS called,
    CASE WHEN via_service IS NOT NULL THEN aws_region END AS called_region,
    event_date,
    max(event_time) AS last_event,
    -- A session that a program uses was opened with a key (GetSessionToken). In the console, people use browsers and CloudShell.
    max(event_time) FILTER (
        WHERE via_service IS NULL
            AND access_key_id IS NOT NULL
            AND coalesce(session_credential_from_console, false) = false
            AND NOT regexp_like(user_agent, '^\[?(mozilla|opera)/|^aws internal|\.amazonaws\.com$', 'i')
            AND user_agent NOT ILIKE '%cloudshell%'
            AND user_agent NOT ILIKE '%console%'
            AND user_agent NOT ILIKE '%aws-internal%'
    ) AS last_of_program
FROM first_records
WHERE user_identity_type IN ('IAMUser', 'Root')
    AND (access_key_id IS NULL OR access_key_id LIKE 'ASIA%')
GROUP BY user_identity_account_id, user_identity_type, user_identity_user_name, via_service, called, called_region, event_date
