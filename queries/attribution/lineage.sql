-- What sessions opened by long-term keys were used for, directly or through one more session
-- grain: one row per distinct combination of the grouped columns; access_key_id is the long-term key
WITH opened AS (
    SELECT DISTINCT access_key_id AS opener, issued_access_key_id AS opened_key
    FROM events
    WHERE issued_access_key_id LIKE 'ASIA%' AND access_key_id IS NOT NULL
),
lineage AS (
    SELECT opener AS root_key, opened_key FROM opened WHERE opener LIKE 'AKIA%'
    UNION
    SELECT parents.opener AS root_key, children.opened_key
    FROM opened AS parents
    JOIN opened AS children ON children.opener = parents.opened_key
    WHERE parents.opener LIKE 'AKIA%'
)
SELECT
    lineage.root_key AS access_key_id,
    events.source_ip_address,
    events.user_agent,
    events.event_source,
    events.operation,
    events.aws_region,
    events.error_code,
    false AS about_itself,
    false AS is_quarantine,
    CAST(NULL AS VARCHAR) AS user_identity_user_name,
    max(events.user_identity_account_id) AS user_identity_account_id,
    CAST(NULL AS VARCHAR) AS user_identity_arn,
    max(events.session_ec2_role_delivery) AS session_ec2_role_delivery,
    first_value(events.event_id ORDER BY events.event_time, events.event_id) AS event_id,
    count(*) AS events,
    min(events.event_time) AS first_seen,
    max(events.event_time) AS last_seen
-- The engine holds what stands on the left of a join.
FROM lineage
JOIN first_records AS events ON lineage.opened_key = events.access_key_id
WHERE events.via_service IS NULL
GROUP BY
    lineage.root_key,
    events.source_ip_address,
    events.user_agent,
    events.event_source,
    events.operation,
    events.aws_region,
    events.error_code
