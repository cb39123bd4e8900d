-- The days on which a key was used
-- when: You want to see when a key was in use, when its use changed, and when it stopped.
-- group: keys
-- grain: one row per day (UTC) on which the key was used
-- parameter: access_key_id text: the key
-- details: first_seen, last_seen
SELECT
    event_date AS day,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count_texts(source_ip_address) AS source_ip_addresses,
    count_texts(user_agent) AS user_agents,
    count_texts(event_source, event_name) AS api_calls,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE access_key_id = $access_key_id
GROUP BY event_date
ORDER BY day
