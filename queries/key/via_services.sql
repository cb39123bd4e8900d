-- What AWS services called on the key's behalf; these events are also counted above
-- grain: one row per service
SELECT
    via_service,
    sum(events) AS events,
    sum(errors) AS errors,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM uses
WHERE via_service IS NOT NULL
GROUP BY via_service
ORDER BY events DESC, via_service
