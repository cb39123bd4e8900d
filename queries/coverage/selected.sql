-- What the events of a selection cover
-- grain: one row
SELECT
    count(*) AS events,
    min(event_time) AS first_event_time,
    max(event_time) AS last_event_time,
    array_agg(DISTINCT event_date) FILTER (WHERE event_date IS NOT NULL) AS days,
    array_agg(DISTINCT account_id) FILTER (WHERE account_id IS NOT NULL) AS accounts,
    array_agg(DISTINCT aws_region) FILTER (WHERE aws_region IS NOT NULL) AS regions,
    array_agg(DISTINCT event_category) FILTER (WHERE event_category IS NOT NULL) AS event_categories,
    array_agg(DISTINCT event_source) FILTER (WHERE event_category = 'Data') AS data_event_services
FROM events
