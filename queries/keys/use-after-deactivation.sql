-- Keys that were deactivated or deleted: by whom, and what they did afterwards
-- when: You want to confirm that a key has stopped working, or know who deactivated it.
-- group: keys
-- grain: one row per key and time it was deactivated or deleted, up to its next change
-- Calls within a few seconds are normal: IAM's changes take time to take effect. Calls with an inactive key are not logged.
-- details: deactivated_from, user_name, last_after, issued_after
WITH changes AS (
    SELECT
        event_time,
        event_id,
        json_get_str(request_parameters, 'accessKeyId') AS access_key_id,
        coalesce(json_get_str(request_parameters, 'userName'), user_identity_user_name) AS user_name,
        CASE event_name WHEN 'DeleteAccessKey' THEN 'Deleted' ELSE json_get_str(request_parameters, 'status') END AS status,
        coalesce(user_identity_arn, user_identity_invoked_by) AS deactivated_by,
        source_ip_address AS deactivated_from
    FROM first_records
    WHERE event_source = 'iam.amazonaws.com'
        AND event_name IN ('UpdateAccessKey', 'DeleteAccessKey')
        AND error_code IS NULL
),
periods AS (
    SELECT *, lead(event_time) OVER (PARTITION BY access_key_id ORDER BY event_time, event_id) AS next_change
    FROM changes
),
uses AS (
    SELECT access_key_id, event_time, issued_access_key_id
    FROM first_records
    WHERE access_key_id IN (SELECT access_key_id FROM changes)
)
SELECT
    periods.access_key_id,
    periods.status,
    periods.event_time AS deactivated_at,
    periods.deactivated_by,
    max(uses.event_time) FILTER (WHERE uses.event_time <= periods.event_time) AS last_before,
    count(*) FILTER (WHERE uses.event_time > periods.event_time) AS events_after,
    max(uses.event_time) FILTER (WHERE uses.event_time > periods.event_time) AS last_after,
    periods.next_change,
    count(uses.issued_access_key_id) FILTER (WHERE uses.event_time > periods.event_time) AS issued_after,
    periods.user_name,
    periods.deactivated_from
FROM periods
LEFT JOIN uses
    ON uses.access_key_id = periods.access_key_id
    AND (periods.next_change IS NULL OR uses.event_time < periods.next_change)
WHERE periods.status IN ('Inactive', 'Deleted')
GROUP BY
    periods.access_key_id,
    periods.status,
    periods.event_time,
    periods.event_id,
    periods.deactivated_by,
    periods.next_change,
    periods.user_name,
    periods.deactivated_from
ORDER BY deactivated_at, periods.access_key_id, periods.event_id
