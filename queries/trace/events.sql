-- Every event of some credentials: of access keys, and of principals whose calls show no key
-- grain: one row per event
-- parameter: access_key_ids text: a list of keys
-- parameter: principals text: a list of ARNs or unique ids
SELECT *
FROM first_records
WHERE
    array_has($access_key_ids, access_key_id)
    OR (
        access_key_id IS NULL
        AND array_has($principals, coalesce(user_identity_arn, user_identity_principal_id))
    )
