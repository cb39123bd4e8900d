-- What the logs show about the owner's addresses, about who created keys and users, and about the roles of instance profiles
-- grain: one row per event of the kinds that show this
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
        'CreateAccessKey', 'CreateUser', 'TagUser', 'AddRoleToInstanceProfile'
    )
