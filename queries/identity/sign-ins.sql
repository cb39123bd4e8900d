-- Console sign-ins, by user and address
-- when: You want to know who works in the console, from where, with or without MFA, and who guesses passwords.
-- group: identity
-- grain: one row per account, user, address, MFA or not, and outcome; CloudTrail hides names that do not exist
-- details: account_id, first_seen, user_agents
SELECT
    account_id,
    coalesce(user_identity_arn, user_identity_user_name) AS user_identity_arn,
    source_ip_address,
    CASE
        WHEN json_get_str(response_elements, 'ConsoleLogin') = 'Success' AND error_code IS NULL THEN 'succeeded'
        ELSE 'failed'
    END AS outcome,
    json_get_str(additional_event_data, 'MFAUsed') AS mfa_used,
    count(*) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(user_agent) AS user_agents
FROM first_records
WHERE event_source = 'signin.amazonaws.com' AND event_name = 'ConsoleLogin'
GROUP BY account_id, coalesce(user_identity_arn, user_identity_user_name), source_ip_address, outcome, mfa_used
ORDER BY account_id, user_identity_arn, first_seen, source_ip_address, outcome, mfa_used
