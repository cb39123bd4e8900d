-- The principals of the log
-- grain: one row per ARN of a user, a role or a session
SELECT name, CAST(NULL AS VARCHAR) AS who
FROM (
    SELECT user_identity_arn AS name FROM events
    UNION
    SELECT session_issuer_arn AS name FROM events
)
WHERE name IS NOT NULL
