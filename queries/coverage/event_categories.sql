-- Which kinds of events the logs have; for a service without data events, reads and writes of its objects are not logged
-- grain: one row per event category, and per service for data events
SELECT
    event_category,
    data_event_service,
    count(DISTINCT log_file) AS log_files
FROM (
    SELECT log_file, event_category, unnest(CASE WHEN event_category = 'Data' THEN data_event_services ELSE [NULL] END) AS data_event_service
    FROM (SELECT log_file, unnest(event_categories) AS event_category, data_event_services FROM log_files WHERE outcome = 'stored')
)
GROUP BY event_category, data_event_service
ORDER BY event_category, data_event_service
