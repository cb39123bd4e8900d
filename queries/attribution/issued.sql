-- Keys that calls issued, by whom and from where; without the caller's key those of users, and those of roles whose trust was changed
-- grain: one row per event
SELECT
    access_key_id,
    issued_access_key_id,
    issued_principal,
    operation,
    user_identity_type,
    user_identity_account_id,
    user_identity_arn,
    user_identity_principal_id,
    user_identity_user_name,
    user_identity_invoked_by,
    user_identity_identity_provider,
    session_issuer_arn,
    session_creation_time,
    in_scope_of_credentials_issued_to,
    source_ip_address,
    user_agent,
    event_id,
    event_time
FROM first_records
WHERE
    issued_access_key_id IS NOT NULL
    AND (
        access_key_id IS NOT NULL
        OR issued_access_key_id LIKE 'AKIA%'
        OR split_part(issued_principal, '/', 2) IN (
            SELECT json_get_str(request_parameters, 'roleName')
            FROM first_records
            WHERE operation IN ('CreateRole', 'UpdateAssumeRolePolicy') AND error_code IS NULL
        )
    )
ORDER BY event_time, event_id
