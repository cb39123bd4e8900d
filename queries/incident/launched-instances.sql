-- Instances that were launched, and the key that launched them
-- when: There are instances or costs that nobody can explain.
-- group: incident
-- grain: one row per instance launched; a failed launch is one row without an instance
-- parameter: instance_id text = null: only this instance
-- parameter: access_key_id text = null: only launches by this key
-- details: account_id, user_identity_arn, source_ip_address, image_id, user_agent, via_service
SELECT
    event_time,
    json_get_str(instance, 'instanceId') AS instance_id,
    coalesce(json_get_str(instance, 'instanceType'), json_get_str(request_parameters, 'instanceType')) AS instance_type,
    aws_region,
    access_key_id,
    coalesce(user_identity_user_name, session_issuer_user_name) AS user_name,
    error_code,
    source_ip_address,
    via_service,
    coalesce(json_get_str(instance, 'imageId'), json_get_str(request_parameters, 'instancesSet', 'items', 0, 'imageId')) AS image_id,
    account_id,
    user_identity_arn,
    user_agent
FROM (
    SELECT *, unnest(coalesce(json_get_array(response_elements, 'instancesSet', 'items'), [NULL])) AS instance
    FROM first_records
    WHERE event_source = 'ec2.amazonaws.com'
        AND event_name = 'RunInstances'
        AND ($access_key_id IS NULL OR access_key_id = $access_key_id)
)
WHERE $instance_id IS NULL OR json_get_str(instance, 'instanceId') = $instance_id
ORDER BY event_time, event_id, instance_id
