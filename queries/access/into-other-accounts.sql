-- Calls into other accounts
-- when: You want to know whether your identities reached into another account, through a role there or its resources.
-- group: access
-- grain: one row per caller, called account, API call, and role if one was assumed; includes failed calls
-- parameter: access_key_id text = null: only by this key
-- details: first_seen, access_keys
SELECT
    caller,
    user_identity_account_id AS caller_account_id,
    target_account_id,
    event_source,
    event_name,
    role_arn,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(DISTINCT access_key_id) AS access_keys
FROM (
    SELECT
        coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id) AS caller,
        user_identity_account_id,
        event_source,
        event_name,
        json_get_str(request_parameters, 'roleArn') AS role_arn,
        coalesce(
            -- An ARN names its account in the fifth place.
            nullif(split_part(json_get_str(request_parameters, 'roleArn'), ':', 5), ''),
            json_get_str(resources, 0, 'accountId'),
            json_get_str(resources, 1, 'accountId')
        ) AS target_account_id,
        event_time,
        error_code,
        access_key_id
    FROM first_records
    WHERE account_id = user_identity_account_id
        AND user_identity_type <> 'AWSService'
        AND ($access_key_id IS NULL OR access_key_id = $access_key_id)
)
WHERE target_account_id <> user_identity_account_id
GROUP BY caller, user_identity_account_id, target_account_id, event_source, event_name, role_arn
ORDER BY caller, target_account_id, events DESC, event_source, event_name, role_arn
