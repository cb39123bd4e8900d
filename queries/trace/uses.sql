-- Who used which credential from where, to follow the lineage
-- grain: one row per distinct combination of the grouped columns
SELECT
    access_key_id,
    user_identity_type,
    user_identity_arn,
    user_identity_principal_id,
    user_identity_account_id,
    user_identity_user_name,
    session_issuer_arn,
    session_creation_time,
    session_source_identity,
    session_sign_in_session_arn,
    in_scope_of_credentials_issued_to,
    web_id_federated_provider,
    session_credential_from_console,
    via_service,
    source_ip_address,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE user_identity_type IS DISTINCT FROM 'AWSService'
GROUP BY
    access_key_id,
    user_identity_type,
    user_identity_arn,
    user_identity_principal_id,
    user_identity_account_id,
    user_identity_user_name,
    session_issuer_arn,
    session_creation_time,
    session_source_identity,
    session_sign_in_session_arn,
    in_scope_of_credentials_issued_to,
    web_id_federated_provider,
    session_credential_from_console,
    via_service,
    source_ip_address
