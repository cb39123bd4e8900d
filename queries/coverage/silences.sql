-- The longest times without events
-- when: You want to know whether logging was interrupted, and for how long an account and region had no events.
-- group: coverage
-- grain: one row per time without events in an account and region
-- parameter: hours number = 6: only times of at least this many hours
WITH hours AS (
    SELECT
        account_id,
        aws_region,
        min(event_time) AS first_event,
        max(event_time) AS last_event
    FROM events
    GROUP BY account_id, aws_region, date_trunc('hour', event_time)
),
steps AS (
    SELECT
        account_id,
        aws_region,
        last_event AS silent_from,
        lead(first_event) OVER (PARTITION BY account_id, aws_region ORDER BY first_event) AS silent_until
    FROM hours
)
SELECT
    account_id,
    aws_region,
    silent_from,
    silent_until,
    round((date_part('epoch', silent_until) - date_part('epoch', silent_from)) / 3600.0, 1) AS hours
FROM steps
WHERE (date_part('epoch', silent_until) - date_part('epoch', silent_from)) / 3600.0 >= $hours
ORDER BY hours DESC, account_id, aws_region, silent_from
