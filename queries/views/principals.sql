-- Principals: users, roles and others that made calls
-- grain: one row per account, principal and kind of caller; the sessions of a role are one principal
SELECT
    user_identity_account_id AS account_id,
    coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_invoked_by) AS principal,
    user_identity_type,
    max(coalesce(session_issuer_user_name, user_identity_user_name)) AS user_name,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count(DISTINCT access_key_id) AS access_keys,
    count(DISTINCT source_ip_address) AS source_ip_addresses,
    count(DISTINCT event_source) AS event_sources,
    count(DISTINCT aws_region) AS regions
FROM calls
GROUP BY
    user_identity_account_id,
    coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_invoked_by),
    user_identity_type
