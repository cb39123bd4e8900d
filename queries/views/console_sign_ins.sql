-- Console sign-ins
-- grain: one row per attempt
SELECT
    event_time,
    coalesce(json_extract_scalar(response_elements, '$.ConsoleLogin') = 'Success', false) AS succeeded,
    user_identity_type,
    user_identity_user_name,
    user_identity_arn,
    json_extract_scalar(additional_event_data, '$.MFAUsed') AS mfa_used,
    source_ip_address,
    user_agent,
    error_message,
    json_extract_scalar(additional_event_data, '$.LoginTo') AS login_to,
    json_extract_scalar(additional_event_data, '$.MobileVersion') AS mobile_version,
    account_id,
    aws_region,
    event_id,
    event_date
FROM first_records
WHERE event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'
