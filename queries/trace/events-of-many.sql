-- Every event of very many credentials: as `events`, but the keys are joined, which has no limit, instead of written into the
-- condition, which prunes
-- grain: one row per event
-- parameter: access_key_ids text: a list of keys
-- parameter: principals text: a list of ARNs or unique ids
SELECT events.*
FROM first_records AS events
LEFT SEMI JOIN (SELECT unnest(arrow_cast($access_key_ids, 'List(Utf8)')) AS wanted) AS keys ON events.access_key_id = keys.wanted
UNION ALL
SELECT events.*
FROM first_records AS events
LEFT SEMI JOIN (SELECT unnest(arrow_cast($principals, 'List(Utf8)')) AS wanted) AS principals
    ON coalesce(events.user_identity_arn, events.user_identity_principal_id) = principals.wanted
WHERE events.access_key_id IS NULL
