-- Every key, with distinct addresses, programs and calls: a scan with many groups
SELECT access_key_id, count(*) AS events, min(event_time) AS first_seen, max(event_time) AS last_seen,
    count(DISTINCT source_ip_address) AS source_ip_addresses, count(DISTINCT user_agent) AS user_agents
FROM events
GROUP BY access_key_id
