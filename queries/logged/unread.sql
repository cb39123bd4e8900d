-- Log files and folders that could not be read, in whole or in part: their contents are unknown
-- grain: one row per log file whose last attempt failed or left records out
-- What lies beside a trail is named by every answer, but nothing says that it belongs to the logs.
SELECT
    account_id,
    accounts,
    log_date,
    first_event_time,
    last_event_time,
    outcome <> 'stored' AS whole,
    coalesce(rejected, 0) AS records
FROM (
    SELECT *, row_number() OVER (PARTITION BY log_file ORDER BY ingest_time DESC) AS attempt
    FROM log_files
)
WHERE attempt = 1 AND (outcome IN ('rejected', 'unfetched', 'archived', 'unreadable') OR rejected > 0)
