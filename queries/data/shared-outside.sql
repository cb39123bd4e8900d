-- Shared with other accounts, or with everyone
-- when: You want to know whether snapshots, images, buckets, keys or functions were shared outside the account.
-- group: data
-- grain: one row per call that changes who outside the account has access to something; includes failed calls
-- request_parameters shows what the call asked for: whether it grants or removes access, and to whom.
-- details: account_id, access_key_id, user_agent, event_id
SELECT
    event_time,
    event_source,
    event_name,
    coalesce(
        json_get_str(request_parameters, 'snapshotId'),
        json_get_str(request_parameters, 'imageId'),
        json_get_str(request_parameters, 'dBSnapshotIdentifier'),
        json_get_str(request_parameters, 'dBClusterSnapshotIdentifier'),
        json_get_str(request_parameters, 'bucketName'),
        json_get_str(request_parameters, 'functionName'),
        json_get_str(request_parameters, 'keyId'),
        json_get_str(request_parameters, 'secretId'),
        json_get_str(request_parameters, 'repositoryName'),
        json_get_str(request_parameters, 'queueUrl'),
        json_get_str(request_parameters, 'topicArn'),
        json_get_str(request_parameters, 'name'),
        json_get_str(resources, 0, 'ARN')
    ) AS target,
    error_code,
    coalesce(user_identity_arn, user_identity_invoked_by) AS user_identity_arn,
    source_ip_address,
    request_parameters,
    aws_region,
    account_id,
    access_key_id,
    user_agent,
    event_id
FROM calls
WHERE read_only IS NOT TRUE
    AND concat(event_source, ':', operation) IN (
        'ec2.amazonaws.com:ModifySnapshotAttribute',
        'ec2.amazonaws.com:ModifyImageAttribute',
        'ec2.amazonaws.com:SharedSnapshotCopyInitiated',
        'ec2.amazonaws.com:SharedSnapshotVolumeCreated',
        'ec2.amazonaws.com:CreateStoreImageTask',
        'ec2.amazonaws.com:CreateInstanceExportTask',
        'ec2.amazonaws.com:DisableSnapshotBlockPublicAccess',
        'ec2.amazonaws.com:DisableImageBlockPublicAccess',
        'rds.amazonaws.com:ModifyDBSnapshotAttribute',
        'rds.amazonaws.com:ModifyDBClusterSnapshotAttribute',
        'rds.amazonaws.com:StartExportTask',
        's3.amazonaws.com:PutBucketPolicy',
        's3.amazonaws.com:PutBucketAcl',
        's3.amazonaws.com:PutObjectAcl',
        's3.amazonaws.com:PutBucketReplication',
        's3.amazonaws.com:PutBucketWebsite',
        's3.amazonaws.com:PutBucketCors',
        's3.amazonaws.com:PutBucketPublicAccessBlock',
        's3.amazonaws.com:DeleteBucketPublicAccessBlock',
        's3.amazonaws.com:PutAccountPublicAccessBlock',
        's3.amazonaws.com:DeleteAccountPublicAccessBlock',
        's3.amazonaws.com:PutAccessPointPolicy',
        'lambda.amazonaws.com:AddPermission',
        'lambda.amazonaws.com:AddLayerVersionPermission',
        'lambda.amazonaws.com:CreateFunctionUrlConfig',
        'kms.amazonaws.com:PutKeyPolicy',
        'kms.amazonaws.com:CreateGrant',
        'secretsmanager.amazonaws.com:PutResourcePolicy',
        'ecr.amazonaws.com:SetRepositoryPolicy',
        'sqs.amazonaws.com:AddPermission',
        'sns.amazonaws.com:AddPermission',
        'ram.amazonaws.com:CreateResourceShare',
        'ram.amazonaws.com:AssociateResourceShare',
        'glue.amazonaws.com:PutResourcePolicy',
        'dynamodb.amazonaws.com:PutResourcePolicy',
        'backup.amazonaws.com:PutBackupVaultAccessPolicy',
        'ssm.amazonaws.com:ModifyDocumentPermission',
        'redshift.amazonaws.com:AuthorizeSnapshotAccess',
        'es.amazonaws.com:UpdateDomainConfig'
    )
    -- Services create a grant for each volume or table that they encrypt: that shares nothing.
    AND NOT (event_name = 'CreateGrant' AND user_identity_invoked_by IS NOT NULL)
ORDER BY event_time, event_id
