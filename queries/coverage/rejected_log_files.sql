-- Log files that could not be read, and why
-- grain: one row per log file, object or folder that was not read when it was last tried
SELECT log_file, outcome, reason, size_bytes
FROM (
    SELECT *, row_number() OVER (PARTITION BY log_file ORDER BY ingest_time DESC) AS attempt
    FROM log_files
)
WHERE attempt = 1 AND outcome IN ('rejected', 'unfetched', 'archived', 'unreadable', 'beside')
ORDER BY log_file
