-- Denied calls, by caller
-- when: You look for callers that probe what they may do, or for missing permissions.
-- group: access
-- grain: one row per caller, API call and error code for missing permissions
-- parameter: at_least integer = 1: only rows with at least this many denied calls
-- details: access_keys, first_seen, error_message
SELECT
    coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_invoked_by) AS caller,
    event_source,
    event_name,
    error_code,
    count(*) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(source_ip_address) AS source_ip_addresses,
    count_texts(access_key_id) AS access_keys,
    last_value(error_message ORDER BY event_time, event_id) AS error_message
FROM calls
WHERE error_code LIKE '%AccessDenied%'
    OR error_code LIKE '%Unauthorized%'
    OR error_code LIKE '%NotAuthorized%'
    OR error_code IN ('AuthorizationError', 'AuthorizationErrorException', 'Forbidden', 'ForbiddenException', '403')
GROUP BY caller, event_source, event_name, error_code
HAVING count(*) >= $at_least
ORDER BY events DESC, caller, event_source, event_name, error_code
