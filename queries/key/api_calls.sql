-- What the key called
-- grain: one row per API call
SELECT
    event_source,
    event_name,
    sum(events) AS events,
    sum(errors) AS errors,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM uses
GROUP BY event_source, event_name
ORDER BY events DESC, event_source, event_name
