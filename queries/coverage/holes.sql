-- Holes: days between the first and the last event of an account and region on which there is none
-- grain: one row per run of such days
WITH steps AS (
    SELECT
        account_id,
        aws_region AS region,
        event_date AS before,
        lead(event_date) OVER (PARTITION BY account_id, aws_region ORDER BY event_date) AS after
    FROM event_days
)
SELECT
    account_id,
    region,
    before + 1 AS first_day,
    after - 1 AS last_day,
    after - before - 1 AS days
FROM steps
WHERE after - before > 1
ORDER BY account_id, region, first_day
