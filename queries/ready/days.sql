-- Days with events, for telling silence from a missing log
-- grain: one row per account, region, day (UTC) and service with data events; data_service is null for all other events
SELECT
    account_id,
    aws_region,
    event_date,
    data_service,
    max(event_time) AS last_event
FROM (
    SELECT
        account_id,
        aws_region,
        event_date,
        event_time,
        CASE WHEN event_category = 'Data' THEN event_source END AS data_service
    FROM events
)
GROUP BY account_id, aws_region, event_date, data_service
