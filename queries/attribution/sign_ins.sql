-- Where people signed in to the console
-- grain: one row per user and address
SELECT
    user_identity_account_id AS account_id,
    user_identity_user_name AS user_name,
    source_ip_address,
    min(event_time) AS first_seen,
    min(event_time) FILTER (WHERE json_get_str(additional_event_data, 'MFAUsed') = 'Yes') AS first_with_mfa
FROM first_records
WHERE
    operation = 'ConsoleLogin'
    AND error_message IS NULL
    AND user_identity_user_name IS NOT NULL
    AND source_ip_address IS NOT NULL
GROUP BY user_identity_account_id, user_identity_user_name, source_ip_address
