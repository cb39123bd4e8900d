-- Roles that assume themselves
-- when: A session is renewed again and again (role juggling), or a role depends on assuming itself, which its trust policy must allow.
-- group: access
-- grain: one row per role that was assumed from one of its own sessions
-- details: last_session, user_agents
SELECT
    session_issuer_arn AS role_arn,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count_texts(user_identity_arn) AS sessions,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(source_ip_address) AS source_ip_addresses,
    count_texts(user_agent) AS user_agents,
    last_value(user_identity_arn ORDER BY event_time, event_id) AS last_session
FROM first_records
WHERE event_source = 'sts.amazonaws.com'
    AND event_name = 'AssumeRole'
    AND user_identity_type = 'AssumedRole'
    AND json_get_str(request_parameters, 'roleArn') = session_issuer_arn
GROUP BY session_issuer_arn
ORDER BY events DESC, role_arn
