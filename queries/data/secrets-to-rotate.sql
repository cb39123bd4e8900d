-- Secrets that were read and should be rotated
-- when: An incident is contained, and every secret that was read must be replaced.
-- group: data
-- grain: one row per account, region and secret (of Secrets Manager, or a parameter of Systems Manager that was decrypted) that was
--   read successfully
-- Secrets are listed by name, even if they were read by ARN. Events of reads by path or filter do not show what was read.
-- parameter: access_key_id text = null: only what this key read
-- parameter: source_ip_address text = null: only what was read from this address, or from a network such as 203.0.113.0/24
-- details: callers, access_keys, first_read
WITH reads AS (
    SELECT
        account_id,
        aws_region,
        event_source,
        event_time,
        access_key_id,
        source_ip_address,
        coalesce(session_issuer_arn, user_identity_arn, user_identity_invoked_by) AS caller,
        coalesce(
            json_get_str(request_parameters, 'secretId'),
            json_get_str(request_parameters, 'name'),
            concat(json_get_str(request_parameters, 'path'), '…'),
            json_get_json(request_parameters, 'filters')
        ) AS one,
        coalesce(json_get_array(request_parameters, 'names'), json_get_array(request_parameters, 'secretIdList')) AS several
    FROM first_records
    WHERE error_code IS NULL
        AND (
            (event_source = 'secretsmanager.amazonaws.com' AND event_name IN ('GetSecretValue', 'BatchGetSecretValue'))
            OR (
                event_source = 'ssm.amazonaws.com'
                AND event_name IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory')
                AND json_get_bool(request_parameters, 'withDecryption')
            )
        )
        AND ($access_key_id IS NULL OR access_key_id = $access_key_id)
        AND (
            $source_ip_address IS NULL
            OR ($source_ip_address NOT LIKE '%/%' AND source_ip_address = $source_ip_address)
            OR ($source_ip_address LIKE '%/%' AND ip_in_cidr(source_ip_address, $source_ip_address))
        )
),
secrets AS (
    SELECT * EXCLUDE (one, several), one AS asked FROM reads WHERE several IS NULL
    UNION ALL
    SELECT * EXCLUDE (one, several), json_as_text(unnest(several)) AS asked FROM reads WHERE several IS NOT NULL
)
SELECT
    account_id,
    aws_region,
    event_source,
    regexp_replace(asked, '^arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}$', '\1') AS secret,
    count(*) AS events,
    min(event_time) AS first_read,
    max(event_time) AS last_read,
    count_texts(source_ip_address) AS source_ip_addresses,
    array_agg(DISTINCT access_key_id ORDER BY access_key_id) FILTER (WHERE access_key_id IS NOT NULL) AS access_keys,
    array_agg(DISTINCT caller ORDER BY caller) FILTER (WHERE caller IS NOT NULL) AS callers
FROM secrets
GROUP BY account_id, aws_region, event_source, secret
ORDER BY account_id, aws_region, event_source, secret
