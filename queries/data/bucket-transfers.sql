-- Bytes read from and written to buckets
-- when: You look for a large copy, or want to know how much of a bucket was taken.
-- group: data
-- grain: one row per bucket, caller (role, user or service) and address; only where the trail records data events of S3
-- parameter: bucket text = null: only this bucket
-- details: errors, first_seen, bytes_in
SELECT
    bucket,
    caller,
    source_ip_address,
    sum(bytes_out) AS bytes_out,
    count(*) FILTER (WHERE event_name = 'GetObject' AND error_code IS NULL) AS objects_read,
    sum(bytes_in) AS bytes_in,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM (
    SELECT
        json_get_str(request_parameters, 'bucketName') AS bucket,
        coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_invoked_by) AS caller,
        source_ip_address,
        event_name,
        error_code,
        event_time,
        CASE WHEN error_code IS NULL THEN CAST(json_get_float(additional_event_data, 'bytesTransferredOut') AS BIGINT) END AS bytes_out,
        CASE WHEN error_code IS NULL THEN CAST(json_get_float(additional_event_data, 'bytesTransferredIn') AS BIGINT) END AS bytes_in
    FROM calls
    WHERE event_source = 's3.amazonaws.com' AND event_category = 'Data'
)
WHERE $bucket IS NULL OR bucket = $bucket
GROUP BY bucket, caller, source_ip_address
ORDER BY bytes_out DESC NULLS LAST, bucket, caller, source_ip_address
