-- Calls from public addresses
-- when: You want to see a key's use from the internet only, without AWS services and private networks.
-- group: network
-- grain: one row per key and public address
-- Private ranges are RFC 1918, RFC 6598 (carrier NAT), loopback, link-local, and unique local IPv6 addresses.
-- parameter: access_key_id text = null: only this key; otherwise all long-term keys
-- details: user_agents, first_seen, last_event_name
SELECT
    access_key_id,
    max(user_identity_user_name) AS user_identity_user_name,
    source_ip_address,
    count(*) AS events,
    count(*) FILTER (WHERE failed(error_code)) AS errors,
    count_texts(event_source, event_name) AS api_calls,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    last_value(event_name ORDER BY event_time, event_id) AS last_event_name,
    count_texts(user_agent) AS user_agents
FROM calls
WHERE source_ip IS NOT NULL
    AND NOT source_ip BETWEEN X'00000000000000000000ffff0a000000' AND X'00000000000000000000ffff0affffff' -- 10.0.0.0/8
    AND NOT source_ip BETWEEN X'00000000000000000000ffffac100000' AND X'00000000000000000000ffffac1fffff' -- 172.16.0.0/12
    AND NOT source_ip BETWEEN X'00000000000000000000ffffc0a80000' AND X'00000000000000000000ffffc0a8ffff' -- 192.168.0.0/16
    AND NOT source_ip BETWEEN X'00000000000000000000ffff64400000' AND X'00000000000000000000ffff647fffff' -- 100.64.0.0/10
    AND NOT source_ip BETWEEN X'00000000000000000000ffffa9fe0000' AND X'00000000000000000000ffffa9feffff' -- 169.254.0.0/16
    AND NOT source_ip BETWEEN X'00000000000000000000ffff7f000000' AND X'00000000000000000000ffff7fffffff' -- 127.0.0.0/8
    AND NOT source_ip BETWEEN X'fc000000000000000000000000000000' AND X'fdffffffffffffffffffffffffffffff' -- fc00::/7
    AND NOT source_ip BETWEEN X'fe800000000000000000000000000000' AND X'febfffffffffffffffffffffffffffff' -- fe80::/10
    AND source_ip <> X'00000000000000000000000000000001'
    AND (
        ($access_key_id IS NULL AND key_type(access_key_id) = 'long-term')
        OR access_key_id = $access_key_id
    )
GROUP BY access_key_id, source_ip_address
ORDER BY access_key_id, first_seen, source_ip_address
