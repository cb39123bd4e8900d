-- Events as in the CloudTrail table of AWS's Athena documentation
-- grain: one row per event
SELECT
    event_version AS eventversion,
    named_struct(
        'type', user_identity_type,
        'principalid', user_identity_principal_id,
        'arn', user_identity_arn,
        'accountid', user_identity_account_id,
        'invokedby', user_identity_invoked_by,
        'accesskeyid', access_key_id,
        'username', user_identity_user_name,
        'onbehalfof', named_struct(
            'userid', on_behalf_of_user_id,
            'identitystorearn', on_behalf_of_identity_store_arn
        ),
        'sessioncontext', named_struct(
            'attributes', named_struct(
                'mfaauthenticated', CAST(session_mfa_authenticated AS VARCHAR),
                'creationdate', utc_text(session_creation_time, '%Y-%m-%dT%H:%M:%SZ')
            ),
            'sessionissuer', named_struct(
                'type', session_issuer_type,
                'principalid', session_issuer_principal_id,
                'arn', session_issuer_arn,
                'accountid', session_issuer_account_id,
                'username', session_issuer_user_name
            ),
            'ec2roledelivery', session_ec2_role_delivery,
            'webidfederationdata', named_struct(
                'federatedprovider', web_id_federated_provider,
                'attributes', web_id_attributes
            )
        )
    ) AS useridentity,
    utc_text(event_time, '%Y-%m-%dT%H:%M:%SZ') AS eventtime,
    event_source AS eventsource,
    event_name AS eventname,
    aws_region AS awsregion,
    source_ip_address AS sourceipaddress,
    user_agent AS useragent,
    error_code AS errorcode,
    error_message AS errormessage,
    request_parameters AS requestparameters,
    response_elements AS responseelements,
    additional_event_data AS additionaleventdata,
    request_id AS requestid,
    event_id AS eventid,
    CAST(read_only AS VARCHAR) AS readonly,
    resource_list(resources) AS resources,
    event_type AS eventtype,
    api_version AS apiversion,
    recipient_account_id AS recipientaccountid,
    service_event_details AS serviceeventdetails,
    shared_event_id AS sharedeventid,
    vpc_endpoint_id AS vpcendpointid,
    vpc_endpoint_account_id AS vpcendpointaccountid,
    event_category AS eventcategory,
    addendum,
    CAST(session_credential_from_console AS VARCHAR) AS sessioncredentialfromconsole,
    edge_device_details AS edgedevicedetails,
    named_struct(
        'tlsversion', tls_version,
        'ciphersuite', tls_cipher_suite,
        'clientprovidedhostheader', tls_client_provided_host_header
    ) AS tlsdetails,
    account_id AS account,
    -- The optimizer cannot handle the same column under two names.
    CAST(aws_region AS VARCHAR) AS region,
    utc_text(event_date, '%Y/%m/%d') AS "timestamp",
    utc_text(event_date, '%Y') AS year,
    utc_text(event_date, '%m') AS month,
    utc_text(event_date, '%d') AS day,
    log_file AS "$path"
FROM first_records
