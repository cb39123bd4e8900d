-- Which programs used the key
-- grain: one row per user agent
SELECT
    user_agent,
    sum(events) AS events,
    sum(errors) AS errors,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM uses
GROUP BY user_agent
ORDER BY events DESC, user_agent
