-- Events and callers per day and address
SELECT event_date, source_ip_address, count(*) AS events, count(DISTINCT user_identity_arn) AS callers
FROM events
GROUP BY event_date, source_ip_address
