-- One event, with every column
-- when: You have an event's id and want to see all that was recorded.
-- group: incident
-- grain: one row: the event
-- parameter: event_id text: the event
SELECT *
FROM events
WHERE event_id = $event_id
