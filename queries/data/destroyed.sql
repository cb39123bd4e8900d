-- What was deleted or made unreadable
-- when: Data is gone or encrypted, and you need to know what, when, and who did it.
-- group: data
-- grain: one row per caller, API call, and bucket or other container
-- Lifecycle rules, replaced keys and one-day retention also destroy data, later. Deleted objects appear only where the trail records data
-- events.
-- parameter: access_key_id text = null: only by this key
-- details: errors, source_ip_addresses, last_target
SELECT
    coalesce(session_issuer_arn, user_identity_arn, user_identity_principal_id, user_identity_invoked_by) AS caller,
    event_source,
    event_name,
    coalesce(
        json_get_str(request_parameters, 'bucketName'),
        json_get_str(request_parameters, 'tableName'),
        json_get_str(request_parameters, 'keyId'),
        json_get_str(request_parameters, 'backupVaultName')
    ) AS container,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    count_texts(source_ip_address) AS source_ip_addresses,
    last_value(
        coalesce(
            json_get_str(request_parameters, 'key'),
            json_get_str(request_parameters, 'snapshotId'),
            json_get_str(request_parameters, 'volumeId'),
            json_get_str(request_parameters, 'dBInstanceIdentifier'),
            json_get_str(request_parameters, 'dBClusterIdentifier'),
            json_get_str(request_parameters, 'dBSnapshotIdentifier'),
            json_get_str(request_parameters, 'recoveryPointArn'),
            json_get_str(request_parameters, 'secretId'),
            json_get_str(request_parameters, 'bucketName'),
            json_get_str(request_parameters, 'tableName'),
            json_get_str(request_parameters, 'functionName'),
            json_get_str(request_parameters, 'stackName'),
            json_get_str(request_parameters, 'imageId'),
            json_get_str(request_parameters, 'instancesSet', 'items', 0, 'instanceId'),
            json_get_str(resources, 0, 'ARN')
        )
        ORDER BY event_time, event_id
    ) AS last_target
FROM calls
WHERE read_only IS NOT TRUE
    AND ($access_key_id IS NULL OR access_key_id = $access_key_id)
    AND (
        concat(event_source, ':', operation) IN (
            's3.amazonaws.com:DeleteObject',
            's3.amazonaws.com:DeleteObjects',
            's3.amazonaws.com:DeleteBucket',
            's3.amazonaws.com:PutBucketLifecycle',
            's3.amazonaws.com:PutBucketVersioning',
            's3.amazonaws.com:PutBucketEncryption',
            's3.amazonaws.com:DeleteBucketPolicy',
            'kms.amazonaws.com:ScheduleKeyDeletion',
            'kms.amazonaws.com:DisableKey',
            'kms.amazonaws.com:DeleteImportedKeyMaterial',
            'secretsmanager.amazonaws.com:DeleteSecret',
            'ec2.amazonaws.com:DeleteSnapshot',
            'ec2.amazonaws.com:DeleteVolume',
            'ec2.amazonaws.com:DeregisterImage',
            'ec2.amazonaws.com:TerminateInstances',
            'rds.amazonaws.com:DeleteDBInstance',
            'rds.amazonaws.com:DeleteDBCluster',
            'rds.amazonaws.com:DeleteDBSnapshot',
            'rds.amazonaws.com:DeleteDBClusterSnapshot',
            'rds.amazonaws.com:DeleteDBInstanceAutomatedBackup',
            'dynamodb.amazonaws.com:DeleteTable',
            'dynamodb.amazonaws.com:DeleteBackup',
            'dynamodb.amazonaws.com:DeleteItem',
            'backup.amazonaws.com:DeleteRecoveryPoint',
            'backup.amazonaws.com:DeleteBackupVault',
            'backup.amazonaws.com:DeleteBackupPlan',
            'elasticfilesystem.amazonaws.com:DeleteFileSystem',
            'fsx.amazonaws.com:DeleteFileSystem',
            'redshift.amazonaws.com:DeleteCluster',
            'redshift.amazonaws.com:DeleteClusterSnapshot',
            'es.amazonaws.com:DeleteDomain',
            'lambda.amazonaws.com:DeleteFunction',
            'cloudformation.amazonaws.com:DeleteStack',
            'ecr.amazonaws.com:BatchDeleteImage',
            'ecr.amazonaws.com:DeleteRepository'
        )
        -- Ransomware copies objects onto themselves, encrypted with a key that only the caller knows.
        OR (
            event_source = 's3.amazonaws.com'
            AND event_name IN ('CopyObject', 'PutObject')
            AND json_get_str(request_parameters, 'x-amz-server-side-encryption-customer-algorithm') IS NOT NULL
        )
    )
GROUP BY caller, event_source, event_name, container
ORDER BY first_seen, caller, event_source, event_name, container
