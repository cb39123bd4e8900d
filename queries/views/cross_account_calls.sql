-- Calls from one account to resources of another
-- grain: one row per event; where both accounts are logged, a call has a row in each (shared_event_id)
SELECT
    event_time,
    CASE WHEN user_identity_account_id = account_id THEN 'outgoing' ELSE 'incoming' END AS direction,
    user_identity_account_id AS caller_account_id,
    coalesce(nullif(json_extract_scalar(resources, '$[0].accountId'), user_identity_account_id), account_id) AS owner_account_id,
    event_source,
    event_name,
    error_code,
    json_extract_scalar(resources, '$[0].ARN') AS resource_arn,
    access_key_id,
    user_identity_type,
    coalesce(user_identity_arn, user_identity_principal_id) AS caller,
    source_ip_address,
    user_agent,
    shared_event_id,
    account_id,
    aws_region,
    event_id,
    event_date
FROM events
WHERE
    user_identity_type <> 'AWSService'
    AND (
        user_identity_account_id <> account_id
        OR json_extract_scalar(resources, '$[0].accountId') <> user_identity_account_id
    )
