-- Events that match: by key, caller, address, program, call, resource, moment
-- when: You go from one finding to the next: the same address, the same program, the minutes around an event, whoever changed a resource.
-- group: incident
-- grain: one row per event that meets every condition given
-- parameter: access_key_id text = null: signed by this key
-- parameter: caller text = null: by this identity, or by a session of this role (an ARN), or by this user name
-- parameter: source_ip_address text = null: from this address, or from a network such as 203.0.113.0/24
-- parameter: user_agent text = null: with exactly this user agent
-- parameter: event_source text = null: calls of this service, e.g. iam.amazonaws.com
-- parameter: event_name text = null: this call
-- parameter: error_code text = null: that failed with this error code
-- parameter: account_id text = null: in the log of this account
-- parameter: aws_region text = null: in this region
-- parameter: resource text = null: whose parameters, response or resources name this: an ARN, an id, a name
-- parameter: changes_only boolean = false: only calls that change something
-- parameter: moment time = null: around this time
-- parameter: seconds integer = 300: how many seconds before and after that moment
-- details: account_id, aws_region, issued_access_key_id, user_agent, user_identity_arn, event_id
SELECT
    event_time,
    event_source,
    event_name,
    error_code,
    access_key_id,
    user_identity_arn,
    source_ip_address,
    user_agent,
    issued_access_key_id,
    aws_region,
    account_id,
    event_id
FROM events
WHERE ($access_key_id IS NULL OR access_key_id = $access_key_id)
    AND (
        $caller IS NULL
        OR user_identity_arn = $caller
        OR session_issuer_arn = $caller
        OR user_identity_user_name = $caller
    )
    AND (
        $source_ip_address IS NULL
        OR ($source_ip_address NOT LIKE '%/%' AND source_ip_address = $source_ip_address)
        OR ($source_ip_address LIKE '%/%' AND ip_in_cidr(source_ip_address, $source_ip_address))
    )
    AND ($user_agent IS NULL OR user_agent = $user_agent)
    AND ($event_source IS NULL OR event_source = $event_source)
    AND ($event_name IS NULL OR event_name = $event_name)
    AND ($error_code IS NULL OR error_code = $error_code)
    AND ($account_id IS NULL OR account_id = $account_id)
    AND ($aws_region IS NULL OR aws_region = $aws_region)
    AND (
        $resource IS NULL
        OR strpos(request_parameters, $resource) > 0
        OR strpos(response_elements, $resource) > 0
        OR strpos(resources, $resource) > 0
    )
    AND (NOT $changes_only OR read_only IS DISTINCT FROM true)
    AND (
        $moment IS NULL
        OR event_time BETWEEN $moment - arrow_cast($seconds * 1000000, 'Duration(Microsecond)')
            AND $moment + arrow_cast($seconds * 1000000, 'Duration(Microsecond)')
    )
ORDER BY event_time, event_id
