-- Events without the records that update an earlier record of the same call
-- grain: one row per call and account that it concerns
SELECT *
FROM events
WHERE NOT is_update(addendum)
