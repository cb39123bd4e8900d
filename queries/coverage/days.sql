-- Events per account, region and day
-- grain: one row per account, region and day (UTC) with events
SELECT
    account_id,
    aws_region,
    event_date,
    count(*) AS events,
    min(event_time) AS first_event,
    max(event_time) AS last_event
FROM events
GROUP BY account_id, aws_region, event_date
ORDER BY account_id, aws_region, event_date
