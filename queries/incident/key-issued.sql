-- Roles that a key assumed, and keys that it issued
-- when: A key is blocked, but sessions and keys created with it may still be valid.
-- group: incident
-- grain: one row per call that issues credentials, including failed calls; for the keys that those keys issued, run this again with them
-- parameter: access_key_id text: the key
-- details: duration_seconds, source_ip_address, first_used, account_id, user_agent
WITH issued AS (
    SELECT
        event_time,
        event_id,
        event_name,
        account_id,
        coalesce(
            json_get_str(request_parameters, 'roleArn'),
            json_get_str(request_parameters, 'targetPrincipal'),
            json_get_str(request_parameters, 'userName'),
            json_get_str(request_parameters, 'name')
        ) AS requested,
        json_get_int(request_parameters, 'durationSeconds') AS duration_seconds,
        issued_access_key_id,
        issued_principal,
        error_code,
        source_ip_address,
        user_agent
    FROM first_records
    WHERE access_key_id = $access_key_id
        AND (
            issued_access_key_id IS NOT NULL
            OR event_name IN (
                'AssumeRole', 'AssumeRoot', 'GetSessionToken', 'GetFederationToken', 'CreateAccessKey', 'CreateSession',
                'GetSigninToken', 'CreateServiceSpecificCredential'
            )
        )
),
used AS (
    SELECT access_key_id, count(*) AS events, min(event_time) AS first_used, max(event_time) AS last_used
    FROM first_records
    WHERE access_key_id IN (SELECT issued_access_key_id FROM issued)
    GROUP BY access_key_id
)
SELECT
    issued.event_time,
    issued.event_name,
    coalesce(issued.requested, issued.issued_principal) AS requested,
    issued.error_code,
    issued.issued_access_key_id,
    issued.issued_principal,
    coalesce(used.events, 0) AS events,
    used.last_used,
    used.first_used,
    issued.duration_seconds,
    issued.source_ip_address,
    issued.account_id,
    issued.user_agent
FROM issued
LEFT JOIN used ON issued.issued_access_key_id = used.access_key_id
ORDER BY issued.event_time, issued.event_id
