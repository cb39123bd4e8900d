-- Keys that other keys issued, and from where
-- grain: one row per event
SELECT
    access_key_id,
    issued_access_key_id,
    source_ip_address,
    user_agent,
    event_id,
    event_time
FROM first_records
WHERE issued_access_key_id IS NOT NULL AND (access_key_id IS NOT NULL OR issued_access_key_id LIKE 'AKIA%')
ORDER BY event_time, event_id
