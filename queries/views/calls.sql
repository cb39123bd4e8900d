-- Events with each call once, even if it has several records
-- grain: one row per call
-- A call may have several records: an update of its data (addendum), which repeats the first record, and one for each
-- account that it concerns, all with the same sharedEventID. The first counts, and the caller's.
SELECT *
FROM first_records
WHERE shared_event_id IS NULL
UNION ALL
-- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
SELECT * EXCEPT (record_of_call)
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY shared_event_id
            ORDER BY user_identity_account_id IS DISTINCT FROM recipient_account_id, event_id
        ) AS record_of_call
    FROM first_records
    WHERE shared_event_id IS NOT NULL
)
WHERE record_of_call = 1
