-- Successful calls of a key, per API call
-- when: You want to know what a stolen key was able to do, and did.
-- group: incident
-- grain: one row per API call that succeeded at least once
-- parameter: access_key_id text: the key
-- details: aws_regions, via_services, first_seen
SELECT
    event_source,
    event_name,
    bool_and(read_only) AS read_only,
    count(*) AS events,
    count_texts(source_ip_address) AS source_ip_addresses,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    array_agg(DISTINCT aws_region ORDER BY aws_region) FILTER (WHERE aws_region IS NOT NULL) AS aws_regions,
    array_agg(DISTINCT via_service ORDER BY via_service) FILTER (WHERE via_service IS NOT NULL) AS via_services
FROM first_records
WHERE access_key_id = $access_key_id AND error_code IS NULL
GROUP BY event_source, event_name
ORDER BY events DESC, event_source, event_name
