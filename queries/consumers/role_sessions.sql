-- What sessions of roles do, to find consumers of a key that now use a role
-- grain: one row per role, address, user agent, API call and resource; events, first_seen and last_seen are those since the moment,
--   begins is the first of all, events_before counts those before the moment
-- parameter: since time: from when on
SELECT
    session_issuer_arn,
    source_ip_address,
    user_agent,
    event_source,
    operation,
    used_resource(event_source, request_parameters, resources) AS resource,
    max(user_identity_arn) AS user_identity_arn,
    max(account_id) AS account_id,
    min(event_time) AS begins,
    count(*) FILTER (WHERE event_time < $since) AS events_before,
    count(*) FILTER (WHERE event_time >= $since) AS events,
    min(event_time) FILTER (WHERE event_time >= $since) AS first_seen,
    max(event_time) FILTER (WHERE event_time >= $since) AS last_seen
FROM first_records
WHERE user_identity_type = 'AssumedRole'
    AND session_issuer_arn IS NOT NULL
    AND via_service IS NULL
    -- A role whose calls are denied has taken over nothing.
    AND error_code IS NULL
GROUP BY session_issuer_arn, source_ip_address, user_agent, event_source, operation, resource
