-- Whose key it is, and where it was used
-- when: All you have is a key id, from a leak report or an alert.
-- group: keys
-- grain: one row per identity that used the key (normally one); a key that was created but not used has a row, too
-- parameter: access_key_id text: the key
-- details: decoded_account_id, created_by, aws_regions, recipient_accounts
WITH used AS (
    SELECT
        access_key_id,
        user_identity_type,
        user_identity_user_name,
        user_identity_arn,
        user_identity_account_id,
        max(session_issuer_arn) AS session_issuer_arn,
        count(*) AS events,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        array_agg(DISTINCT account_id ORDER BY account_id) FILTER (WHERE account_id IS NOT NULL) AS recipient_accounts,
        array_agg(DISTINCT aws_region ORDER BY aws_region) FILTER (WHERE aws_region IS NOT NULL) AS aws_regions
    FROM first_records
    WHERE access_key_id = $access_key_id
    GROUP BY access_key_id, user_identity_type, user_identity_user_name, user_identity_arn, user_identity_account_id
),
created AS (
    SELECT
        issued_access_key_id,
        min(event_time) AS created_at,
        min(coalesce(user_identity_arn, user_identity_invoked_by)) AS created_by,
        min(issued_principal) AS issued_principal,
        min(account_id) AS account_id
    FROM first_records
    WHERE issued_access_key_id = $access_key_id
    GROUP BY issued_access_key_id
)
SELECT
    coalesce(access_key_id, issued_access_key_id) AS access_key_id,
    key_type(coalesce(access_key_id, issued_access_key_id)) AS key_type,
    coalesce(user_identity_user_name, issued_principal) AS user_identity_user_name,
    coalesce(user_identity_account_id, created.account_id) AS account_id,
    coalesce(events, 0) AS events,
    first_seen,
    last_seen,
    created_at,
    user_identity_type,
    user_identity_arn,
    session_issuer_arn,
    recipient_accounts,
    aws_regions,
    created_by,
    decoded_account_id(coalesce(access_key_id, issued_access_key_id)) AS decoded_account_id
FROM used
FULL OUTER JOIN created ON used.access_key_id = created.issued_access_key_id
ORDER BY events DESC, user_identity_arn
