-- Data and secrets that a key read
-- when: You need to report what an intruder has seen.
-- group: data
-- grain: one row per API call and resource read (secret, parameter, KMS key, table, function, bucket and first folder of the object)
-- Objects, table items and the like appear only where the trail records data events: check the coverage.
-- parameter: access_key_id text: the key
-- details: source_ip_addresses, via_services, bytes_out, first_seen
WITH reads AS (
    SELECT
        event_source,
        event_name,
        error_code,
        event_time,
        source_ip_address,
        via_service,
        request_parameters,
        resources,
        additional_event_data
    FROM first_records
    WHERE access_key_id = $access_key_id
        AND (
            (event_category = 'Data' AND read_only IS NOT FALSE)
            OR concat(event_source, ':', operation) IN (
                'secretsmanager.amazonaws.com:GetSecretValue',
                'secretsmanager.amazonaws.com:BatchGetSecretValue',
                'ssm.amazonaws.com:GetParameter',
                'ssm.amazonaws.com:GetParameters',
                'ssm.amazonaws.com:GetParametersByPath',
                'ssm.amazonaws.com:GetParameterHistory',
                'ssm.amazonaws.com:GetCommandInvocation',
                'kms.amazonaws.com:Decrypt',
                'kms.amazonaws.com:GenerateDataKey',
                'kms.amazonaws.com:ReEncrypt',
                'ec2.amazonaws.com:GetPasswordData',
                'ec2.amazonaws.com:GetConsoleOutput',
                'ec2.amazonaws.com:GetConsoleScreenshot',
                'ec2.amazonaws.com:DescribeInstanceAttribute',
                'ec2.amazonaws.com:DescribeLaunchTemplateVersions',
                'lambda.amazonaws.com:GetFunction',
                'lambda.amazonaws.com:GetFunctionConfiguration',
                'lambda.amazonaws.com:ListFunctions',
                'cloudformation.amazonaws.com:GetTemplate',
                'codecommit.amazonaws.com:GitPull',
                'codecommit.amazonaws.com:GetFile',
                'codecommit.amazonaws.com:GetFolder',
                'ecr.amazonaws.com:BatchGetImage',
                'ecr.amazonaws.com:GetDownloadUrlForLayer',
                'ecr.amazonaws.com:GetAuthorizationToken',
                'athena.amazonaws.com:GetQueryResults',
                'athena.amazonaws.com:StartQueryExecution',
                'logs.amazonaws.com:GetLogEvents',
                'logs.amazonaws.com:FilterLogEvents',
                'logs.amazonaws.com:StartQuery',
                'redshift-data.amazonaws.com:ExecuteStatement',
                'rds-data.amazonaws.com:ExecuteStatement',
                'rds.amazonaws.com:DownloadDBLogFilePortion',
                'glue.amazonaws.com:GetConnection',
                'glue.amazonaws.com:GetConnections',
                'dynamodb.amazonaws.com:ExportTableToPointInTime',
                's3.amazonaws.com:GetObject'
            )
        )
)
SELECT
    event_source,
    event_name,
    CASE
        WHEN event_source = 's3.amazonaws.com' THEN concat(
            's3://',
            coalesce(json_get_str(request_parameters, 'bucketName'), ''),
            '/',
            CASE
                WHEN strpos(json_get_str(request_parameters, 'key'), '/') > 0
                    THEN concat(split_part(json_get_str(request_parameters, 'key'), '/', 1), '/')
                ELSE ''
            END
        )
        ELSE coalesce(
            json_get_str(request_parameters, 'secretId'),
            json_get_str(request_parameters, 'name'),
            json_get_str(request_parameters, 'path'),
            json_get_json(request_parameters, 'names'),
            json_get_json(request_parameters, 'secretIdList'),
            json_get_str(resources, 0, 'ARN'),
            json_get_str(resources, 0, 'arn'),
            json_get_str(request_parameters, 'functionName'),
            json_get_str(request_parameters, 'tableName'),
            json_get_str(request_parameters, 'instanceId'),
            json_get_str(request_parameters, 'logGroupName'),
            json_get_str(request_parameters, 'repositoryName'),
            json_get_str(request_parameters, 'stackName')
        )
    END AS target,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    CAST(sum(json_get_float(additional_event_data, 'bytesTransferredOut')) FILTER (WHERE error_code IS NULL) AS BIGINT) AS bytes_out,
    array_agg(DISTINCT via_service ORDER BY via_service) FILTER (WHERE via_service IS NOT NULL) AS via_services,
    count_texts(source_ip_address) AS source_ip_addresses
FROM reads
GROUP BY event_source, event_name, target
ORDER BY event_source, event_name, target
