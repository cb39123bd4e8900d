-- What sessions were used for, and since when
-- grain: one row per principal, address, program and call
-- parameter: access_key_ids text: a list of keys
SELECT
    user_identity_arn AS principal,
    source_ip_address,
    user_agent,
    event_source,
    operation,
    min(event_time) AS first_seen
FROM first_records
WHERE
    array_has($access_key_ids, access_key_id)
    AND user_identity_arn IS NOT NULL
    AND via_service IS NULL
GROUP BY user_identity_arn, source_ip_address, user_agent, event_source, operation
