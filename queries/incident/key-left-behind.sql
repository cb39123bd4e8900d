-- What a key created, and whether it still exists
-- when: You clean up after an incident and need the list of what to remove.
-- group: incident
-- grain: one row per resource that the key created: user, group, role, key, password, policy, provider, instance profile, instance,
--   security group, key pair, snapshot, image, volume, function, bucket, stack
-- A resource counts as removed if a later call, by anyone, deletes a resource of the same kind and name in the same account.
-- parameter: access_key_id text: the key
-- details: source_ip_address, removed_by
WITH calls AS (
    SELECT
        event_time,
        event_id,
        account_id,
        aws_region,
        access_key_id,
        coalesce(user_identity_arn, user_identity_invoked_by) AS caller,
        source_ip_address,
        issued_access_key_id,
        request_parameters,
        response_elements,
        operation LIKE 'Create%' OR operation = 'RunInstances' AS creates,
        CASE concat(event_source, ':', operation)
            WHEN 'iam.amazonaws.com:CreateUser' THEN 'user'
            WHEN 'iam.amazonaws.com:DeleteUser' THEN 'user'
            WHEN 'iam.amazonaws.com:CreateGroup' THEN 'group'
            WHEN 'iam.amazonaws.com:DeleteGroup' THEN 'group'
            WHEN 'iam.amazonaws.com:CreateRole' THEN 'role'
            WHEN 'iam.amazonaws.com:DeleteRole' THEN 'role'
            WHEN 'iam.amazonaws.com:CreateAccessKey' THEN 'access key'
            WHEN 'iam.amazonaws.com:DeleteAccessKey' THEN 'access key'
            WHEN 'iam.amazonaws.com:CreateLoginProfile' THEN 'password'
            WHEN 'iam.amazonaws.com:DeleteLoginProfile' THEN 'password'
            WHEN 'iam.amazonaws.com:CreatePolicy' THEN 'policy'
            WHEN 'iam.amazonaws.com:DeletePolicy' THEN 'policy'
            WHEN 'iam.amazonaws.com:CreateInstanceProfile' THEN 'instance profile'
            WHEN 'iam.amazonaws.com:DeleteInstanceProfile' THEN 'instance profile'
            WHEN 'iam.amazonaws.com:CreateSAMLProvider' THEN 'SAML provider'
            WHEN 'iam.amazonaws.com:DeleteSAMLProvider' THEN 'SAML provider'
            WHEN 'iam.amazonaws.com:CreateOpenIDConnectProvider' THEN 'OpenID Connect provider'
            WHEN 'iam.amazonaws.com:DeleteOpenIDConnectProvider' THEN 'OpenID Connect provider'
            WHEN 'ec2.amazonaws.com:RunInstances' THEN 'instance'
            WHEN 'ec2.amazonaws.com:TerminateInstances' THEN 'instance'
            WHEN 'ec2.amazonaws.com:CreateSecurityGroup' THEN 'security group'
            WHEN 'ec2.amazonaws.com:DeleteSecurityGroup' THEN 'security group'
            WHEN 'ec2.amazonaws.com:CreateKeyPair' THEN 'key pair'
            WHEN 'ec2.amazonaws.com:DeleteKeyPair' THEN 'key pair'
            WHEN 'ec2.amazonaws.com:CreateSnapshot' THEN 'snapshot'
            WHEN 'ec2.amazonaws.com:DeleteSnapshot' THEN 'snapshot'
            WHEN 'ec2.amazonaws.com:CreateImage' THEN 'image'
            WHEN 'ec2.amazonaws.com:DeregisterImage' THEN 'image'
            WHEN 'ec2.amazonaws.com:CreateVolume' THEN 'volume'
            WHEN 'ec2.amazonaws.com:DeleteVolume' THEN 'volume'
            WHEN 'lambda.amazonaws.com:CreateFunction' THEN 'function'
            WHEN 'lambda.amazonaws.com:DeleteFunction' THEN 'function'
            WHEN 's3.amazonaws.com:CreateBucket' THEN 'bucket'
            WHEN 's3.amazonaws.com:DeleteBucket' THEN 'bucket'
            WHEN 'cloudformation.amazonaws.com:CreateStack' THEN 'stack'
            WHEN 'cloudformation.amazonaws.com:DeleteStack' THEN 'stack'
        END AS kind
    FROM first_records
    WHERE error_code IS NULL
        AND event_source IN (
            'iam.amazonaws.com', 'ec2.amazonaws.com', 'lambda.amazonaws.com', 's3.amazonaws.com', 'cloudformation.amazonaws.com'
        )
        AND (
            (access_key_id = $access_key_id AND (operation LIKE 'Create%' OR operation = 'RunInstances'))
            OR operation LIKE 'Delete%'
            OR operation IN ('TerminateInstances', 'DeregisterImage')
        )
),
things AS (
    SELECT
        *,
        CASE kind
            WHEN 'user' THEN json_get_str(request_parameters, 'userName')
            WHEN 'group' THEN json_get_str(request_parameters, 'groupName')
            WHEN 'role' THEN json_get_str(request_parameters, 'roleName')
            WHEN 'access key' THEN coalesce(issued_access_key_id, json_get_str(request_parameters, 'accessKeyId'))
            WHEN 'password' THEN json_get_str(request_parameters, 'userName')
            WHEN 'policy' THEN coalesce(json_get_str(response_elements, 'policy', 'arn'), json_get_str(request_parameters, 'policyArn'))
            WHEN 'instance profile' THEN json_get_str(request_parameters, 'instanceProfileName')
            WHEN 'SAML provider' THEN coalesce(json_get_str(response_elements, 'sAMLProviderArn'), json_get_str(request_parameters, 'sAMLProviderArn'))
            WHEN 'OpenID Connect provider' THEN coalesce(
                json_get_str(response_elements, 'openIDConnectProviderArn'), json_get_str(request_parameters, 'openIDConnectProviderArn')
            )
            WHEN 'security group' THEN coalesce(json_get_str(response_elements, 'groupId'), json_get_str(request_parameters, 'groupId'))
            WHEN 'key pair' THEN json_get_str(request_parameters, 'keyName')
            WHEN 'snapshot' THEN coalesce(json_get_str(response_elements, 'snapshotId'), json_get_str(request_parameters, 'snapshotId'))
            WHEN 'image' THEN coalesce(json_get_str(response_elements, 'imageId'), json_get_str(request_parameters, 'imageId'))
            WHEN 'volume' THEN coalesce(json_get_str(response_elements, 'volumeId'), json_get_str(request_parameters, 'volumeId'))
            WHEN 'function' THEN json_get_str(request_parameters, 'functionName')
            WHEN 'bucket' THEN json_get_str(request_parameters, 'bucketName')
            WHEN 'stack' THEN json_get_str(request_parameters, 'stackName')
        END AS name
    FROM calls
    WHERE kind <> 'instance'
    UNION ALL
    SELECT * EXCLUDE (instance), json_get_str(instance, 'instanceId') AS name
    FROM (
        SELECT *, unnest(json_get_array(response_elements, 'instancesSet', 'items')) AS instance
        FROM calls
        WHERE kind = 'instance'
    )
)
SELECT
    created.event_time AS created_at,
    created.kind,
    created.name,
    min(removed.event_time) AS removed_at,
    created.account_id,
    created.aws_region,
    first_value(removed.caller ORDER BY removed.event_time, removed.event_id) AS removed_by,
    created.source_ip_address
FROM things AS created
LEFT JOIN things AS removed
    ON NOT removed.creates
    AND removed.kind = created.kind
    AND removed.name = created.name
    AND removed.account_id = created.account_id
    AND removed.event_time >= created.event_time
WHERE created.creates
GROUP BY
    created.event_time, created.event_id, created.kind, created.name, created.account_id, created.aws_region, created.source_ip_address
ORDER BY created_at, created.event_id, created.kind, created.name
