-- Everyone seen from an address or network
-- when: You know an intruder's address or network and look for what else came from there.
-- group: network
-- grain: one row per identity and key seen from the address
-- parameter: source_ip_address text: the address, as it appears in the events, or a network such as 203.0.113.0/24
-- details: user_identity_type, user_agents, aws_regions, source_ip_addresses, first_seen
SELECT
    coalesce(user_identity_arn, user_identity_principal_id, user_identity_user_name, user_identity_invoked_by) AS caller,
    access_key_id,
    account_id,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count_texts(event_source, event_name) AS api_calls,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    user_identity_type,
    array_agg(DISTINCT source_ip_address ORDER BY source_ip_address) AS source_ip_addresses,
    array_agg(DISTINCT aws_region ORDER BY aws_region) FILTER (WHERE aws_region IS NOT NULL) AS aws_regions,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM calls
WHERE ($source_ip_address NOT LIKE '%/%' AND source_ip_address = $source_ip_address)
    OR ($source_ip_address LIKE '%/%' AND ip_in_cidr(source_ip_address, $source_ip_address))
GROUP BY caller, access_key_id, account_id, user_identity_type
ORDER BY first_seen, caller, access_key_id, account_id
