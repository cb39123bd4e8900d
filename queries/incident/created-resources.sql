-- Resources created, per region
-- when: You look for resources created in regions that you do not use.
-- group: incident
-- grain: one row per account, region and call that creates something and succeeded
-- parameter: access_key_id text = null: only by this key
-- details: callers, first_seen
SELECT
    account_id,
    aws_region,
    event_source,
    event_name,
    count(*) AS events,
    count_texts(coalesce(user_identity_arn, user_identity_principal_id, user_identity_invoked_by)) AS callers,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM first_records
WHERE error_code IS NULL
    AND read_only IS NOT TRUE
    AND (event_category IS NULL OR event_category <> 'Data')
    AND regexp_like(operation, '^(Create|Run|Start|Launch|Allocate|Request|Register|Import|Restore|Copy|Provision|Purchase)[A-Z]')
    AND ($access_key_id IS NULL OR access_key_id = $access_key_id)
GROUP BY account_id, aws_region, event_source, event_name
ORDER BY account_id, aws_region, events DESC, event_source, event_name
