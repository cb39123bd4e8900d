-- Calls that issued an access key
-- grain: one row per event
SELECT
    event_id,
    event_time,
    event_name,
    account_id,
    access_key_id,
    user_identity_type,
    user_identity_account_id,
    user_identity_arn,
    user_identity_principal_id,
    user_identity_invoked_by,
    user_identity_identity_provider,
    session_issuer_arn,
    issued_access_key_id,
    issued_principal,
    request_id,
    source_ip_address,
    user_agent,
    via_service
FROM first_records
WHERE issued_access_key_id IS NOT NULL
ORDER BY event_time, event_id
