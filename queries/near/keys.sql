-- The access keys in the logs that begin like the one asked for
-- grain: one row per access key
-- parameter: begin text: their common beginning, e.g. AKIA
SELECT access_key_id AS name, max(user_identity_user_name) AS who
FROM events
WHERE starts_with(access_key_id, $begin)
GROUP BY access_key_id
