-- Calls of users that only another account's log has: it names the user by its unique id, and no key
-- grain: one row per long-term key of the user (null where the log has none), log, call and day (UTC)
WITH elsewhere AS (
    -- A call that the user's own account logged, too, counts there, with its key.
    -- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/shared-event-ID.html
    SELECT
        nullif(user_identity_principal_id, '') AS user_id,
        user_identity_account_id,
        account_id,
        aws_region,
        event_category,
        event_source,
        operation,
        read_only,
        event_date,
        event_time,
        source_ip_address,
        user_agent,
        shared_event_id,
        used_resource(event_source, request_parameters, resources) AS resource
    FROM first_records
    WHERE user_identity_type = 'AWSAccount'
        AND user_identity_account_id <> account_id
        -- Whoever signs nothing has no account.
        AND length(user_identity_account_id) = 12
        AND (access_key_id IS NULL OR access_key_id NOT LIKE 'AKIA%')
        -- Users, and root, whose id is that of its account; not the sessions of roles, AROA….
        AND coalesce(user_identity_principal_id, '') NOT LIKE 'AROA%'
        AND coalesce(user_identity_principal_id, '') NOT LIKE '%:%'
        -- In the console, people use browsers.
        AND NOT regexp_like(coalesce(user_agent, ''), '^\[?(mozilla|opera)/|console', 'i')
),
home AS (
    SELECT DISTINCT shared_event_id
    FROM first_records
    WHERE shared_event_id IS NOT NULL AND access_key_id IS NOT NULL AND user_identity_account_id = account_id
),
signed AS (
    SELECT DISTINCT user_identity_principal_id AS user_id, access_key_id, source_ip_address, user_agent, event_date
    FROM first_records
    WHERE access_key_id LIKE 'AKIA%' AND user_identity_principal_id IN (SELECT user_id FROM elsewhere)
),
keys AS (
    SELECT DISTINCT user_id, access_key_id FROM signed
),
-- Which keys of the user called on the same day, from the same place, with the same program.
there AS (
    SELECT
        user_id,
        source_ip_address,
        user_agent,
        event_date,
        min(access_key_id) AS first_key,
        max(access_key_id) AS last_key
    FROM signed
    GROUP BY user_id, source_ip_address, user_agent, event_date
)
SELECT
    keys.access_key_id,
    elsewhere.user_id,
    elsewhere.user_identity_account_id,
    elsewhere.account_id,
    elsewhere.aws_region,
    elsewhere.event_category,
    elsewhere.event_source,
    elsewhere.operation,
    elsewhere.read_only,
    elsewhere.event_date,
    count(*) AS events,
    min(elsewhere.resource) AS resource,
    min(elsewhere.event_time) AS first_event,
    max(elsewhere.event_time) AS last_event
FROM elsewhere
LEFT JOIN keys ON keys.user_id = elsewhere.user_id
LEFT JOIN there
    ON there.user_id = elsewhere.user_id
    AND there.source_ip_address = elsewhere.source_ip_address
    AND there.user_agent = elsewhere.user_agent
    AND there.event_date = elsewhere.event_date
LEFT JOIN home ON home.shared_event_id = elsewhere.shared_event_id
WHERE home.shared_event_id IS NULL
    AND (
        there.first_key IS NULL
        OR keys.access_key_id BETWEEN there.first_key AND there.last_key
    )
GROUP BY
    keys.access_key_id,
    elsewhere.user_id,
    elsewhere.user_identity_account_id,
    elsewhere.account_id,
    elsewhere.aws_region,
    elsewhere.event_category,
    elsewhere.event_source,
    elsewhere.operation,
    elsewhere.read_only,
    elsewhere.event_date
