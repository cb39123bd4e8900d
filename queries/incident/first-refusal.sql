-- The first denied call of a key
-- when: You look for the time when someone began to try what the key is not allowed to do.
-- group: incident
-- grain: one row per long-term key, or the one asked for, with at least one denied call
-- parameter: access_key_id text = null: only this key, which may be a temporary one
-- details: user_identity_arn, error_message, user_agent
WITH refused AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY access_key_id ORDER BY event_time, event_id) AS place,
        count(*) OVER (PARTITION BY access_key_id) AS events,
        max(event_time) OVER (PARTITION BY access_key_id) AS last_refused
    FROM (
        SELECT
            access_key_id,
            user_identity_user_name,
            user_identity_arn,
            event_time,
            event_id,
            event_source,
            event_name,
            error_code,
            error_message,
            source_ip_address,
            user_agent
        FROM first_records
        WHERE (
                error_code LIKE '%AccessDenied%'
                OR error_code LIKE '%Unauthorized%'
                OR error_code LIKE '%NotAuthorized%'
                OR error_code IN ('AuthorizationError', 'AuthorizationErrorException', 'Forbidden', 'ForbiddenException', '403')
            )
            AND (
                ($access_key_id IS NULL AND key_type(access_key_id) = 'long-term')
                OR access_key_id = $access_key_id
            )
    )
)
SELECT
    access_key_id,
    user_identity_user_name,
    event_time AS first_refused,
    event_source,
    event_name,
    error_code,
    source_ip_address,
    events,
    last_refused,
    user_agent,
    error_message,
    user_identity_arn
FROM refused
WHERE place = 1
ORDER BY first_refused, access_key_id
