-- Trust changes: roles, identity providers, certificate authorities
-- when: You look for access granted to another account, repository, identity provider or certificate.
-- group: identity
-- grain: one row per call that creates or changes a role's trust policy or an identity provider; includes failed calls
-- details: account_id, access_key_id, user_agent, event_id
SELECT
    event_time,
    event_source,
    event_name,
    coalesce(
        json_get_str(request_parameters, 'roleName'),
        json_get_str(request_parameters, 'url'),
        json_get_str(request_parameters, 'openIDConnectProviderArn'),
        json_get_str(request_parameters, 'sAMLProviderArn'),
        json_get_str(request_parameters, 'trustAnchorId'),
        json_get_str(request_parameters, 'name'),
        json_get_str(response_elements, 'sAMLProviderArn')
    ) AS target,
    error_code,
    coalesce(user_identity_arn, user_identity_invoked_by) AS changed_by,
    source_ip_address,
    coalesce(
        json_get_str(request_parameters, 'assumeRolePolicyDocument'),
        json_get_str(request_parameters, 'policyDocument'),
        json_get_json(request_parameters, 'clientIDList')
    ) AS trust,
    account_id,
    access_key_id,
    user_agent,
    event_id
FROM first_records
WHERE (
        event_source = 'iam.amazonaws.com'
        AND event_name IN (
            'CreateRole', 'UpdateAssumeRolePolicy', 'CreateSAMLProvider', 'UpdateSAMLProvider', 'DeleteSAMLProvider',
            'CreateOpenIDConnectProvider', 'UpdateOpenIDConnectProviderThumbprint', 'AddClientIDToOpenIDConnectProvider',
            'RemoveClientIDFromOpenIDConnectProvider', 'DeleteOpenIDConnectProvider'
        )
    )
    OR (
        event_source = 'rolesanywhere.amazonaws.com'
        AND event_name IN (
            'CreateTrustAnchor', 'UpdateTrustAnchor', 'EnableTrustAnchor', 'DisableTrustAnchor', 'DeleteTrustAnchor', 'CreateProfile', 'UpdateProfile',
            'ImportCrl'
        )
    )
ORDER BY event_time, event_id
