-- Which regions the key called
-- grain: one row per region
SELECT
    aws_region,
    sum(events) AS events,
    sum(errors) AS errors,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM uses
GROUP BY aws_region
ORDER BY events DESC, aws_region
