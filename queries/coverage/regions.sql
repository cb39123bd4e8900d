-- Accounts and regions that the logs cover
-- grain: one row per account and region that has events or log files; log files are counted by their folder
-- parameter: accounts text: the wanted accounts, separated by commas, or empty for all
-- parameter: regions text: the same for regions
WITH seen AS (
    SELECT
        account_id,
        aws_region AS region,
        count(*) AS days_with_events,
        max(event_date) - min(event_date) + 1 - count(*) AS days_missing,
        sum(events) AS events,
        min(first_event) AS first_event,
        max(last_event) AS last_event
    FROM event_days
    GROUP BY account_id, aws_region
),
files AS (
    SELECT
        account_id,
        region,
        count(DISTINCT CASE WHEN outcome = 'stored' THEN log_file END) AS log_files,
        count(DISTINCT CASE WHEN outcome IN ('rejected', 'unfetched') THEN log_file END) AS log_files_rejected
    FROM log_files
    WHERE (outcome IN ('stored', 'rejected', 'unfetched') OR account_id IS NOT NULL)
        AND ($accounts = '' OR account_id IS NULL OR array_has(string_to_array($accounts, ','), account_id))
        AND ($regions = '' OR region IS NULL OR array_has(string_to_array($regions, ','), region))
    GROUP BY account_id, region
)
SELECT
    coalesce(seen.account_id, files.account_id) AS account_id,
    coalesce(seen.region, files.region) AS region,
    coalesce(log_files, 0) AS log_files,
    coalesce(log_files_rejected, 0) AS log_files_rejected,
    coalesce(events, 0) AS events,
    coalesce(days_with_events, 0) AS days_with_events,
    coalesce(days_missing, 0) AS days_missing,
    first_event,
    last_event
FROM seen
FULL OUTER JOIN files ON seen.account_id = files.account_id AND seen.region = files.region
ORDER BY account_id, region
