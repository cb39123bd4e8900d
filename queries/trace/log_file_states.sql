-- Results of comparing log files with digest files during ingest
-- grain: one row per log file and attempt that compared it
-- parameter: log_files text: a list of values
SELECT log_file, integrity
FROM log_files
WHERE array_has($log_files, log_file) AND integrity IS NOT NULL
ORDER BY log_file, ingest_time
