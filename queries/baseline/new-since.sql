-- What a key did for the first time
-- when: You suspect that a key was stolen at some time, and want to see what is new since then.
-- group: baseline
-- grain: one row per address, user agent, API call, region and error code that was first seen at or after that time
-- parameter: access_key_id text: the key
-- parameter: moment time: since when
-- details: last_seen
SELECT first_seen, kind, value, events, last_seen
FROM (
    SELECT 'address' AS kind, source_ip_address AS value, count(*) AS events, min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM first_records
    WHERE access_key_id = $access_key_id AND via_service IS NULL
    GROUP BY source_ip_address
    UNION ALL
    SELECT 'user agent', user_agent, count(*), min(event_time), max(event_time)
    FROM first_records
    WHERE access_key_id = $access_key_id AND via_service IS NULL
    GROUP BY user_agent
    UNION ALL
    SELECT 'API call', concat(event_source, ':', event_name), count(*), min(event_time), max(event_time)
    FROM first_records
    WHERE access_key_id = $access_key_id
    GROUP BY concat(event_source, ':', event_name)
    UNION ALL
    SELECT 'region', aws_region, count(*), min(event_time), max(event_time)
    FROM first_records
    WHERE access_key_id = $access_key_id
    GROUP BY aws_region
    UNION ALL
    SELECT 'error code', error_code, count(*), min(event_time), max(event_time)
    FROM first_records
    WHERE access_key_id = $access_key_id AND error_code IS NOT NULL AND failed(error_code)
    GROUP BY error_code
)
WHERE first_seen >= $moment
ORDER BY first_seen, kind, value
