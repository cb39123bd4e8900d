-- Failed calls of a key
-- when: You want to see what was attempted with the key, without success.
-- group: incident
-- grain: one row per API call and error code
-- parameter: access_key_id text: the key
-- details: aws_regions, first_seen, error_message
SELECT
    event_source,
    event_name,
    error_code,
    count(*) AS events,
    count_texts(source_ip_address) AS source_ip_addresses,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    array_agg(DISTINCT aws_region ORDER BY aws_region) FILTER (WHERE aws_region IS NOT NULL) AS aws_regions,
    first_value(error_message ORDER BY event_time, event_id) AS error_message
FROM first_records
WHERE access_key_id = $access_key_id AND error_code IS NOT NULL AND failed(error_code)
GROUP BY event_source, event_name, error_code
ORDER BY events DESC, event_source, event_name, error_code
