-- SHA-256 of log files at the time they were read
-- grain: one row per log file and attempt that read it
-- parameter: log_files text: a list of values
SELECT log_file, sha256
FROM log_files
WHERE array_has($log_files, log_file) AND sha256 IS NOT NULL
ORDER BY log_file, ingest_time
