-- Where the key was used from
-- grain: one row per source IP address
SELECT
    source_ip_address,
    sum(events) AS events,
    sum(errors) AS errors,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM uses
GROUP BY source_ip_address
ORDER BY events DESC, source_ip_address
