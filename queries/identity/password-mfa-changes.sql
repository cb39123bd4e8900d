-- Changes of passwords and MFA devices
-- when: You want to know who set, changed or removed a password or an MFA device, and for whom.
-- group: identity
-- grain: one row per such call; includes failed calls
-- parameter: user_name text = null: only changes for this user
-- details: account_id, access_key_id, user_agent
SELECT
    event_time,
    event_name,
    user_name,
    error_code,
    changed_by,
    mfa_device,
    source_ip_address,
    account_id,
    access_key_id,
    user_agent
FROM (
    SELECT
        *,
        -- A change without a user name is for the caller.
        coalesce(json_get_str(request_parameters, 'userName'), user_identity_user_name) AS user_name,
        coalesce(user_identity_arn, user_identity_invoked_by) AS changed_by,
        coalesce(
            json_get_str(request_parameters, 'serialNumber'),
            json_get_str(response_elements, 'virtualMFADevice', 'serialNumber'),
            json_get_str(request_parameters, 'virtualMFADeviceName')
        ) AS mfa_device
    FROM first_records
    WHERE (
            event_source = 'iam.amazonaws.com'
            AND event_name IN (
                'CreateLoginProfile', 'UpdateLoginProfile', 'DeleteLoginProfile', 'ChangePassword', 'UpdateAccountPasswordPolicy',
                'DeleteAccountPasswordPolicy', 'CreateVirtualMFADevice', 'EnableMFADevice', 'DeactivateMFADevice', 'DeleteVirtualMFADevice',
                'ResyncMFADevice'
            )
        )
        OR (
            event_source = 'signin.amazonaws.com'
            AND event_name IN ('PasswordRecoveryRequested', 'PasswordRecoveryCompleted', 'PasswordUpdated')
        )
        OR (
            event_source IN ('sso-directory.amazonaws.com', 'sso.amazonaws.com', 'ds.amazonaws.com')
            AND event_name IN (
                'UpdatePassword', 'ResetUserPassword', 'DeleteMfaDeviceForUser', 'StartVirtualMfaDeviceRegistration',
                'CompleteVirtualMfaDeviceRegistration', 'StartWebAuthnDeviceRegistration', 'CompleteWebAuthnDeviceRegistration'
            )
        )
)
WHERE $user_name IS NULL OR user_name = $user_name
ORDER BY event_time, event_id
