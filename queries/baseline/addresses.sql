-- Usual and unusual addresses of a key
-- when: You want to know which addresses a key is used from regularly, and which only once.
-- group: baseline
-- grain: one row per source address; calls that AWS services made for the key are left out
-- parameter: access_key_id text: the key
-- parameter: odd_days integer = 1: unusual is what was seen on at most this many days, if the key was seen on more
-- details: user_agents, first_seen, api_calls
SELECT
    source_ip_address,
    days <= $odd_days AND days < all_days AS odd,
    days,
    events,
    round(100.0 * events / sum(events) OVER (), 1) AS percent,
    errors,
    first_seen,
    last_seen,
    user_agents,
    api_calls
FROM (
    SELECT
        source_ip_address,
        count(DISTINCT event_date) AS days,
        count(*) AS events,
        count(*) FILTER (WHERE failed(error_code)) AS errors,
        min(event_time) AS first_seen,
        max(event_time) AS last_seen,
        count_texts(user_agent) AS user_agents,
        count_texts(event_source, event_name) AS api_calls
    FROM first_records
    WHERE access_key_id = $access_key_id AND via_service IS NULL
    GROUP BY source_ip_address
)
CROSS JOIN (SELECT count(DISTINCT event_date) AS all_days FROM first_records WHERE access_key_id = $access_key_id AND via_service IS NULL)
ORDER BY events DESC, source_ip_address
