-- Long-term access keys created, activated, deactivated and deleted
-- grain: one row per change that succeeded
SELECT
    event_time,
    CASE
        WHEN event_name = 'CreateAccessKey' THEN 'created'
        WHEN event_name = 'DeleteAccessKey' THEN 'deleted'
        WHEN json_extract_scalar(request_parameters, '$.status') = 'Active' THEN 'activated'
        ELSE 'deactivated'
    END AS change,
    coalesce(issued_access_key_id, json_extract_scalar(request_parameters, '$.accessKeyId')) AS changed_access_key_id,
    coalesce(
        json_extract_scalar(response_elements, '$.accessKey.userName'),
        json_extract_scalar(request_parameters, '$.userName'),
        user_identity_user_name
    ) AS changed_user_name,
    access_key_id,
    user_identity_type,
    user_identity_arn,
    source_ip_address,
    user_agent,
    account_id,
    event_id,
    event_date
FROM first_records
WHERE
    event_source = 'iam.amazonaws.com'
    AND event_name IN ('CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey')
    AND error_code IS NULL
