-- Clients with old TLS versions
-- when: You want to raise the minimum TLS version, or look for programs that nobody has updated for years.
-- group: network
-- grain: one row per key, identity, address, user agent and TLS version older than 1.2
-- Not every service records the TLS version; calls that AWS services make have none.
-- details: first_seen, event_sources, tls_cipher_suites
SELECT
    tls_version,
    access_key_id,
    coalesce(user_identity_arn, user_identity_principal_id) AS user_identity_arn,
    source_ip_address,
    user_agent,
    count(*) AS events,
    min(event_time) AS first_seen,
    max(event_time) AS last_seen,
    array_agg(DISTINCT event_source ORDER BY event_source) FILTER (WHERE event_source IS NOT NULL) AS event_sources,
    array_agg(DISTINCT tls_cipher_suite ORDER BY tls_cipher_suite) FILTER (WHERE tls_cipher_suite IS NOT NULL) AS tls_cipher_suites
FROM calls
WHERE tls_version IN ('TLSv1', 'TLSv1.0', 'TLSv1.1', 'SSLv3', 'SSLv2')
GROUP BY tls_version, access_key_id, coalesce(user_identity_arn, user_identity_principal_id), source_ip_address, user_agent
ORDER BY tls_version, events DESC, access_key_id, user_identity_arn, source_ip_address, user_agent
