-- The services that each access key called
-- grain: one row per access key and service
-- parameter: temporary boolean: also temporary keys
SELECT DISTINCT
    access_key_id,
    split_part(event_source, '.', 1) AS service
FROM events
WHERE access_key_id IS NOT NULL
    AND event_source IS NOT NULL
    AND ($temporary OR key_type(access_key_id) = 'long-term')
ORDER BY access_key_id, service
