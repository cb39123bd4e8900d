-- The addresses of the log
-- grain: one row per address
SELECT source_ip_address AS name, CAST(NULL AS VARCHAR) AS who
FROM events
WHERE source_ip_address IS NOT NULL
GROUP BY source_ip_address
