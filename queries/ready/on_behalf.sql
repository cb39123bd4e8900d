-- Days on which AWS services called on behalf of users, and days on which users called with a session, or without any key's id
-- grain: one row per user, service (null for the user's own calls with a session or in the console), what it called where, and day (UTC)
SELECT
    user_identity_account_id AS account_id,
    user_type AS user_identity_type,
    user_name,
    via_service,
    CASE WHEN via_service IS NOT NULL THEN event_source END AS called,
    CASE WHEN via_service IS NOT NULL THEN aws_region END AS called_region,
    event_date,
    max(event_time) AS last_event,
    -- A session that a program uses was opened with a key (GetSessionToken), as are all sessions of federated users (GetFederationToken).
    max(event_time) FILTER (WHERE access_key_id IS NOT NULL AND (is_program OR is_federated)) AS last_of_program,
    -- A program in a browser looks like the console, except for a user who never signs in to it.
    max(event_time) FILTER (WHERE access_key_id IS NOT NULL AND is_browser) AS last_of_browser,
    coalesce(bool_or(event_source = 'signin.amazonaws.com' OR session_credential_from_console), false) AS signs_in,
    -- CloudTrail leaves out the key's id at times. Whoever signs in has none.
    -- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    max(event_time) FILTER (
        WHERE access_key_id IS NULL AND is_program AND event_source <> 'signin.amazonaws.com'
    ) AS last_without_key
FROM (
    SELECT
        *,
        user_identity_type = 'FederatedUser' AS is_federated,
        -- A federated user is whoever asked for the session.
        CASE WHEN user_identity_type = 'FederatedUser' THEN session_issuer_type ELSE user_identity_type END AS user_type,
        CASE WHEN user_identity_type = 'FederatedUser' THEN session_issuer_user_name ELSE user_identity_user_name END AS user_name,
        via_service IS NULL
            AND coalesce(session_credential_from_console, false) = false
            AND regexp_like(user_agent, '^\[?(mozilla|opera)/', 'i') AS is_browser,
        -- In the console, people use browsers and CloudShell.
        via_service IS NULL
            AND coalesce(session_credential_from_console, false) = false
            AND NOT regexp_like(user_agent, '^\[?(mozilla|opera)/|^aws internal|\.amazonaws\.com$', 'i')
            AND user_agent NOT ILIKE '%cloudshell%'
            AND user_agent NOT ILIKE '%console%'
            AND user_agent NOT ILIKE '%aws-internal%' AS is_program
    FROM first_records
    WHERE user_identity_type IN ('IAMUser', 'Root', 'FederatedUser')
        AND (access_key_id IS NULL OR access_key_id LIKE 'ASIA%')
)
GROUP BY user_identity_account_id, user_type, user_name, via_service, called, called_region, event_date
