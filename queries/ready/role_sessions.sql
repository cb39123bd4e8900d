-- Sessions of roles that a long-term key assumed, and that no call in the log opened: those used from where the key assumed them, and all
-- of a role that nobody else is seen to assume
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
-- The account of the role and that of the caller may both have the call, and only the caller's names the key.
openings AS (
    SELECT
        issued_access_key_id,
        split_part(issued_principal, '/', 1) AS account_role,
        split_part(issued_principal, '/', 2) AS role,
        coalesce(max(access_key_id), max(user_identity_invoked_by), max(user_identity_type), '') AS opener
    FROM events
    WHERE issued_access_key_id LIKE 'ASIA%' AND issued_principal LIKE '%:assumed-role/%'
    GROUP BY issued_access_key_id, account_role, role
),
openers AS (
    SELECT account_role, role, min(opener) AS first_opener, max(opener) AS last_opener
    FROM openings
    GROUP BY account_role, role
),
issued AS (
    SELECT DISTINCT issued_access_key_id FROM events WHERE issued_access_key_id LIKE 'ASIA%'
),
unopened AS (
    SELECT used.account_role, used.role, used.source_ip_address, used.last_event
    FROM used
    LEFT JOIN issued ON issued.issued_access_key_id = used.session_key
    WHERE issued.issued_access_key_id IS NULL
)
SELECT access_key_id, role, max(last_event) AS last_event
FROM (
    SELECT opened.access_key_id, unopened.role, unopened.last_event
    FROM unopened
    JOIN opened
        ON opened.role = unopened.role
        AND opened.account_role = unopened.account_role
        AND opened.source_ip_address = unopened.source_ip_address
    UNION ALL
    SELECT openers.first_opener AS access_key_id, unopened.role, unopened.last_event
    FROM unopened
    JOIN openers
        ON openers.role = unopened.role
        AND openers.account_role = unopened.account_role
    WHERE openers.first_opener = openers.last_opener AND openers.first_opener LIKE 'AKIA%'
)
GROUP BY access_key_id, role
