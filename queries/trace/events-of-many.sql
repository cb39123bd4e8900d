-- Every event of very many credentials: as `events`, but the keys are joined, which has no limit, instead of written into the
-- condition, which prunes
-- grain: one row per event
-- parameter: access_key_ids text: a list of keys
-- parameter: principals text: a list of ARNs or unique ids
SELECT events.*
-- The engine holds what stands on the left of a join.
FROM (SELECT unnest(arrow_cast($access_key_ids, 'List(Utf8)')) AS wanted) AS keys
RIGHT SEMI JOIN first_records AS events ON events.access_key_id = keys.wanted
UNION ALL
SELECT events.*
FROM (SELECT unnest(arrow_cast($principals, 'List(Utf8)')) AS wanted) AS principals
RIGHT SEMI JOIN first_records AS events
    ON coalesce(events.user_identity_arn, events.user_identity_principal_id) = principals.wanted
WHERE events.access_key_id IS NULL
