-- Keys issued per day
-- when: You look for a day on which more credentials were issued than usual, or in an unusual way.
-- group: keys
-- grain: one row per day (UTC), account and call that issues keys
SELECT
    event_date,
    account_id,
    event_source,
    event_name,
    count(*) AS events,
    count_texts(issued_access_key_id) AS issued_keys,
    count_texts(coalesce(user_identity_arn, user_identity_principal_id, user_identity_invoked_by)) AS callers,
    count_texts(issued_principal) AS principals
FROM calls
WHERE issued_access_key_id IS NOT NULL
GROUP BY event_date, account_id, event_source, event_name
ORDER BY event_date, account_id, event_source, event_name
