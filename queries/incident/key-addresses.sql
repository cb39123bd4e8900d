-- Addresses and programs that used a key
-- when: You want to distinguish the owner's use from an intruder's.
-- group: incident
-- grain: one row per pair of address and user agent; calls that AWS services made for the key are left out
-- parameter: access_key_id text: the key
-- details: days, aws_regions, api_calls
SELECT
    source_ip_address,
    user_agent,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(DISTINCT event_date) AS days,
    count_texts(event_source, event_name) AS api_calls,
    array_agg(DISTINCT aws_region ORDER BY aws_region) FILTER (WHERE aws_region IS NOT NULL) AS aws_regions
FROM first_records
WHERE access_key_id = $access_key_id AND via_service IS NULL
GROUP BY source_ip_address, user_agent
ORDER BY first_seen, source_ip_address, user_agent
