-- Log files per account, region and day
-- when: You want to know whether log files are missing: a day with far fewer than its neighbours may be a gap.
-- group: coverage
-- grain: one row per account, region and day (UTC) of delivery, by the folder of the log files; the days are not those of
--   --since and --until, which choose events
-- details: size_bytes, rejected_records, last_event
SELECT
    account_id,
    region,
    log_date,
    count(*) FILTER (WHERE outcome = 'stored') AS log_files,
    count(*) FILTER (WHERE outcome IN ('rejected', 'unfetched')) AS log_files_rejected,
    coalesce(sum(events), 0) AS events,
    coalesce(sum(rejected), 0) AS rejected_records,
    min(first_event_time) AS first_event,
    max(last_event_time) AS last_event,
    sum(size_bytes) AS size_bytes
FROM (
    SELECT *, row_number() OVER (PARTITION BY log_file ORDER BY ingest_time DESC) AS attempt
    FROM log_files
)
WHERE attempt = 1 AND outcome <> 'skipped'
GROUP BY account_id, region, log_date
ORDER BY account_id, region, log_date
