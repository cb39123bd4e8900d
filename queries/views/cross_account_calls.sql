-- Calls from one account to resources of another
-- grain: one row per call; outgoing where the caller's account has it, incoming where only the other account does
SELECT * EXCEPT (record_of_call)
FROM (
    SELECT
        event_time,
        CASE WHEN user_identity_account_id = account_id THEN 'outgoing' ELSE 'incoming' END AS direction,
        user_identity_account_id AS caller_account_id,
        -- The caller's record may name no resource; the other account's names the account.
        coalesce(
            nullif(json_extract_scalar(resources, '$[0].accountId'), user_identity_account_id),
            max(nullif(account_id, user_identity_account_id)) OVER call
        ) AS owner_account_id,
        event_source,
        event_name,
        error_code,
        coalesce(
            json_extract_scalar(resources, '$[0].ARN'),
            max(json_extract_scalar(resources, '$[0].ARN')) OVER call
        ) AS resource_arn,
        access_key_id,
        user_identity_type,
        coalesce(user_identity_arn, user_identity_principal_id) AS caller,
        source_ip_address,
        user_agent,
        shared_event_id,
        account_id,
        aws_region,
        event_id,
        event_date,
        row_number() OVER (
            PARTITION BY coalesce(shared_event_id, event_id)
            ORDER BY user_identity_account_id IS DISTINCT FROM recipient_account_id, event_id
        ) AS record_of_call
    FROM first_records
    WHERE
        user_identity_type <> 'AWSService'
        AND (
            user_identity_account_id <> account_id
            OR json_extract_scalar(resources, '$[0].accountId') <> user_identity_account_id
            OR shared_event_id IS NOT NULL
        )
    WINDOW call AS (PARTITION BY coalesce(shared_event_id, event_id))
)
WHERE record_of_call = 1 AND owner_account_id IS NOT NULL
