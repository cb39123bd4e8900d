-- Daily use of access keys
-- grain: one row per access key, day, account, region and service
SELECT
    access_key_id,
    event_date,
    account_id,
    aws_region,
    event_source,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(DISTINCT event_name) AS api_calls,
    count(DISTINCT source_ip_address) AS source_ip_addresses,
    count(DISTINCT user_agent) AS user_agents,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE access_key_id IS NOT NULL
GROUP BY access_key_id, event_date, account_id, aws_region, event_source
