-- What one key did, by call, address and program
SELECT event_source, event_name, source_ip_address, user_agent, aws_region, error_code,
    count(*) AS events, min(event_time) AS first_seen, max(event_time) AS last_seen
FROM events
WHERE access_key_id = $access_key_id
GROUP BY event_source, event_name, source_ip_address, user_agent, aws_region, error_code
