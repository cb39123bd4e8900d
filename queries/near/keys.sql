-- The access keys of the log that begin like the one asked for
-- grain: one row per access key
-- parameter: begin text: what all of them begin with, e.g. AKIA
SELECT access_key_id AS name, max(user_identity_user_name) AS who
FROM events
WHERE starts_with(access_key_id, $begin)
GROUP BY access_key_id
