-- One event, with every field
-- when: You have an event id and want to see everything that was recorded.
-- group: incident
-- grain: one row: the event
-- parameter: event_id text: the event
-- The address is there as text.
SELECT * EXCEPT (source_ip)
FROM events
WHERE event_id = $event_id
