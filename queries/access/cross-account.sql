-- Calls from other accounts
-- when: You want to know which other accounts make calls in yours, and what for.
-- group: access
-- grain: one row per called account, caller's account and API call
-- details: callers, first_seen
SELECT
    account_id,
    user_identity_account_id AS caller_account_id,
    event_source,
    event_name,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(coalesce(user_identity_arn, user_identity_principal_id)) AS callers
FROM first_records
WHERE user_identity_account_id <> account_id AND user_identity_type <> 'AWSService'
GROUP BY account_id, user_identity_account_id, event_source, event_name
ORDER BY account_id, caller_account_id, events DESC, event_source, event_name
