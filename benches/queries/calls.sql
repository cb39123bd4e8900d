-- Every call by service and name: a scan of few columns
SELECT event_source, event_name, count(*) AS events, count(error_code) AS errors, max(event_time) AS last_seen
FROM events
GROUP BY event_source, event_name
