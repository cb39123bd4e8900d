-- Sessions of roles that a long-term key assumed, used from where the key assumed them, and that no call in the log opened
-- grain: one row per long-term key and role
WITH opened AS (
    SELECT DISTINCT
        access_key_id,
        source_ip_address,
        split_part(issued_principal, '/', 1) AS account_role,
        split_part(issued_principal, '/', 2) AS role
    FROM events
    WHERE access_key_id LIKE 'AKIA%' AND issued_access_key_id LIKE 'ASIA%' AND issued_principal LIKE '%:assumed-role/%'
),
used AS (
    SELECT
        access_key_id AS session_key,
        source_ip_address,
        split_part(user_identity_arn, '/', 1) AS account_role,
        split_part(user_identity_arn, '/', 2) AS role,
        max(event_time) AS last_event
    FROM events
    WHERE access_key_id LIKE 'ASIA%' AND user_identity_arn LIKE '%:assumed-role/%' AND via_service IS NULL
    GROUP BY access_key_id, source_ip_address, user_identity_arn
),
issued AS (
    SELECT DISTINCT issued_access_key_id FROM events WHERE issued_access_key_id LIKE 'ASIA%'
)
SELECT
    opened.access_key_id,
    opened.role,
    max(used.last_event) AS last_event
FROM used
JOIN opened
    ON opened.role = used.role
    AND opened.account_role = used.account_role
    AND opened.source_ip_address = used.source_ip_address
LEFT JOIN issued ON issued.issued_access_key_id = used.session_key
WHERE issued.issued_access_key_id IS NULL
GROUP BY opened.access_key_id, opened.role
