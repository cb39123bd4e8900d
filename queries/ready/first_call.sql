-- The events of a key at a moment: the first of a consumer is among them
-- grain: one row per event
-- parameter: access_key_id text: the key
-- parameter: moment time: when
SELECT event_id, event_source, event_name, source_ip_address, user_agent
FROM events
WHERE access_key_id = $access_key_id AND event_time = $moment AND via_service IS NULL
ORDER BY event_id
