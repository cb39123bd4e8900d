-- Successful calls that let somebody in: users, passwords, roles that others may assume, code and machines that run with rights;
-- and those that shut such a way
-- grain: one row per event
SELECT
    event_id,
    event_time,
    event_source,
    operation,
    account_id,
    access_key_id,
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
    request_parameters,
    response_elements,
    additional_event_data
FROM first_records
WHERE
    error_code IS NULL
    AND error_message IS NULL
    AND operation IN (
        'CreateUser', 'DeleteUser', 'CreateLoginProfile', 'UpdateLoginProfile', 'DeleteLoginProfile',
        'CreateRole', 'UpdateAssumeRolePolicy', 'DeleteRole',
        'CreateFunction', 'UpdateFunctionCode', 'UpdateFunctionConfiguration', 'DeleteFunction',
        'RunInstances', 'RunTask', 'StartTask', 'SwitchRole',
        'ExecuteCommand', 'SendCommand', 'StartAutomationExecution', 'CreateAssociation', 'UpdateAssociation',
        'StartSession', 'SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey',
        'CreateStack', 'UpdateStack', 'CreateChangeSet', 'ExecuteChangeSet'
    )
ORDER BY event_time, event_id
