-- Who accessed these objects
-- when: You know which data leaked, was changed or is gone, and want to know who did it.
-- group: data
-- grain: one row per event on an object with this key prefix; only where the trail records data events of S3
-- parameter: bucket text: the bucket
-- parameter: key_prefix text = null: the beginning of the object's key
-- details: event_id, user_agent, version_id, bytes_in, bytes_out, via_service, access_key_id
SELECT
    event_time,
    json_get_str(request_parameters, 'key') AS key,
    event_name,
    error_code,
    coalesce(user_identity_arn, user_identity_principal_id, user_identity_invoked_by) AS caller,
    source_ip_address,
    access_key_id,
    via_service,
    CAST(json_get_float(additional_event_data, 'bytesTransferredOut') AS BIGINT) AS bytes_out,
    CAST(json_get_float(additional_event_data, 'bytesTransferredIn') AS BIGINT) AS bytes_in,
    json_get_str(request_parameters, 'versionId') AS version_id,
    user_agent,
    event_id
FROM calls
WHERE event_source = 's3.amazonaws.com'
    AND event_category = 'Data'
    AND json_get_str(request_parameters, 'bucketName') = $bucket
    AND ($key_prefix IS NULL OR starts_with(json_get_str(request_parameters, 'key'), $key_prefix))
ORDER BY event_time, event_id
