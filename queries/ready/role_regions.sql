-- The regions in which sessions of roles call
-- grain: one row per role and region
SELECT DISTINCT session_issuer_arn, aws_region
FROM events
WHERE session_issuer_arn IS NOT NULL AND aws_region IS NOT NULL
