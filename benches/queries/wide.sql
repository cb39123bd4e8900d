-- A scan of the wide columns
SELECT event_source, sum(length(request_parameters)) AS request, sum(length(response_elements)) AS response, sum(length(user_agent)) AS agent
FROM events
GROUP BY event_source
