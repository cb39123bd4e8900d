-- Overview per region
-- when: You see these logs for the first time, or look for regions that should not be in use.
-- group: baseline
-- grain: one row per account and region
-- details: first_seen, access_keys
SELECT
    account_id,
    aws_region,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(*) FILTER (WHERE read_only IS FALSE) AS changes,
    count_texts(access_key_id) AS access_keys,
    count_texts(source_ip_address) AS source_ip_addresses,
    count_texts(event_source) AS event_sources,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM calls
GROUP BY account_id, aws_region
ORDER BY account_id, events DESC, aws_region
