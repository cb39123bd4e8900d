-- What the log itself says about our addresses, and about who made keys and users
-- grain: one row per event of a kind that tells
SELECT DISTINCT
    operation,
    event_time,
    user_identity_arn,
    issued_access_key_id,
    request_parameters,
    response_elements
FROM first_records
WHERE error_code IS NULL
    AND operation IN (
        'AllocateAddress', 'AssociateAddress', 'CreateNatGateway', 'RunInstances',
        'CreateAccessKey', 'CreateUser', 'TagUser'
    )
