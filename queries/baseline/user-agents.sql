-- Usual and unusual user agents of a key
-- when: You want to know which programs use a key regularly, and which appeared only once.
-- group: baseline
-- grain: one row per user agent; calls that AWS services made for the key are left out
-- parameter: access_key_id text: the key
-- parameter: odd_days integer = 1: unusual is what was seen on at most this many days, if the key was seen on more
-- details: source_ip_addresses, first_seen, api_calls
SELECT
    user_agent,
    days <= $odd_days AND days < all_days AS odd,
    days,
    events,
    round(100.0 * events / sum(events) OVER (), 1) AS percent,
    errors,
    first_seen,
    last_seen,
    source_ip_addresses,
    api_calls
FROM (
    SELECT
        user_agent,
        count(DISTINCT event_date) AS days,
        count(*) AS events,
        count(*) FILTER (WHERE failed(error_code)) AS errors,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count_texts(source_ip_address) AS source_ip_addresses,
        count_texts(event_source, event_name) AS api_calls
    FROM first_records
    WHERE access_key_id = $access_key_id AND via_service IS NULL
    GROUP BY user_agent
)
CROSS JOIN (SELECT count(DISTINCT event_date) AS all_days FROM first_records WHERE access_key_id = $access_key_id AND via_service IS NULL)
ORDER BY events DESC, user_agent
