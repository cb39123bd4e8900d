-- The hours at which a key is used
-- when: You want to distinguish a person from a program, or an intruder from the owner, by the time of day.
-- group: baseline
-- grain: one row per hour of the day (UTC) in which the key was used
-- parameter: access_key_id text: the key
-- details: weekend_events, source_ip_addresses
SELECT
    date_part('hour', event_time) AS hour,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(DISTINCT event_date) AS days,
    count(*) FILTER (WHERE date_part('dow', event_time) IN (0, 6)) AS weekend_events,
    count_texts(source_ip_address) AS source_ip_addresses,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE access_key_id = $access_key_id AND via_service IS NULL
GROUP BY date_part('hour', event_time)
ORDER BY hour
