-- Whether an account's regions fell silent: the last event before a moment and the first after it
-- grain: one row per moment and region of its account
-- parameter: accounts text: a list of accounts
-- parameter: moments text: a list of times, one for each account of the first list
WITH asked AS (
    SELECT
        unnest(arrow_cast($accounts, 'List(Utf8)')) AS account_id,
        unnest(arrow_cast($moments, 'List(Utf8)')) AS moment
)
SELECT
    asked.account_id,
    asked.moment,
    events.aws_region,
    max(CASE WHEN events.event_time <= CAST(asked.moment AS TIMESTAMP) THEN events.event_time END) AS last_before,
    min(CASE WHEN events.event_time > CAST(asked.moment AS TIMESTAMP) THEN events.event_time END) AS first_after
-- The engine holds what stands on the left of a join.
FROM asked
INNER JOIN events ON events.account_id = asked.account_id
GROUP BY asked.account_id, asked.moment, events.aws_region
ORDER BY asked.moment, asked.account_id, events.aws_region
