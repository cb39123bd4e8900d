-- One event, with every column
-- when: You have an event id and want to see everything that was recorded.
-- group: incident
-- grain: one row: the event
-- parameter: event_id text: the event
SELECT *
FROM events
WHERE event_id = $event_id
