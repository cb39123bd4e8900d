-- Who made one call
-- grain: one row per event
-- parameter: event_id text: the event
SELECT
    access_key_id,
    coalesce(user_identity_arn, user_identity_principal_id) AS principal,
    issued_access_key_id
FROM events
WHERE event_id = $event_id
