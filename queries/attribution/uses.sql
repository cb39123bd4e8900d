-- What keys were used for, as far as it distinguishes an owner from an intruder
-- grain: one row per distinct combination of the grouped columns
-- parameter: keys text: a list of temporary keys; long-term keys are always among the rows
SELECT
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    operation,
    aws_region,
    error_code,
    coalesce(
        event_source = 'iam.amazonaws.com'
        AND NOT coalesce(read_only, false)
        AND coalesce(
            json_get_str(request_parameters, 'userName'),
            -- Without the name of a user only these are about the caller: AWS documents their UserName as not required. Others, such as
            -- PutRolePolicy, have no user. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
            CASE
                WHEN operation IN (
                    'ChangePassword', 'CreateAccessKey', 'CreateLoginProfile', 'DeactivateMFADevice', 'DeleteAccessKey',
                    'DeleteLoginProfile', 'DeleteServiceSpecificCredential', 'DeleteSigningCertificate',
                    'ResetServiceSpecificCredential', 'UpdateAccessKey', 'UpdateServiceSpecificCredential',
                    'UpdateSigningCertificate', 'UploadSigningCertificate'
                ) THEN user_identity_user_name
            END
        ) = user_identity_user_name,
        false
    ) AS about_itself,
    coalesce(
        event_source = 'iam.amazonaws.com'
        AND user_agent LIKE 'aws-internal/%'
        AND (
            json_get_str(request_parameters, 'policyArn') LIKE '%:policy/AWSCompromisedKeyQuarantine%'
            OR (
                json_get_str(request_parameters, 'policyName') = 'AWSExposedCredentialPolicy_DO_NOT_REMOVE'
                AND strpos(request_parameters, 'Allow') = 0
            )
        ),
        false
    ) AS is_quarantine,
    max(user_identity_user_name) AS user_identity_user_name,
    max(user_identity_account_id) AS user_identity_account_id,
    max(user_identity_arn) AS user_identity_arn,
    max(session_ec2_role_delivery) AS session_ec2_role_delivery,
    first_value(event_id ORDER BY event_time, event_id) AS event_id,
    count(*) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE
    via_service IS NULL
    AND (access_key_id LIKE 'AKIA%' OR array_has($keys, access_key_id))
GROUP BY
    access_key_id,
    source_ip_address,
    user_agent,
    event_source,
    operation,
    aws_region,
    error_code,
    about_itself,
    is_quarantine
