-- Changes to logging and detection: trails, detectors, flow logs, alarms
-- when: You need to know whether someone stopped, limited or redirected the logging that you rely on.
-- group: incident
-- grain: one row per call that stops, deletes or changes logging and detection; includes failed calls
-- details: account_id, user_agent, access_key_id, request_parameters
SELECT
    event_time,
    event_source,
    event_name,
    coalesce(
        json_get_str(request_parameters, 'name'),
        json_get_str(request_parameters, 'trailName'),
        json_get_str(request_parameters, 'eventDataStore'),
        json_get_str(request_parameters, 'detectorId'),
        json_get_str(request_parameters, 'logGroupName'),
        json_get_str(request_parameters, 'bucketName'),
        json_get_str(request_parameters, 'configurationRecorderName'),
        json_get_str(request_parameters, 'analyzerName'),
        json_get_json(request_parameters, 'DeleteFlowLogsRequest', 'FlowLogId')
    ) AS target,
    error_code,
    coalesce(user_identity_arn, user_identity_invoked_by) AS user_identity_arn,
    source_ip_address,
    aws_region,
    account_id,
    access_key_id,
    user_agent,
    request_parameters
FROM first_records
WHERE read_only IS NOT TRUE
    AND (
        (
            event_source = 'cloudtrail.amazonaws.com'
            AND operation NOT IN ('LookupEvents', 'StartQuery', 'CancelQuery', 'AddTags', 'RemoveTags', 'CreateTrail', 'StartLogging')
            AND operation NOT LIKE 'Get%'
            AND operation NOT LIKE 'List%'
            AND operation NOT LIKE 'Describe%'
        )
        OR (
            event_source IN (
                'guardduty.amazonaws.com', 'securityhub.amazonaws.com', 'config.amazonaws.com', 'access-analyzer.amazonaws.com',
                'macie2.amazonaws.com', 'inspector2.amazonaws.com', 'detective.amazonaws.com'
            )
            AND regexp_like(
                operation,
                '^(Delete|Stop|Disable|Disassociate|Archive|Update(Detector|IPSet|ThreatIntelSet|Filter|MemberDetectors|OrganizationConfiguration)|Create(Filter|IPSet)|BatchDisable|Put(ConfigurationRecorder|DeliveryChannel))'
            )
        )
        OR concat(event_source, ':', operation) IN (
            'ec2.amazonaws.com:DeleteFlowLogs',
            'logs.amazonaws.com:DeleteLogGroup',
            'logs.amazonaws.com:DeleteLogStream',
            'logs.amazonaws.com:PutRetentionPolicy',
            'logs.amazonaws.com:DeleteSubscriptionFilter',
            'logs.amazonaws.com:DeleteMetricFilter',
            'monitoring.amazonaws.com:DeleteAlarms',
            'monitoring.amazonaws.com:DisableAlarmActions',
            'events.amazonaws.com:DeleteRule',
            'events.amazonaws.com:DisableRule',
            'events.amazonaws.com:RemoveTargets',
            'route53resolver.amazonaws.com:DeleteResolverQueryLogConfig',
            'route53resolver.amazonaws.com:DisassociateResolverQueryLogConfig',
            'wafv2.amazonaws.com:DeleteLoggingConfiguration',
            's3.amazonaws.com:PutBucketLogging',
            'organizations.amazonaws.com:DisableAWSServiceAccess',
            'organizations.amazonaws.com:LeaveOrganization',
            'organizations.amazonaws.com:DeletePolicy',
            'organizations.amazonaws.com:DetachPolicy'
        )
    )
ORDER BY event_time, event_id
