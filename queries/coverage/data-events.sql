-- Data events in the logs: buckets, tables, functions
-- when: You need to know whether reads of a bucket would have been logged at all.
-- group: coverage
-- grain: one row per account, service and resource with data events
-- details: first_event, api_calls, errors
SELECT
    account_id,
    event_source,
    coalesce(
        json_get_str(request_parameters, 'bucketName'),
        json_get_str(request_parameters, 'tableName'),
        json_get_str(request_parameters, 'functionName'),
        json_get_str(request_parameters, 'queueUrl'),
        json_get_str(request_parameters, 'topicArn'),
        json_get_str(resources, 0, 'ARN'),
        json_get_str(resources, 0, 'arn')
    ) AS resource,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(*) FILTER (WHERE read_only) AS reads,
    count(*) FILTER (WHERE NOT read_only) AS writes,
    count_texts(event_name) AS api_calls,
    min(event_time) AS first_event,
    max(event_time) AS last_event
FROM calls
WHERE event_category = 'Data'
GROUP BY account_id, event_source, resource
ORDER BY account_id, event_source, events DESC, resource
