-- All of every event, also records that update an earlier one: what a trace is going to ask for, before it is known of what
-- grain: one row per event
SELECT *
FROM events
