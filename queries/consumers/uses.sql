-- The distinct uses of access keys, from which consumers are derived
-- grain: one row per distinct combination of the grouped columns
-- parameter: first_key text: the smallest id asked for, to prune
-- parameter: last_key text: the largest id asked for, to prune
-- parameter: keys text: ids separated by commas, or empty for all between the bounds
SELECT
    access_key_id,
    source_ip_address,
    user_agent,
    vpc_endpoint_id,
    event_source,
    operation,
    aws_region,
    error_code,
    via_service,
    read_only,
    event_date,
    used_resource(event_source, request_parameters, resources) AS resource,
    CASE WHEN event_source = 'sts.amazonaws.com' THEN session_name(request_parameters) END AS session_name,
    max(user_identity_user_name) AS user_identity_user_name,
    max(user_identity_arn) AS user_identity_arn,
    max(user_identity_account_id) AS user_identity_account_id,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    bit_or(CAST(1 AS BIGINT) << CAST(date_part('hour', event_time) AS BIGINT)) AS hours,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE access_key_id >= $first_key
    AND access_key_id <= $last_key
    AND ($keys = '' OR strpos($keys, access_key_id) > 0)
GROUP BY
    access_key_id,
    source_ip_address,
    user_agent,
    vpc_endpoint_id,
    event_source,
    operation,
    aws_region,
    error_code,
    via_service,
    read_only,
    event_date,
    resource,
    session_name
