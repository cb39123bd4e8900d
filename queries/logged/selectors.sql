-- Calls that set which events a trail logs, and whether it logs at all
-- grain: one row per call that succeeded
SELECT event_time, event_name, account_id, aws_region, request_parameters
FROM first_records
WHERE event_source = 'cloudtrail.amazonaws.com'
    AND event_name IN ('CreateTrail', 'DeleteTrail', 'PutEventSelectors', 'StartLogging', 'StopLogging', 'UpdateTrail')
    AND error_code IS NULL
