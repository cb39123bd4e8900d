-- The permissions a key needed: on which resources, from which addresses, with which program
-- grain: one row per permission (action, resource, condition, what is open), outcome, address, endpoint and user agent; of objects in S3, those
--   below the same prefix are one resource: `leaves` of them, the first and the last by name
-- parameter: access_key_id text: the key
SELECT
    need['action'] AS action,
    need['resource'] AS resource,
    need['condition'] AS condition,
    need['open'] AS open,
    outcome,
    error_code,
    source_ip_address,
    vpc_endpoint_id,
    via_service,
    user_agent,
    min(need['leaf']) AS first_leaf,
    max(need['leaf']) AS last_leaf,
    max(user_identity_account_id) AS user_identity_account_id,
    max(split_part(user_identity_arn, ':', 2)) AS partition,
    max(aws_region) AS aws_region,
    count(DISTINCT need['leaf']) AS leaves,
    sum(CASE WHEN need['first'] THEN 1 ELSE 0 END) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen
FROM (
    SELECT
        unnest(iam_needs(
            event_source,
            operation,
            aws_region,
            account_id,
            user_identity_arn,
            via_service,
            resources,
            request_parameters,
            response_elements,
            additional_event_data,
            CASE WHEN outcome = 'denied' THEN error_message END
        )) AS need,
        *
    FROM (
        SELECT
            event_source,
            operation,
            aws_region,
            account_id,
            user_identity_arn,
            user_identity_account_id,
            via_service,
            resources,
            request_parameters,
            response_elements,
            additional_event_data,
            error_message,
            source_ip_address,
            vpc_endpoint_id,
            user_agent,
            event_time,
            CASE
                WHEN error_code NOT IN ('Success', 'Client.DryRunOperation', 'DryRunOperation') THEN error_code
            END AS error_code,
            CASE
                -- A dry run ends with this error where the caller has the permission.
                -- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
                WHEN error_code IS NULL OR error_code IN ('Success', 'Client.DryRunOperation', 'DryRunOperation') THEN 'allowed'
                WHEN error_code LIKE '%AccessDenied%'
                    OR error_code LIKE '%Unauthorized%'
                    OR error_code LIKE '%NotAuthorized%'
                    OR error_code LIKE '%Forbidden%'
                    OR error_code LIKE '%InsufficientPrivileges%'
                    OR error_code LIKE 'AuthorizationError%'
                    OR error_code = '403'
                    OR error_message LIKE '%is not authorized to perform%' THEN 'denied'
                -- Before AWS looks at permissions, it checks who calls; S3 also looks for the bucket.
                -- https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
                -- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
                -- https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
                WHEN replace(error_code, 'Client.', '') IN (
                    'AuthFailure', 'Blocked', 'IncompleteSignature', 'InvalidAccessKeyId', 'InvalidClientTokenId', 'InvalidToken',
                    'MalformedQueryString', 'MissingAuthenticationToken', 'NoSuchBucket', 'NotSignedUp', 'OptInRequired',
                    'PendingVerification', 'RequestExpired', 'RequestTimeTooSkewed', 'SubscriptionRequiredException',
                    'TokenRefreshRequired', 'UnrecognizedClientException'
                )
                    OR error_code LIKE '%ExpiredToken%'
                    OR error_code LIKE '%Signature%'
                    OR error_code LIKE '%MissingAuthenticationToken%'
                    OR operation = 'HeadBucket' THEN 'failed'
                -- Other errors come after that: nothing there, wrong parameters, too many calls.
                ELSE 'allowed'
            END AS outcome
        FROM first_records
        WHERE access_key_id = $access_key_id AND coalesce(event_type, 'AwsApiCall') = 'AwsApiCall'
    )
)
GROUP BY
    need['action'],
    need['resource'],
    need['condition'],
    need['open'],
    outcome,
    error_code,
    source_ip_address,
    vpc_endpoint_id,
    via_service,
    user_agent
