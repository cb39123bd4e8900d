-- S3 objects read, written and deleted, with bytes
-- grain: one row per data event of S3
SELECT
    event_time,
    event_name,
    json_extract_scalar(request_parameters, '$.bucketName') AS bucket_name,
    json_extract_scalar(request_parameters, '$.key') AS object_key,
    CAST(TRY_CAST(json_extract_scalar(additional_event_data, '$.bytesTransferredOut') AS DOUBLE) AS BIGINT) AS bytes_out,
    CAST(TRY_CAST(json_extract_scalar(additional_event_data, '$.bytesTransferredIn') AS DOUBLE) AS BIGINT) AS bytes_in,
    error_code,
    read_only,
    access_key_id,
    user_identity_type,
    user_identity_arn,
    user_identity_account_id,
    source_ip_address,
    user_agent,
    vpc_endpoint_id,
    account_id,
    aws_region,
    event_id,
    event_date
FROM calls
WHERE event_source = 's3.amazonaws.com' AND event_category = 'Data'
