-- The services that each access key called
-- grain: one row per access key and service
-- parameter: temporary boolean: also temporary keys
-- The answer of keys/services.sql, from the summaries of use beside the lake's files.
WITH called AS (
    SELECT
        access_key_id,
        unnest(event_sources) AS event_source
    FROM key_uses
    WHERE $temporary OR key_type(access_key_id) = 'long-term'
)
SELECT DISTINCT
    access_key_id,
    split_part(event_source, '.', 1) AS service
FROM called
WHERE event_source IS NOT NULL
ORDER BY access_key_id, service
