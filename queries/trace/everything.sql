-- Every column of every event, including records that update an earlier one: what a trace will need, before it is known of which credentials
-- grain: one row per event
SELECT *
FROM events
