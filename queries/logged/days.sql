-- Days with events: where and when a call would have been seen
-- grain: one row per account, region, kind of event, whether an AWS service made it by itself, long-term key that signed it (null for all other events) and day (UTC)
SELECT
    account_id,
    aws_region,
    event_category,
    data_service,
    apart,
    read_only,
    by_service,
    access_key_id,
    event_date,
    count(*) AS events,
    max(event_time) AS last_event
FROM (
    SELECT
        coalesce(account_id, '') AS account_id,
        coalesce(aws_region, '') AS aws_region,
        coalesce(event_category, 'Management') AS event_category,
        CASE WHEN event_category <> 'Management' THEN event_source END AS data_service,
        -- What a trail may leave out of the management events: these two sources, and global services.
        -- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
        -- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
        CASE
            WHEN event_category <> 'Management' THEN NULL
            WHEN event_source IN ('kms.amazonaws.com', 'rdsdata.amazonaws.com') THEN event_source
            WHEN event_source IN ('iam.amazonaws.com', 'cloudfront.amazonaws.com') THEN 'global services'
            -- Calls to its global endpoint are logged there. Those to the endpoint of that region look the same.
            WHEN event_source = 'sts.amazonaws.com' AND aws_region = 'us-east-1' THEN 'global services'
        END AS apart,
        coalesce(read_only, false) AS read_only,
        coalesce(event_category, 'Management') <> 'Management' AND coalesce(user_identity_type, '') = 'AWSService' AS by_service,
        CASE WHEN access_key_id LIKE 'AKIA%' THEN access_key_id END AS access_key_id,
        event_date,
        event_time
    FROM events
)
GROUP BY account_id, aws_region, event_category, data_service, apart, read_only, by_service, access_key_id, event_date
