-- The end of the log: its last event that is not dated later than its log file, so that a wrong clock does not move the end
-- grain: one row
SELECT
    max(last_event_time) FILTER (WHERE log_date IS NULL OR CAST(last_event_time AS DATE) <= log_date + 1) AS last_event,
    max(last_event_time) AS latest
FROM log_files
WHERE outcome = 'stored'
