-- The state of keys besides their use: quarantine, sessions that may still be valid, presigned URLs
-- grain: one row per call that attaches or detaches a quarantine policy; per key, kind of session and end of the session; per key
--   whose calls such a policy refused; per key whose URLs were used
-- parameter: sessions_since time: no session is older
-- parameter: urls_since time: no presigned URL is older
SELECT
    mark,
    access_key_id,
    account_id,
    user_name,
    detail,
    count(*) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    first_value(event_id ORDER BY event_time, event_id) AS event_id
FROM (
    SELECT
        event_id,
        event_time,
        mark,
        access_key_id,
        account_id,
        CASE WHEN mark IN ('attached', 'detached') THEN json_get_str(request_parameters, 'userName') END AS user_name,
        CASE
            WHEN event_name IN ('PutUserPolicy', 'DeleteUserPolicy') THEN json_get_str(request_parameters, 'policyName')
            WHEN mark IN ('attached', 'detached') THEN split_part(json_get_str(request_parameters, 'policyArn'), ':policy/', 2)
            WHEN mark = 'session'
                THEN concat(event_name, ' ', coalesce(json_get_str(response_elements, 'credentials', 'expiration'), ''))
        END AS detail,
        CASE WHEN mark IN ('attached', 'detached') THEN event_id END AS each
    FROM (
        SELECT
            event_id,
            event_time,
            event_name,
            access_key_id,
            account_id,
            request_parameters,
            response_elements,
            CASE
                WHEN event_name IN ('AttachUserPolicy', 'PutUserPolicy') AND error_code IS NULL THEN 'attached'
                WHEN event_name IN ('DetachUserPolicy', 'DeleteUserPolicy') AND error_code IS NULL THEN 'detached'
                WHEN error_message LIKE '%AWSCompromisedKeyQuarantine%' THEN 'refused'
                WHEN issued_access_key_id IS NOT NULL THEN 'session'
                ELSE 'url'
            END AS mark
        FROM first_records
        WHERE
            (
                event_source = 'iam.amazonaws.com'
                AND event_name IN ('AttachUserPolicy', 'DetachUserPolicy')
                AND error_code IS NULL
                AND json_get_str(request_parameters, 'policyArn') LIKE '%:policy/AWSCompromisedKeyQuarantine%'
            )
            -- The inline policy of before, which only denies.
            OR (
                event_source = 'iam.amazonaws.com'
                AND event_name IN ('PutUserPolicy', 'DeleteUserPolicy')
                AND error_code IS NULL
                AND json_get_str(request_parameters, 'policyName') = 'AWSExposedCredentialPolicy_DO_NOT_REMOVE'
                AND strpos(request_parameters, 'Allow') = 0
            )
            OR (
                access_key_id LIKE 'AKIA%'
                AND error_code IS NOT NULL
                AND error_message LIKE '%AWSCompromisedKeyQuarantine%'
            )
            OR (access_key_id LIKE 'AKIA%' AND issued_access_key_id LIKE 'ASIA%')
            OR (
                access_key_id LIKE 'AKIA%'
                AND event_source = 's3.amazonaws.com'
                AND json_get_str(additional_event_data, 'AuthenticationMethod') = 'QueryString'
            )
    )
    -- Conditions of their own: the moment is known only after other questions were asked.
    WHERE (mark <> 'session' OR event_time >= $sessions_since) AND (mark <> 'url' OR event_time >= $urls_since)
)
GROUP BY mark, access_key_id, account_id, user_name, detail, each
