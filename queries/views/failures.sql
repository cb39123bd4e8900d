-- Failed calls and sign-ins
-- grain: one row per failed event
SELECT
    event_time,
    event_source,
    event_name,
    error_code,
    error_message,
    coalesce(
        error_code ILIKE '%denied%'
        OR error_code ILIKE '%unauthorized%'
        OR error_code IN ('Client.AuthFailure', 'AuthFailure', 'Forbidden', '403'),
        false
    ) AS denied,
    access_key_id,
    user_identity_type,
    user_identity_arn,
    source_ip_address,
    user_agent,
    request_parameters,
    account_id,
    aws_region,
    event_id,
    event_date
FROM calls
WHERE (error_code IS NOT NULL OR error_message IS NOT NULL)
    AND (error_code IS NULL OR failed(error_code))
