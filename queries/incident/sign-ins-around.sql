-- Sign-ins and credential reports around a time
-- when: You know when it happened and want to see who signed in, switched roles or listed credentials around that time.
-- group: incident
-- grain: one row per such call; includes failed calls
-- parameter: moment time: the middle of the window
-- parameter: hours integer = 12: how many hours before and after it
-- details: account_id, mfa_used, user_agent, error_message
SELECT
    event_time,
    event_name,
    coalesce(user_identity_arn, user_identity_user_name) AS user_identity_arn,
    user_identity_type,
    source_ip_address,
    CASE
        WHEN coalesce(
            json_get_str(response_elements, 'ConsoleLogin'),
            json_get_str(response_elements, 'SwitchRole'),
            json_get_str(response_elements, 'ExitRole')
        ) = 'Failure' OR error_code IS NOT NULL THEN 'failed'
        ELSE 'succeeded'
    END AS outcome,
    coalesce(error_message, error_code) AS error_message,
    json_get_str(additional_event_data, 'MFAUsed') AS mfa_used,
    account_id,
    user_agent
FROM first_records
WHERE event_time BETWEEN $moment - arrow_cast($hours * 3600000000, 'Duration(Microsecond)')
        AND $moment + arrow_cast($hours * 3600000000, 'Duration(Microsecond)')
    AND event_date BETWEEN CAST($moment - arrow_cast($hours * 3600000000, 'Duration(Microsecond)') AS DATE)
        AND CAST($moment + arrow_cast($hours * 3600000000, 'Duration(Microsecond)') AS DATE)
    AND (
        event_source = 'signin.amazonaws.com'
        OR (
            event_source = 'iam.amazonaws.com'
            AND event_name IN ('GenerateCredentialReport', 'GetCredentialReport', 'GetAccountAuthorizationDetails', 'GetAccountSummary')
        )
    )
ORDER BY event_time, event_id
