-- The events of keys at some moments: the first of each consumer is among them
-- grain: one row per event
-- parameter: first_key text: the least id asked for, which prunes
-- parameter: last_key text: the greatest id asked for, which prunes
-- parameter: keys text: ids separated by commas, or empty for all between the bounds
-- parameter: moments text: a list of times in microseconds since 1970
SELECT
    access_key_id,
    event_time,
    event_id,
    event_source,
    event_name,
    source_ip_address,
    user_agent
FROM events
LEFT SEMI JOIN (
    SELECT arrow_cast(unnest(arrow_cast($moments, 'List(Int64)')), 'Timestamp(µs, "UTC")') AS moment
) AS firsts ON events.event_time = firsts.moment
WHERE access_key_id >= $first_key
    AND access_key_id <= $last_key
    AND ($keys = '' OR strpos($keys, access_key_id) > 0)
    AND via_service IS NULL
ORDER BY access_key_id, event_time, event_id
