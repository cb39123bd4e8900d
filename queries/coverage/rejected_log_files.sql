-- Log files that could not be read, and why
-- grain: one row per log file whose last attempt failed
SELECT log_file, outcome, reason, size_bytes, date_trunc('second', ingest_time) AS ingest_time
FROM (
    SELECT *, row_number() OVER (PARTITION BY log_file ORDER BY ingest_time DESC) AS attempt
    FROM log_files
)
WHERE attempt = 1 AND outcome IN ('rejected', 'unfetched')
ORDER BY log_file
