-- The users of the log
-- grain: one row per user name
SELECT user_identity_user_name AS name, max(user_identity_account_id) AS who
FROM events
WHERE user_identity_user_name IS NOT NULL
GROUP BY user_identity_user_name
