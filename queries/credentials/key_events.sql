-- What the logs show about long-term keys: their use, and the calls that created, changed and deleted them, or renamed and deleted their users
-- grain: one row per key, user and change (a change is a successful call of CreateAccessKey, UpdateAccessKey, DeleteAccessKey,
--   UpdateUser or DeleteUser)
SELECT
    access_key_id,
    user_identity_type,
    user_identity_account_id,
    user_identity_user_name,
    change,
    changed_in,
    change_request,
    issued_access_key_id,
    issued_principal,
    changed_from,
    count(*) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM (
    SELECT
        access_key_id,
        user_identity_type,
        user_identity_account_id,
        user_identity_user_name,
        event_time,
        CASE WHEN is_change THEN event_name END AS change,
        CASE WHEN is_change THEN account_id END AS changed_in,
        CASE WHEN is_change THEN request_parameters END AS change_request,
        CASE WHEN is_change THEN issued_access_key_id END AS issued_access_key_id,
        CASE WHEN is_change THEN issued_principal END AS issued_principal,
        CASE WHEN is_change THEN source_ip_address END AS changed_from
    FROM (
        SELECT
            *,
            error_code IS NULL
                AND event_source = 'iam.amazonaws.com'
                AND event_name IN ('CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey', 'UpdateUser', 'DeleteUser') AS is_change
        FROM first_records
    )
    WHERE is_change OR key_type(access_key_id) = 'long-term'
)
GROUP BY
    access_key_id,
    user_identity_type,
    user_identity_account_id,
    user_identity_user_name,
    change,
    changed_in,
    change_request,
    issued_access_key_id,
    issued_principal,
    changed_from
