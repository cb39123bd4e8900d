-- The most frequent calls of each caller
-- when: You want to see at a glance what each caller usually does.
-- group: baseline
-- grain: one row per caller (role, user or service) and API call, only the most frequent calls of each caller
-- parameter: top integer = 5: calls per caller
-- details: first_seen, errors
SELECT caller, place, event_source, event_name, events, errors, first_seen, last_seen
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY caller ORDER BY events DESC, event_source, event_name) AS place
    FROM (
        SELECT
            coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_user_name, user_identity_invoked_by) AS caller,
            event_source,
            event_name,
            count(*) AS events,
            count(*) FILTER (WHERE failed(error_code)) AS errors,
            min(event_time) AS first_seen,
            max(event_time) AS last_seen
        FROM calls
        GROUP BY caller, event_source, event_name
    )
)
WHERE place <= $top
ORDER BY caller, place
