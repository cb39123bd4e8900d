-- Sessions: what was done with each temporary access key
-- grain: one row per temporary access key
SELECT
    access_key_id,
    max(user_identity_type) AS user_identity_type,
    max(user_identity_arn) AS user_identity_arn,
    max(session_issuer_arn) AS session_issuer_arn,
    max(user_identity_account_id) AS user_identity_account_id,
    min(session_creation_time) AS session_creation_time,
    bool_or(session_mfa_authenticated) AS session_mfa_authenticated,
    max(session_source_identity) AS session_source_identity,
    max(session_ec2_role_delivery) AS session_ec2_role_delivery,
    coalesce(bool_or(session_credential_from_console), false) AS session_credential_from_console,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(DISTINCT source_ip_address) AS source_ip_addresses,
    count(DISTINCT user_agent) AS user_agents,
    count(DISTINCT aws_region) AS regions
FROM first_records
WHERE access_key_id LIKE 'ASIA%'
GROUP BY access_key_id
