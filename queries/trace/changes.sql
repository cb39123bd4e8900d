-- Successful calls that create, change or remove what a credential can belong to or run in: users, roles, functions, instances …,
-- and calls that opened a session but whose response shows no key
-- grain: one row per event
-- parameter: operations text: a list of calls
-- parameter: session_calls text: a list of calls that open sessions
SELECT
    event_id,
    event_time,
    event_source,
    event_name,
    operation,
    aws_region,
    account_id,
    access_key_id,
    user_identity_arn,
    user_identity_user_name,
    source_ip_address,
    user_agent,
    via_service,
    read_only,
    event_category,
    request_parameters,
    response_elements,
    additional_event_data,
    request_id,
    log_file,
    log_file_record
FROM first_records
WHERE
    error_code IS NULL
    AND (
        array_has($operations, operation)
        OR (issued_access_key_id IS NULL AND array_has($session_calls, operation))
    )
ORDER BY event_time, event_id
