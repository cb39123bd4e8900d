-- Access keys as they were issued: by whom, from where, for whom
-- grain: one row per call that issued a key; where the accounts of the caller and of the role both have it, the caller's
SELECT * EXCEPT (record_of_call)
FROM (
    SELECT
        event_time,
        issued_access_key_id,
        key_type(issued_access_key_id) AS issued_key_type,
        issued_principal,
        event_name,
        access_key_id,
        user_identity_type,
        user_identity_arn,
        user_identity_invoked_by,
        source_ip_address,
        user_agent,
        json_extract_scalar(request_parameters, '$.roleArn') AS role_arn,
        json_extract_scalar(request_parameters, '$.roleSessionName') AS role_session_name,
        TRY_CAST(json_extract_scalar(request_parameters, '$.durationSeconds') AS BIGINT) AS duration_seconds,
        shared_event_id,
        account_id,
        aws_region,
        event_id,
        event_date,
        row_number() OVER (
            PARTITION BY coalesce(shared_event_id, event_id)
            ORDER BY user_identity_account_id IS DISTINCT FROM recipient_account_id, event_id
        ) AS record_of_call
    FROM first_records
    WHERE issued_access_key_id IS NOT NULL
)
WHERE record_of_call = 1
