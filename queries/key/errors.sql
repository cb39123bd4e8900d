-- Errors of the key, by error code
-- grain: one row per error code
SELECT
    error_code,
    sum(events) AS events,
    sum(errors) AS errors,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM uses
WHERE failed(error_code)
GROUP BY error_code
ORDER BY events DESC, error_code
