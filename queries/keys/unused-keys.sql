-- Long-term keys that have not been used for some days
-- when: You look for keys to remove first. Keys that no event names are missing here: see IAM's credential report.
-- group: keys
-- grain: one row per long-term key that is not deleted and was last used (or created, if never used) so many days before the newest event
-- parameter: days integer = 90: days without use, counted back from the newest event
-- details: created_at, events
WITH used AS (
    SELECT
        access_key_id,
        max(user_identity_user_name) AS user_name,
        max(account_id) AS account_id,
        count(*) AS events,
        max(event_time) AS last_used
    FROM first_records
    WHERE access_key_id IS NOT NULL AND key_type(access_key_id) = 'long-term'
    GROUP BY access_key_id
),
changes AS (
    SELECT
        coalesce(issued_access_key_id, json_get_str(request_parameters, 'accessKeyId')) AS access_key_id,
        coalesce(json_get_str(request_parameters, 'userName'), issued_principal, user_identity_user_name) AS user_name,
        account_id,
        CASE event_name WHEN 'CreateAccessKey' THEN event_time END AS created_at,
        CASE event_name
            WHEN 'CreateAccessKey' THEN 'Active'
            WHEN 'DeleteAccessKey' THEN 'Deleted'
            ELSE json_get_str(request_parameters, 'status')
        END AS status,
        event_time,
        event_id
    FROM first_records
    WHERE event_source = 'iam.amazonaws.com'
        AND event_name IN ('CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey')
        AND error_code IS NULL
),
changed AS (
    SELECT
        access_key_id,
        max(user_name) AS user_name,
        max(account_id) AS account_id,
        max(created_at) AS created_at,
        last_value(status ORDER BY event_time, event_id) AS status
    FROM changes
    WHERE access_key_id IS NOT NULL
    GROUP BY access_key_id
),
keys AS (
    SELECT
        coalesce(used.access_key_id, changed.access_key_id) AS access_key_id,
        coalesce(used.user_name, changed.user_name) AS user_name,
        coalesce(used.account_id, changed.account_id) AS account_id,
        coalesce(changed.status, 'Active') AS status,
        created_at,
        last_used,
        coalesce(events, 0) AS events
    FROM used
    FULL OUTER JOIN changed ON used.access_key_id = changed.access_key_id
)
SELECT
    access_key_id,
    user_name,
    account_id,
    status,
    last_used,
    CAST(newest AS DATE) - CAST(coalesce(last_used, created_at, newest) AS DATE) AS days_unused,
    created_at,
    events
FROM keys
CROSS JOIN (SELECT max(event_time) AS newest FROM first_records)
WHERE status <> 'Deleted'
    AND CAST(newest AS DATE) - CAST(coalesce(last_used, created_at, newest) AS DATE) >= $days
ORDER BY days_unused DESC, access_key_id
